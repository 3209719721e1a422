"""What a loop is made of: what is recorded is what was played, cut at the seam, and voices share one keyboard."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from piano.events import Event, NoteOff, NoteOn, Pedal, TimedEvent
from realtime.performers.loop.layers import Layer, LoopNote, Recorder, Voices, loop_cues, loop_events, loop_notes
from tests.support.scripted_play import MS, S

EVENTS = st.one_of(
    st.builds(NoteOn, st.integers(60, 63), st.integers(1, 127)),
    st.builds(NoteOff, st.integers(60, 63)),
    st.builds(Pedal, st.booleans()),
)


def recorded(events: list[tuple[int, Event]], length_ns: int, *, pedal: bool = False) -> Layer:
    recorder = Recorder(10 * S, 1, pedal=pedal)
    for offset_ns, event in events:
        recorder.hear(TimedEvent(10 * S + offset_ns, event))
    return recorder.layer(length_ns)


def test_notes_and_pedal_are_kept_to_the_nanosecond_and_cut_at_the_seam() -> None:
    layer = recorded(
        [
            (0, NoteOn(60, 70)),
            (7, Pedal(down=True)),
            (123_456_789, NoteOff(60)),
            (200 * MS, NoteOn(64, 80)),
            (250 * MS, NoteOn(64, 81)),  # struck again without a release
            (300 * MS, Pedal(down=False)),
            (800 * MS, Pedal(down=True)),
            (1200 * MS, NoteOff(64)),
            (1300 * MS, NoteOn(66, 90)),
        ],
        S,
    )
    assert layer.notes == (
        LoopNote(0, 123_456_789, 60, 70),
        LoopNote(200 * MS, 250 * MS, 64, 80),
        LoopNote(250 * MS, S, 64, 81),
    )
    assert layer.pedals == ((7, 300 * MS), (800 * MS, S))


def test_what_is_held_is_held_to_the_seam() -> None:
    layer = recorded([(0, NoteOn(60, 70))], 2 * S, pedal=True)
    assert layer.notes == (LoopNote(0, 2 * S, 60, 70),)
    assert layer.pedals == ((0, 2 * S),)


@given(st.lists(st.tuples(st.integers(0, 2 * S), EVENTS), max_size=25), st.booleans())
def test_a_layer_alone_sounds_as_one_keyboard(played: list[tuple[int, Event]], pedal: bool) -> None:
    layer = recorded(sorted(played, key=lambda one: one[0]), S, pedal=pedal)
    down: set[int] = set()
    is_down = False
    last_ns = 0
    for offset_ns, event in loop_events([layer]):
        assert last_ns <= offset_ns <= S
        last_ns = offset_ns
        match event:
            case NoteOn(pitch):
                down.add(pitch)
            case NoteOff(pitch):
                assert pitch in down
                down.remove(pitch)
            case Pedal(now_down):
                assert now_down != is_down
                is_down = now_down
    assert not down
    assert not is_down
    assert [cue.offset_ns for cue in loop_cues([layer])] == sorted(cue.offset_ns for cue in layer.cues())


def test_whoever_struck_a_key_last_lifts_it() -> None:
    voices = Voices()
    assert voices.play(1, NoteOn(60, 70)) == NoteOn(60, 70)
    assert voices.play(2, NoteOn(60, 90)) == NoteOn(60, 90)
    assert voices.play(1, NoteOff(60)) is None
    before = voices.copy()
    assert voices.play(2, NoteOff(60)) == NoteOff(60)
    assert voices.play(2, NoteOff(60)) is None
    assert before.release() == [NoteOff(60)]
    assert before.release() == []


def test_the_pedal_is_down_while_any_voice_holds_it() -> None:
    voices = Voices()
    assert voices.play(1, Pedal(down=True)) == Pedal(down=True)
    assert voices.play(2, Pedal(down=True)) is None
    assert voices.play(1, Pedal(down=False)) is None
    assert voices.release(staying=[2]) == []
    assert voices.play(2, Pedal(down=False)) == Pedal(down=False)
    voices.play(3, Pedal(down=True))
    assert voices.release(staying=[2]) == [Pedal(down=False)]


def test_notes_are_told_in_seconds() -> None:
    layer = Layer(1, 0, (LoopNote(500 * MS, 750 * MS, 60, 70), LoopNote(0, 250 * MS, 72, 80)), ())
    notes = loop_notes([layer])
    assert notes["pitch"].tolist() == [72, 60]
    np.testing.assert_allclose(notes["onset_s"], [0.0, 0.5])
    np.testing.assert_allclose(notes["duration_s"], [0.25, 0.25])
