"""`tell` from folders to tables, JSON and picture: chance cannot be told, what is changed can."""

import json
import shutil
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from piano.errors import PianodError
from piano.midi.file import MidiTrack, read_tracks, write_performance
from piano.notes import Performance
from tests.train.conftest import random_performance, save_random_corpus
from train.__main__ import main
from train.sampling_study import telling_job

PIECES = 10


@pytest.fixture(autouse=True)
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling_job, "TREES", 20)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a corpus, what follows its excerpts, and a way that holds every tenth key for 5 s."""
    made = tmp_path_factory.mktemp("tell")
    save_random_corpus(made, PIECES)
    command = ["primers", "--corpus", str(made), "--count", str(PIECES), "--seconds", "12"]
    assert main([*command, "--out", str(made / "primers"), "--truth", str(made / "truth")]) == 0
    (made / "held").mkdir()
    for path in (made / "truth").glob("*.mid"):
        heard, played = read_tracks(path)
        notes = played.performance.notes.copy()
        notes["duration_s"][::10] = 5.0
        tracks = [heard, MidiTrack("continuation", Performance(notes))]
        write_performance(made / "held" / f"{path.stem}-continued.mid", tracks)
    (made / "free").mkdir()
    for number in range(8):
        notes = random_performance(100 + number, 300).notes
        notes["velocity"] = 64
        write_performance(made / "free" / f"piece-{number}.mid", [MidiTrack("piece", Performance(notes))])
    return made


def tell(folder: Path, way: str, *more: str) -> int:
    return main(["tell", str(folder / way), "--corpus", str(folder), "--seconds", "12", *more])


def test_continuations_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--json", str(folder / "told.json"), "--plot", str(folder / "told.png")]
    assert tell(folder, "held", "--truth", str(folder / "truth"), *out) == 0
    content = json.loads((folder / "told.json").read_text())
    held = content["continuations"]["held"]
    assert held["auc"] > 0.8
    assert held["figures"]["notes over 4 s"]["real"] == 0
    assert held["figures"]["notes over 4 s"]["made"] > 0.05
    assert "notes over 4 s" in list(held["statistics"])[:5]
    assert content["continuations"]["other real music"]["auc"] < held["auc"]
    assert (folder / "told.png").read_bytes().startswith(b"\x89PNG")
    said = capsys.readouterr().out
    assert "held: what tells most" in said
    assert "other real music" in said


def test_new_pieces_are_told_without_a_truth(folder: Path) -> None:
    assert tell(folder, "free", "--json", str(folder / "free.json"), "--most", "0") == 0
    content = json.loads((folder / "free.json").read_text())
    free = content["free playing"]["free"]
    assert free["auc"] > 0.8
    assert "velocity" in next(iter(free["statistics"]))


def test_the_figures_are_the_same_wherever_they_are_found(folder: Path) -> None:
    """Forests grow by chance, but always by the same."""
    found = []
    for place in (("--jobs", "1"), ("--jobs", "2"), ("--cluster", "local:1")):
        assert tell(folder, "held", "--truth", str(folder / "truth"), "--json", str(folder / "x.json"), *place) == 0
        found.append(json.loads((folder / "x.json").read_text())["continuations"])
    assert found[0] == found[1] == found[2]


def test_what_was_found_is_not_found_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is broken off behind the statistics, and goes on in other processes."""
    asked = ("--truth", str(folder / "truth"), "--json", str(folder / "x.json"))
    resumed = (*asked, "--resume", str(folder / "done"))
    assert tell(folder, "held", *asked) == 0
    whole = (folder / "x.json").read_bytes()

    def never(*_: object, **__: object) -> NoReturn:
        raise PianodError("broken off")

    with monkeypatch.context() as broken:
        broken.setattr("train.sampling_study.telling_job.tell_apart", never)
        assert tell(folder, "held", *resumed) == 2
    with monkeypatch.context() as known:
        known.setattr("train.sampling_study.telling_job.excerpt_statistics", never)
        assert tell(folder, "held", *resumed) == 0
        known.setattr("train.sampling_study.telling_job.tell_apart", never)
        (folder / "x.json").unlink()
        assert tell(folder, "held", *resumed) == 0
    assert (folder / "x.json").read_bytes() == whole


def test_what_is_missing_or_foreign_is_told(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tell(folder, "held") == 2
    assert "--truth FOLDER is missing" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main(["tell", str(tmp_path / "empty"), "--corpus", str(folder)]) == 2
    assert "no MIDI files" in capsys.readouterr().err
    assert main(["tell", str(folder / "held"), "--corpus", str(folder), "--truth", str(tmp_path)]) == 2
    assert "goes on at 12" in capsys.readouterr().err
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    shutil.copy(folder / "truth" / "01.mid", foreign / "99.mid")
    command = ["--corpus", str(folder), "--seconds", "12", "--truth", str(folder / "truth")]
    assert main(["tell", str(foreign), *command]) == 2
    assert "other excerpts" in capsys.readouterr().err


def test_the_pieces_of_the_excerpts_are_written(folder: Path) -> None:
    pieces = json.loads((folder / "truth" / "pieces.json").read_text())
    assert len(pieces) == PIECES
    assert len(np.unique(list(pieces.values()))) == PIECES
