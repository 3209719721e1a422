"""The take: what went over the wire, as a file of two tracks."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.events import Event, NoteOff, NoteOn, Pedal, TimedEvent
from piano.midi_file import read_tracks
from realtime.midi_message import bytes_of
from realtime.phrases import QUESTION, read_phrase
from realtime.playback import messages_of
from realtime.take import Take, performance_of
from tests.realtime.stage import MS, S, a_run


def test_events_become_notes_and_changes_of_the_pedal() -> None:
    events: list[tuple[float, Event]] = [
        (1.0, NoteOn(60, 50)),
        (1.1, Pedal(down=True)),
        (1.2, Pedal(down=True)),
        (1.5, NoteOn(60, 70)),
        (2.0, NoteOff(60)),
        (2.1, NoteOff(60)),
        (2.5, NoteOn(64, 80)),
        (3.0, Pedal(down=False)),
    ]
    made = performance_of([TimedEvent(round(at_s * S), event) for at_s, event in events], S)
    expected = [(0.0, 0.5, 60, 50, 0), (0.5, 0.5, 60, 70, 0), (1.5, 0.5, 64, 80, 0)]
    for row, wanted in zip(made.notes.tolist(), expected, strict=True):
        assert row == pytest.approx(wanted)
    assert made.pedals["down"].tolist() == [True, False]
    assert performance_of([], 0).notes.size == performance_of([], 0).pedals.size == 0


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(60, 63), st.booleans()), max_size=30))
def test_every_key_that_goes_down_is_one_note(done: list[tuple[int, int, bool]]) -> None:
    at_ns, events = 0, []
    for gap_ms, pitch, is_on in done:
        at_ns += gap_ms * MS
        events.append(TimedEvent(at_ns, NoteOn(pitch, 60) if is_on else NoteOff(pitch)))
    made = performance_of(events, 0)
    assert made.notes.size == sum(is_on for _, _, is_on in done)
    for pitch in range(60, 64):
        notes = made.notes[made.notes["pitch"] == pitch]
        ends = notes["onset_s"] + notes["duration_s"]
        assert (ends[:-1] <= notes["onset_s"][1:] + 0.0011).all()


def test_a_take_is_two_tracks_from_the_first_key_on(tmp_path: Path) -> None:
    run = a_run()
    phrase = read_phrase(QUESTION)
    run.play(messages_of(phrase, 3 * S))
    run.run_until(18 * S)
    run.finish()
    path = run.partner.take.write(tmp_path / "takes")
    assert path is not None
    player, pianod = read_tracks(path)
    assert (player.name, pianod.name) == ("player", "pianod")
    np.testing.assert_allclose(player.performance.notes["onset_s"], phrase.notes["onset_s"], atol=0.001)
    assert pianod.performance.notes.size > 3


def test_an_answer_alone_begins_the_take() -> None:
    take = Take(sent=[(5 * S, bytes_of(NoteOn(60, 60))), (6 * S, bytes_of(NoteOff(60)))])
    assert take.tracks()[1].performance.notes["onset_s"].tolist() == [0.0]


def test_an_empty_take_is_not_written(tmp_path: Path) -> None:
    assert Take().write(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_take_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    take = Take(heard=[TimedEvent(0, NoteOn(60, 60))])
    assert take.write(tmp_path / "file") is None
