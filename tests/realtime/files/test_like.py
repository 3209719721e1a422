"""Played like a file, by the embedded model: register, how busy it is and its figures are nearer to it than without."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import ArrayLike

from piano.midi.file import MidiTrack, write_performance
from piano.notes import NOTE, Performance
from realtime.engine.find_bundle import open_bundle
from realtime.engine.open_model import open_session
from realtime.files.continuation import NOTHING
from realtime.files.draw_pieces import draw_pieces
from realtime.files.requests import PieceRequest
from realtime.settings import Settings

SEEDS = (1, 2, 3)
MOTIF = (0, 7, 3, 10, 5, 12)


def a_file(path: Path, pitches: Sequence[int], gap_s: float) -> Path:
    notes = np.zeros(len(pitches), NOTE)
    notes["onset_s"], notes["duration_s"] = np.arange(len(pitches)) * gap_s, gap_s * 0.9
    notes["pitch"], notes["velocity"] = pitches, 64
    write_performance(path, [MidiTrack("piano", Performance(notes))])
    return path


def played(tmp_path: Path, like: Path | None) -> list[Performance]:
    settings = Settings(panel=False, takes=None, like=like)
    session, _ = open_session(open_bundle(settings), settings)
    request = PieceRequest(out=tmp_path / "new.mid", seconds=12.0)
    return [draw_pieces(settings, request, session, NOTHING, [seed])[1].performance for seed in SEEDS]


def figures(pitches: ArrayLike) -> list[tuple[int, ...]]:
    steps = np.diff(np.asarray(pitches, np.int64)).tolist()
    return [tuple(steps[place : place + 3]) for place in range(len(steps) - 2)]


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> list[Performance]:
    return played(tmp_path_factory.mktemp("without"), None)


def test_register_density_and_figures_are_nearer_to_the_file(tmp_path: Path, without: list[Performance]) -> None:
    low = [33 + shift + step for shift in (0, 2, 0, -2, 3, 0, 2, 0) for _ in range(3) for step in MOTIF]
    made = played(tmp_path, a_file(tmp_path / "low.mid", low, 0.35))

    def register(pieces: list[Performance]) -> float:
        return float(np.mean([piece.notes["pitch"].mean() for piece in pieces]))

    def rate(pieces: list[Performance]) -> float:
        return float(np.mean([piece.notes.size / 12.0 for piece in pieces]))

    def of_the_file(pieces: list[Performance]) -> float:
        theirs = set(figures(low))
        return float(np.mean([one in theirs for piece in pieces for one in figures(piece.notes["pitch"])]))

    assert abs(register(made) - np.mean(low)) < abs(register(without) - np.mean(low))
    assert abs(np.log(rate(made) / 2.86)) < abs(np.log(rate(without) / 2.86))
    assert of_the_file(made) > of_the_file(without) + 0.05


def test_another_file_gives_other_music(tmp_path: Path) -> None:
    high = a_file(tmp_path / "high.mid", [84 + step for _ in range(20) for step in (0, 4, 7, 12, 7, 4)], 0.1)
    low = a_file(tmp_path / "low.mid", [36 + step for _ in range(20) for step in (0, 3, 7, 3)], 0.4)
    means = [np.mean([piece.notes["pitch"].mean() for piece in played(tmp_path, file)]) for file in (high, low)]
    assert means[0] > means[1] + 12
