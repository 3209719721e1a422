"""Keys that wait for another velocity: each goes out once, before its release, and no answer is taken for another's."""

from hypothesis import given, settings
from hypothesis import strategies as st

from piano.events import NoteOff, NoteOn
from realtime.midi.message import SUSTAIN, MessageKind, bytes_of, control_bytes, kind_of
from realtime.output.event_queue import EventQueue, Release
from realtime.output.pending_keys import PendingKeys
from tests.support.listener import Listener
from tests.support.scripted_play import MS

WAIT_NS = 10 * MS
KEY = bytes_of(NoteOn(60, 40))
OFF = bytes_of(NoteOff(60))


def test_an_answer_lets_a_key_go_once() -> None:
    keys = PendingKeys()
    keys.hold(KEY, 100, 200)
    assert (len(keys), keys.next_due_ns()) == (1, 200)
    assert keys.release_held_key(61, 99, 90) is None
    assert keys.release_held_key(60, 99, 90) == bytes_of(NoteOn(60, 99))
    assert keys.release_held_key(60, 98, 90) is None
    assert (len(keys), keys.next_due_ns(), keys.unanswered) == (0, None, 0)


def test_a_late_answer_is_not_taken_for_the_next_press() -> None:
    keys = PendingKeys()
    keys.hold(KEY, 100, 200)
    assert keys.pop_due(199) == []
    assert keys.pop_due(200) == [KEY]
    keys.hold(KEY, 300, 400)
    assert keys.release_held_key(60, 99, 95) is None
    assert keys.release_held_key(60, 98, 295) == bytes_of(NoteOn(60, 98))
    assert keys.unanswered == 1


def test_an_answer_that_never_comes_does_not_cost_the_next_press_its_own() -> None:
    keys = PendingKeys()
    for moment in range(100, 1000, 100):
        keys.hold(KEY, moment, moment + 50)
        assert keys.pop_due(moment + 50) == [KEY]
    keys.hold(KEY, 1000, 1050)
    assert keys.release_held_key(60, 98, 995) == bytes_of(NoteOn(60, 98))


def test_a_late_answer_after_all_was_forgotten_is_not_taken_either() -> None:
    keys = PendingKeys()
    keys.hold(KEY, 100, 200)
    keys.clear()
    keys.hold(KEY, 300, 400)
    assert keys.release_held_key(60, 99, 100) is None
    assert keys.pop_due(400) == [KEY]


def test_two_channels_wait_apart() -> None:
    keys = PendingKeys()
    first, second = bytes_of(NoteOn(60, 40), 0), bytes_of(NoteOn(60, 50), 3)
    keys.hold(first, 100, 200)
    keys.hold(second, 110, 210)
    assert keys.let_go(bytes_of(NoteOff(60), 5)) == []
    assert keys.release_held_key(60, 90, 99) == bytes_of(NoteOn(60, 90), 0)
    assert keys.release_held_key(60, 91, 109) == bytes_of(NoteOn(60, 91), 3)


def test_a_release_sends_the_key_that_waits_first() -> None:
    queue = EventQueue()
    assert queue.hold(KEY, 0, WAIT_NS) == []
    assert queue.through(OFF) == [KEY, OFF]
    assert queue.release_held_key(60, 99, 0) == []
    assert queue.unanswered == 1


def test_silence_comes_after_the_keys_that_wait() -> None:
    queue = EventQueue()
    queue.hold(KEY, 0, WAIT_NS)
    silence = bytes.fromhex("b07b00")
    assert queue.through(silence) == [KEY, OFF, silence]
    assert queue.next_due_ns() is None


def test_what_was_passed_on_ends_and_nothing_new_begins() -> None:
    queue = EventQueue()
    queue.through(KEY)
    queue.through(control_bytes(SUSTAIN, 100, 0))
    queue.hold(bytes_of(NoteOn(64, 40)), 0, WAIT_NS)
    ends = [
        queue.let_end(bytes_of(NoteOn(67, 70))),
        queue.let_end(bytes_of(NoteOff(67))),
        queue.let_end(b"\xc0\x01"),
    ]
    assert ends == [[], [], []]
    assert queue.let_end(bytes_of(NoteOff(64))) == [bytes_of(NoteOn(64, 40)), bytes_of(NoteOff(64))]
    assert queue.let_end(KEY) == [OFF]
    assert queue.let_end(OFF) == []
    assert queue.let_end(control_bytes(SUSTAIN, 0, 0)) == [control_bytes(SUSTAIN, 0, 0)]
    assert queue.let_end(control_bytes(SUSTAIN, 100, 0)) == []


def test_all_that_the_player_holds_is_released_and_own_notes_stay() -> None:
    queue = EventQueue()
    queue.send_now(NoteOn(60, 70), 0)
    queue.through(KEY)
    queue.through(bytes_of(NoteOn(62, 40)))
    queue.through(control_bytes(SUSTAIN, 127, 0))
    queue.hold(bytes_of(NoteOn(64, 40)), 0, WAIT_NS)
    assert queue.release_thru() == [bytes_of(NoteOff(62)), control_bytes(SUSTAIN, 0, 0)]
    assert queue.sounding.own == (60,)
    assert queue.next_due_ns() is not None  # the own note's longest duration
    assert queue.pop_due(WAIT_NS) == []


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(("press", "release", "answer", "wait", "own", "own off", "silence", "passes", "rest")),
        st.sampled_from((60, 62)),
        st.integers(1, 12),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(_STEPS)
def test_each_key_goes_out_once_in_order_and_ends(steps: list[tuple[str, int, int]]) -> None:
    queue, listener = EventQueue(), Listener()
    now_ns = pressed = 0
    unanswered: list[tuple[int, int]] = []
    for what, pitch, value in steps:
        out: list[bytes] = []
        now_ns += MS // 8
        match what:
            case "press":
                pressed += 1
                unanswered.append((pitch, now_ns))
                out = queue.hold(bytes_of(NoteOn(pitch, value)), now_ns, now_ns + WAIT_NS)
            case "release":
                out = queue.through(bytes_of(NoteOff(pitch)))
            case "answer" if unanswered:
                out = queue.release_held_key(unanswered[0][0], 100, unanswered.pop(0)[1])
            case "wait":
                now_ns += value * MS
                out = [outgoing.data for outgoing in queue.pop_due(now_ns)]
            case "own":
                out = queue.send_now(NoteOn(pitch, 127), now_ns)
            case "own off":
                out = queue.send_now(NoteOff(pitch), now_ns)
            case "silence":
                out = queue.through(bytes.fromhex("b07b00"))
            case "passes":
                out = queue.let_end(bytes_of(NoteOff(pitch)))
            case "rest":
                out = queue.invalidate(now_ns, now_ns, Release.AT_ONCE)
        for data in out:
            listener.hear(data)
    for outgoing in queue.pop_due(now_ns + WAIT_NS):
        listener.hear(outgoing.data)
    assert sum(velocity < 127 for _, _, velocity in listener.struck) == pressed
    for data in queue.finish():
        assert kind_of(data) is not MessageKind.NOTE_ON
        listener.hear(data)
    assert listener.is_silent()
