"""Excerpts to go on from: they are written with what truly follows, and that is the nearest continuation there is."""

from pathlib import Path

import pytest

from piano.midi.file import read_tracks
from tests.train.conftest import save_random_corpus
from train.__main__ import main


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return save_random_corpus(tmp_path, 2)


def test_primers_and_what_follows_are_written(corpus: Path, tmp_path: Path) -> None:
    out, truth = tmp_path / "primers", tmp_path / "truth"
    command = ["primers", "--corpus", str(corpus), "--count", "3", "--seconds", "12"]
    assert main([*command, "--out", str(out), "--truth", str(truth)]) == 0
    assert [path.name for path in sorted(out.iterdir())] == ["01.mid", "02.mid", "03.mid"]
    for path in out.iterdir():
        (primer,) = read_tracks(path)
        assert primer.performance.notes["onset_s"].max() <= 12
        named = {track.name: track.performance.notes for track in read_tracks(truth / path.name)}
        assert named["primer"]["pitch"].tolist() == primer.performance.notes["pitch"].tolist()
        assert named["continuation"]["onset_s"].min() >= 12
        assert named["continuation"]["onset_s"].max() <= 24
    assert main(["compare", str(truth), "--corpus", str(corpus)]) == 0


def test_the_same_seed_gives_the_same_excerpts(corpus: Path, tmp_path: Path) -> None:
    for name in ("one", "other"):
        assert main(["primers", "--corpus", str(corpus), "--count", "2", "--out", str(tmp_path / name)]) == 0
    one, other = ([path.read_bytes() for path in sorted((tmp_path / name).iterdir())] for name in ("one", "other"))
    assert one == other


def test_what_cannot_be_is_told(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["primers", "--corpus", str(corpus), "--out", str(tmp_path / "out")]
    assert main([*command, "--count", "0"]) == 2
    assert "above 0" in capsys.readouterr().err
    assert main([*command, "--split", "none"]) == 2
    assert "'none'" in capsys.readouterr().err
