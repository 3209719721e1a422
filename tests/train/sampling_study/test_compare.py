"""Generated music beside real music: what is alike lies in the band, what runs away does not."""

import json
from pathlib import Path

import numpy as np
import pytest

from piano.midi.file import MidiTrack, write_performance
from piano.notes import NOTE, NoteArray, Performance
from tests.train.conftest import random_performance, save_random_corpus
from train.__main__ import main
from train.sampling_study.compare import LongRun, near
from train.sampling_study.music_statistics import (
    STATISTICS,
    STRETCH_S,
    TRAITS,
    repetitions,
    statistics,
    stretches,
    traits_apart,
)


def notes_of(onsets_s: list[float], pitches: list[int], *, velocity: int = 64, duration_s: float = 0.1) -> NoteArray:
    made = np.zeros(len(onsets_s), NOTE)
    made["onset_s"], made["pitch"] = onsets_s, pitches
    made["velocity"], made["duration_s"] = velocity, duration_s
    return made


def stretch_of(notes: NoteArray) -> dict[str, float]:
    return dict(zip(STATISTICS, statistics(notes, repetitions(notes), 0.0), strict=True))


def test_the_statistics_of_a_stretch() -> None:
    found = stretch_of(notes_of([0.0, 1.0, 2.0, 10.0], [60, 62, 64, 66], velocity=80))
    assert found["notes/s"] == pytest.approx(4 / STRETCH_S)
    assert found["mean pitch"] == 63
    assert found["mean velocity"] == 80
    assert found["longest silence (s)"] == pytest.approx(STRETCH_S - 10.1)
    assert found["repeated (%)"] == 0


def test_an_empty_stretch_is_silent() -> None:
    found = stretch_of(notes_of([], []))
    assert (found["notes/s"], found["longest silence (s)"]) == (0.0, STRETCH_S)
    assert np.isnan(found["mean pitch"])


def test_a_held_key_is_no_silence() -> None:
    held = notes_of([0.0, 5.0], [60, 62], duration_s=STRETCH_S)
    assert stretch_of(held)["longest silence (s)"] == 0


def test_a_pattern_that_comes_again_soon_is_a_repetition() -> None:
    pitches = [60, 62, 64, 65, 67, 69] * 2
    soon = repetitions(notes_of([0.2 * index for index in range(12)], pitches))
    assert soon.tolist() == [False] * 11 + [True]
    late = repetitions(notes_of([0.2 * index + 300 * (index >= 6) for index in range(12)], pitches))
    assert not late.any()


def test_only_whole_stretches_are_counted() -> None:
    music = notes_of([0.0, STRETCH_S, 2 * STRETCH_S], [60, 62, 64])
    assert [stretch.start_s for stretch in stretches(music, 2.9 * STRETCH_S)] == [0.0, STRETCH_S]


def test_an_excerpt_is_not_apart_from_itself_and_each_trait_sees_its_own_change() -> None:
    music = random_performance(1).notes
    assert traits_apart(music, music) == pytest.approx(np.zeros(4))
    denser, higher, louder = music.copy(), music.copy(), music.copy()
    denser["onset_s"] /= 2
    higher["pitch"] += 12
    louder["velocity"] += 10
    for index, other in enumerate((denser, higher, louder)):
        apart = traits_apart(music, other)
        assert apart[index] > 0.5, TRAITS[index]
        assert np.delete(apart, index) == pytest.approx(np.zeros(3))
    transposed = music.copy()
    transposed["pitch"] += 6
    assert traits_apart(music, transposed)[3] > 0.05


def test_music_that_runs_away_leaves_the_band() -> None:
    real = random_performance(3, 4000).notes
    values = np.array([stretch.values for stretch in stretches(real, float(real["onset_s"][-1]))])
    alike = random_performance(4, 4000).notes
    denser = alike.copy()
    denser["onset_s"] /= 10

    def share(notes: NoteArray) -> float:
        return float(LongRun([list(stretches(notes, float(notes["onset_s"][-1])))], values).share_within()[0])

    assert share(alike) > 0.5
    assert share(denser) == 0


def test_a_true_continuation_is_nearer_than_other_music() -> None:
    loud, soft = random_performance(5).notes.copy(), random_performance(6).notes.copy()
    loud["velocity"], soft["velocity"] = 110, 20
    found = near([(loud[:60], loud[60:])], [soft])
    assert found is not None
    assert found.files == 1
    assert found.nearer[TRAITS.index("loudness")] == 1
    assert near([], [soft]) is None


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return save_random_corpus(tmp_path, 3)


def test_the_command_compares_a_folder(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = tmp_path / "made"
    made.mkdir()
    for seed in range(2):
        whole = random_performance(10 + seed, 900).notes
        tracks = [
            MidiTrack(name, Performance(part))
            for name, part in (("primer", whole[:300]), ("continuation", whole[300:]))
        ]
        write_performance(made / f"{seed}.mid", tracks)
    (made / "broken.mid").write_bytes(b"MThd")
    figures, picture = tmp_path / "figures.json", tmp_path / "run.png"
    command = ["compare", str(made), "--corpus", str(corpus), "--json", str(figures), "--plot", str(picture)]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in (*STATISTICS, *TRAITS))
    content = json.loads(figures.read_text())
    assert content["notes/s"]["low"] < content["notes/s"]["high"]
    assert set(content["continuations"]) == set(TRAITS)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_folder_without_music_is_named(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(tmp_path / "none"), "--corpus", str(corpus)]) == 2
    assert "there are no MIDI files" in capsys.readouterr().err


def test_several_folders_are_lines_of_one_table(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [tmp_path / name for name in ("tame", "bold")]
    for folder in folders:
        folder.mkdir()
        write_performance(folder / "piece.mid", [MidiTrack("piece", random_performance(20, 900))])
        whole = random_performance(21, 900).notes
        parts = [MidiTrack("primer", Performance(whole[:300])), MidiTrack("continuation", Performance(whole[300:]))]
        write_performance(folder / "goes-on.mid", parts)
    figures = tmp_path / "figures.json"
    command = ["compare", *map(str, folders), "--corpus", str(corpus)]
    assert main([*command, "--json", str(figures)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[-2:]] == ["tame", "bold"]
    content = json.loads(figures.read_text())
    assert content["tame"] == content["bold"]
    assert 0 <= content["tame"]["figure"] <= 1
    assert main([*command, "--plot", str(tmp_path / "no.png")]) == 2
    assert "draws one folder" in capsys.readouterr().err
