"""Parts that are filled into a file: in its own division of the beat, and where what they replace lay."""

import numpy as np
import pytest

from piano.midi.document import MidiDocument
from piano.notes import NoteArray
from piano.solve.solver import solve
from piano.tokens.vocabulary import VOCABULARY
from realtime.files.file_tasks import pose_file
from realtime.files.posed import TaskSettings
from realtime.files.task_requests import FillRequest
from tests.support.midi_files import meta, midi_file, track
from tests.support.scripted_session import ScriptedSession

QUARTER = 480
QUARTER_S = 0.6


def two_hands(right: tuple[int, ...], left: tuple[int, ...], late: int = 0, bars: int = 12) -> MidiDocument:
    """Return a file of two hands whose keys go down at some ticks of each quarter note, all of them so much later."""
    events = []
    for beat in range(4 * bars):
        for ticks, low in ((right, 72), (left, 40)):
            for place, tick in enumerate(ticks):
                at, pitch = beat * QUARTER + tick + late, low + (5 * beat + 3 * place) % 12
                events += [(at, bytes((0x90, pitch, 70))), (at + 100, bytes((0x90, pitch, 0)))]
    events.sort(key=lambda event: event[0])
    apart = np.diff([0, *(at for at, _ in events)]).tolist()
    body = [(wait, data) for wait, (_, data) in zip(apart, events, strict=True)]
    return MidiDocument.read(midi_file(track((0, meta(0x51, (600_000).to_bytes(3))), *body)), name="hands.mid")


def filled(document: MidiDocument, seed: int = 3) -> NoteArray:
    """Return what a model of chance plays in place of the left hand."""
    posed = pose_file(document, FillRequest(files=("hands.mid",), keep="right"), TaskSettings(), seed)
    session = ScriptedSession(VOCABULARY.size, 4096, seed=seed, horizon=12)
    return solve(session, posed.exercises[0], posed.request).performance.notes


def share_at(notes: NoteArray, ticks: tuple[int, ...], late: int = 0) -> float:
    """Return which share of notes lies within 25 ms of some ticks of the beat."""
    place = notes["onset_s"][:, None] / QUARTER_S - (np.array(ticks) + late) / QUARTER
    return float((np.abs(place - np.rint(place)).min(axis=1) * QUARTER_S < 0.025).mean())


EIGHTHS, TRIPLETS, SWING, SIXTEENTHS = (0, 240), (0, 160, 320), (0, 320), (0, 120, 240, 360)


@pytest.mark.parametrize("late", [0, 80])
@pytest.mark.parametrize("places", [EIGHTHS, TRIPLETS, SWING, SIXTEENTHS])
def test_the_beat_is_divided_as_in_the_file(places: tuple[int, ...], late: int) -> None:
    found = filled(two_hands(places, places, late))
    assert share_at(found, places, late) > 0.65


def test_sixteenths_that_stand_are_not_those_of_the_other_hand() -> None:
    found = filled(two_hands(SIXTEENTHS, EIGHTHS))
    assert share_at(found, (120, 360)) < 0.42
    assert share_at(found, EIGHTHS) > 0.55


def test_sixteenths_stay_where_they_are() -> None:
    assert share_at(filled(two_hands(SIXTEENTHS, SIXTEENTHS)), (120, 360)) > 0.3


def test_the_left_hand_keeps_its_bass() -> None:
    pitches = filled(two_hands(EIGHTHS, EIGHTHS))["pitch"]
    assert (pitches < 52).mean() > 0.35, "a model of chance strikes one key in three there"


@pytest.mark.parametrize("places", [EIGHTHS, SWING, SIXTEENTHS])
def test_a_single_voice_stays_one(places: tuple[int, ...]) -> None:
    notes = filled(two_hands(places, places))
    moments = 1 + int((np.diff(np.sort(notes["onset_s"])) > 0.025).sum())
    assert notes.size < 1.1 * moments
