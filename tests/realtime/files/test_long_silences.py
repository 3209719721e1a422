"""Work on a file grows with what stands in it, not with the time between: long silences are left out meanwhile."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.events import Role
from piano.midi.document import MidiDocument
from piano.midi.file import read_performance
from piano.notes import NOTE, PEDAL, Performance
from piano.solve.solver import Solution
from realtime.files.file_tasks import pose_file
from realtime.files.long_silences import LONGEST_S, ShortenedTime
from realtime.files.posed import Posed, TaskSettings
from realtime.files.task_requests import FillRequest, PerformRequest, TaskRequest
from tests.support.midi_files import meta, midi_file, note, track

TICKS_A_SECOND = 960
HOUR_S = 3500


@st.composite
def performances(draw: st.DrawFn) -> Performance:
    """Draw notes and pedals, some an hour apart, some an hour long."""
    times_s, lengths_s = st.floats(0, 2 * HOUR_S), st.sampled_from((0.1, 2.0, 100.0, 5000.0))
    rows = [(draw(times_s), draw(lengths_s), 60, 64, 0) for _ in range(draw(st.integers(0, 6)))]
    pedals = [(draw(times_s), draw(st.booleans())) for _ in range(draw(st.integers(0, 3)))]
    return Performance(np.array(sorted(rows), NOTE), np.array(sorted(pedals), PEDAL))


def moments_of(performance: Performance) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    notes, pedals = performance.notes, performance.pedals
    return np.concatenate([notes["onset_s"], notes["onset_s"] + notes["duration_s"], pedals["time_s"]])


@given(performances())
def test_what_is_shortened_has_no_long_silence_and_comes_back_as_it_was(performance: Performance) -> None:
    silences = ShortenedTime.of(performance)
    moments_s = moments_of(performance)
    short_s = silences.shorten(moments_s)
    assert (np.diff(np.sort(short_s), prepend=0.0) <= LONGEST_S + 1e-6).all()
    assert np.argsort(short_s, kind="stable").tolist() == np.argsort(moments_s, kind="stable").tolist()
    assert silences.lengthen(short_s) == pytest.approx(moments_s)
    shortened = silences.shortened(performance)
    assert silences.lengthened(shortened).notes["onset_s"] == pytest.approx(performance.notes["onset_s"])
    assert silences.lengthened(shortened).pedals["time_s"] == pytest.approx(performance.pedals["time_s"])


def test_where_there_is_no_long_silence_nothing_is_touched() -> None:
    usual = Performance(np.array([(0.5, 1.0, 60, 64, 0), (29.0, 1.0, 62, 64, 0)], NOTE))
    silences = ShortenedTime.of(usual)
    assert silences.shortened(usual) is usual
    assert silences.lengthened(usual) is usual


def two_notes_an_hour_apart() -> MidiDocument:
    wait = HOUR_S * TICKS_A_SECOND
    notes = *note(0, 72, 64, 480), *note(0, 74, 64, 480, wait), *note(0, 40, 64, 480)
    return MidiDocument.read(midi_file(track(*notes)))


def pose(wish: TaskRequest, document: MidiDocument) -> Posed:
    return pose_file(document, wish, TaskSettings(), 1)


@pytest.mark.parametrize(
    "wish", [FillRequest(files=("a.mid",), keep="right"), PerformRequest(files=("a.mid",))], ids=["fill", "perform"]
)
def test_an_hour_of_silence_is_half_a_minute_of_work(wish: TaskRequest) -> None:
    [exercise] = pose(wish, two_notes_an_hour_apart()).exercises
    assert exercise.performance.end_s < 2 * LONGEST_S
    assert exercise.preview is not None
    assert exercise.preview.notes["onset_s"].max() < 2 * LONGEST_S


def answer(notes: Sequence[tuple[float, float, int, int, int]], pedals: Sequence[tuple[float, bool]]) -> Solution:
    return Solution(Performance(np.array(notes, NOTE), np.array(pedals, PEDAL)), 0.0, 1)


def test_what_is_filled_in_stands_in_the_time_of_the_file() -> None:
    posed = pose(FillRequest(files=("a.mid",), keep="right"), two_notes_an_hour_apart())
    [exercise] = posed.exercises
    [later] = exercise.performance.notes[exercise.roles == Role.GIVEN]["onset_s"][-1:]
    found = answer([(0.25, 0.5, 45, 60, 0), (float(later), 0.5, 47, 60, 0)], [(0.3, True), (0.5, False)])
    notes = read_performance(posed.outcome([found]).document.to_bytes()).notes
    assert notes["onset_s"][notes["pitch"] == 45] == pytest.approx([0.25], abs=1e-3)
    assert notes["onset_s"][notes["pitch"] == 47] == pytest.approx(notes["onset_s"][notes["pitch"] == 74])


def test_what_is_performed_stands_in_the_time_of_the_file() -> None:
    posed = pose(PerformRequest(files=("a.mid",)), two_notes_an_hour_apart())
    [exercise] = posed.exercises
    played = exercise.performance.notes.copy()
    played["onset_s"] += 0.02
    rows = [(float(row["onset_s"]), float(row["duration_s"]), int(row["pitch"]), 60, 0) for row in played]
    last_s = rows[-1][0]
    made = read_performance(posed.outcome([answer(rows, [(last_s, True), (last_s + 0.2, False)])]).document.to_bytes())
    read = read_performance(two_notes_an_hour_apart().to_bytes())
    assert made.notes["onset_s"] == pytest.approx(read.notes["onset_s"] + 0.02, abs=1e-3)
    assert made.notes["duration_s"] == pytest.approx(read.notes["duration_s"], abs=1e-3)
    assert made.pedals["time_s"][0] == pytest.approx(read.notes["onset_s"][-1], abs=0.05)


def test_a_tempo_that_no_music_has_makes_no_grid() -> None:
    fast = meta(0x51, (1).to_bytes(3))  # a million quarters a second, for four minutes
    body = track((0, fast), *note(0, 72, 64, 100_000), *note(0, 40, 64, 100_000), *note(0, 74, 64, 1000, 240_000_000))
    posed = pose(FillRequest(files=("a.mid",), keep="right"), MidiDocument.read(midi_file(body, division=1)))
    assert posed.request.evidence is not None
    assert posed.request.evidence.fills is not None
    assert posed.request.evidence.fills.twelfths_s is None
