"""A score in its own time: every note once, the written tempo kept, lengths about those written."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.notes import NOTE, NoteArray, Performance
from piano.sampling.sampler import SamplingSettings
from piano.solve.evidence import Evidence
from piano.solve.pedal_habit import change_of_pedal
from piano.solve.score_timing import TempoSettings, scaled
from piano.solve.solver import SolveRequest, solve
from piano.tasks.exercise import Exercise, Preview, PreviewClock, roles_of
from piano.tasks.task_stream import PreviewSize
from piano.tokens.vocabulary import VOCABULARY
from tests.support.scripted_session import ScriptedSession


def written(seed: int, moments: int = 40, beat_s: float = 0.25) -> NoteArray:
    rng = np.random.default_rng(seed)
    notes = []
    onset_s = 0.0
    for _ in range(moments):
        keys = rng.choice(np.arange(40, 90), int(rng.integers(1, 4)), replace=False)
        length_s = beat_s * int(rng.integers(1, 4))
        notes += [(onset_s, length_s, int(key), 80, 0) for key in keys]
        onset_s += length_s
    return np.sort(np.array(notes, NOTE), order=["onset_s", "pitch"])


def exercise_of(notes: NoteArray) -> Exercise:
    own = roles_of(np.ones(notes.size, np.bool_))
    return Exercise(
        "perform_score", Performance(notes), own, own[:0], preview=Preview(notes, False, PreviewClock.ORDER)
    )


def played(notes: NoteArray, seed: int, tempo: TempoSettings | None = None) -> NoteArray:
    session = ScriptedSession(VOCABULARY.size, 4096, seed=seed, horizon=12)
    request = SolveRequest(
        seed=seed,
        sampling=SamplingSettings(temperature=0.8),
        preview=PreviewSize(),
        evidence=Evidence(seed, tempo=tempo or TempoSettings()),
    )
    return solve(session, exercise_of(notes), request).performance.notes


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32))
def test_every_note_comes_once_in_the_written_tempo(seed: int) -> None:
    notes = written(seed)
    found = played(notes, seed)
    assert found["pitch"].tolist() == notes["pitch"].tolist() or sorted(found["pitch"]) == sorted(notes["pitch"])
    assert found.size == notes.size
    span_s = float(notes["onset_s"][-1])
    assert found["onset_s"].max() == pytest.approx(span_s, rel=0.1)
    by_key = [np.sort(each, order=["pitch", "onset_s"])["duration_s"] for each in (found, notes)]
    assert 0.8 < np.median(by_key[0] / by_key[1]) < 1.05


def test_without_deviations_the_clock_is_the_written_one() -> None:
    notes = written(3)
    found = played(notes, 3, scaled(TempoSettings(), 0.05))
    assert np.abs(np.sort(found["onset_s"]) - np.sort(notes["onset_s"])).max() < 0.12


def test_the_pedal_changes_no_sooner_than_a_foot_can() -> None:
    assert change_of_pedal(True, 5) < -20
    assert change_of_pedal(False, 2) < -20
    assert change_of_pedal(True, 20) < change_of_pedal(True, 60)
    assert change_of_pedal(True, 60) == change_of_pedal(True, 250)
    assert change_of_pedal(True, 1000) > change_of_pedal(True, 250) + 5, "it is not forgotten"
