"""What the event queue does, case by case: epochs, the player beside us, what is passed on, panic, wrong settings."""

import pytest

from piano.events import NoteOff, NoteOn, Pedal
from realtime.output.event_queue import EventQueue, EventQueueSettings, Outgoing, Release


def heard(outgoing: list[Outgoing]) -> list[tuple[int, str]]:
    return [(each.due_ns, each.data.hex(" ")) for each in outgoing]


def with_a_note_of_an_old_epoch() -> EventQueue:
    """Return a queue with a note that went out at 0, ends at 50, and was invalidated at 10."""
    queue = EventQueue()
    queue.schedule(0, NoteOn(60, 80), 0)
    queue.schedule(50, NoteOff(60), 0)
    queue.pop_due(10)
    queue.invalidate(1, 10, Release.AT_TIME)
    return queue


def test_an_invalidated_note_still_gets_its_own_note_off() -> None:
    queue = EventQueue()
    for at_ns, event in ((0, NoteOn(60, 80)), (50, NoteOff(60)), (20, NoteOn(62, 80)), (40, NoteOff(62))):
        queue.schedule(at_ns, event, 0)
    assert heard(queue.pop_due(10)) == [(0, "90 3c 50")]
    assert queue.invalidate(1, 10, Release.AT_TIME) == []
    assert heard(queue.pop_due(100)) == [(50, "80 3c 40")]
    assert queue.counts.stale == 2


def test_a_note_off_of_the_new_epoch_takes_the_place_of_the_old() -> None:
    queue = with_a_note_of_an_old_epoch()
    queue.schedule(70, NoteOff(60), 1)
    assert heard(queue.pop_due(100)) == [(70, "80 3c 40")]


def test_an_old_note_off_leaves_a_new_note_alone() -> None:
    queue = with_a_note_of_an_old_epoch()
    queue.schedule(40, NoteOn(60, 90), 1)
    queue.schedule(80, NoteOff(60), 1)
    assert heard(queue.pop_due(100)) == [(40, "80 3c 40"), (40, "90 3c 5a"), (80, "80 3c 40")]


def test_a_later_new_note_does_not_put_off_the_old_note_off() -> None:
    queue = with_a_note_of_an_old_epoch()
    queue.schedule(70, NoteOn(60, 90), 1)
    queue.schedule(90, NoteOff(60), 1)
    assert heard(queue.pop_due(100)) == [(50, "80 3c 40"), (70, "90 3c 5a"), (90, "80 3c 40")]


def test_an_invalidated_pedal_comes_up_when_it_was_to_and_not_down_again() -> None:
    queue = EventQueue()
    for at_ns, down in ((0, True), (30, False), (40, True), (60, False)):
        queue.schedule(at_ns, Pedal(down=down), 0)
    queue.pop_due(10)
    queue.invalidate(1, 10, Release.AT_TIME)
    assert heard(queue.pop_due(100)) == [(30, "b0 40 00")]
    assert queue.counts.stale == 2


def test_release_at_once_ends_what_sounds_and_kills_the_rest() -> None:
    queue = EventQueue()
    for at_ns, event in ((0, NoteOn(60, 80)), (0, Pedal(down=True)), (50, NoteOff(60)), (5, NoteOn(62, 80))):
        queue.schedule(at_ns, event, 0)
    queue.pop_due(0)
    messages = queue.invalidate(1, 10, Release.AT_ONCE)
    assert [data.hex(" ") for data in messages] == ["80 3c 40", "b0 40 00"]
    assert queue.next_due_ns() is None


def test_what_was_due_before_the_key_still_counts_and_what_came_after_it_does_not() -> None:
    queue = EventQueue()
    for at_ns, event in ((7, NoteOn(60, 80)), (9, NoteOn(62, 80)), (30, NoteOff(60)), (40, NoteOff(62))):
        queue.schedule(at_ns, event, 0)
    queue.schedule(12, NoteOn(64, 80), 0)
    queue.schedule(45, NoteOff(64), 0)
    assert heard(queue.pop_due(9)) == [(7, "90 3c 50"), (9, "90 3e 50")]
    messages = queue.invalidate(1, 13, Release.AT_TIME, after_ns=8)  # the key came at 8
    assert [data.hex(" ") for data in messages] == ["80 3e 40"]
    assert heard(queue.pop_due(100)) == [(30, "80 3c 40")]


def test_a_stale_event_is_refused_but_for_releases() -> None:
    queue = EventQueue()
    queue.schedule(0, NoteOn(60, 80), 0)
    queue.pop_due(0)
    queue.invalidate(1, 0, Release.AT_TIME)
    queue.schedule(5, NoteOn(62, 80), 0)
    queue.schedule(6, NoteOff(60), 0)
    assert heard(queue.pop_due(10)) == [(6, "80 3c 40")]


def test_a_note_that_is_far_too_late_does_not_begin_but_its_end_is_kept() -> None:
    queue = EventQueue(EventQueueSettings(drop_later_than_ns=100))
    queue.schedule(0, NoteOn(60, 80), 0)
    queue.pop_due(0)
    for at_ns, event in ((10, NoteOff(60)), (20, NoteOn(62, 80)), (30, NoteOff(62)), (450, NoteOn(64, 80))):
        queue.schedule(at_ns, event, 0)
    assert heard(queue.pop_due(500)) == [(10, "80 3c 40"), (450, "90 40 50")]
    assert queue.counts.too_late == 1


def test_the_player_and_we_hold_the_same_key() -> None:
    queue = EventQueue()
    assert queue.through(bytes.fromhex("90 3c 64")) == [bytes.fromhex("90 3c 64")]
    assert queue.send_now(NoteOn(60, 80), 0) == [bytes.fromhex("80 3c 40"), bytes.fromhex("90 3c 50")]
    assert queue.release_own() == []
    assert queue.through(bytes.fromhex("80 3c 11")) == [bytes.fromhex("80 3c 11")]
    queue.send_now(NoteOn(60, 80), 0)
    assert queue.through(bytes.fromhex("90 3c 64"))[-1] == bytes.fromhex("90 3c 64")
    assert queue.through(bytes.fromhex("90 3c 00")) == []
    assert queue.send_now(NoteOff(60), 0) == [bytes.fromhex("80 3c 40")]


def test_the_players_half_pedal_returns_when_ours_comes_up() -> None:
    queue = EventQueue()
    assert queue.through(bytes.fromhex("b0 40 46")) == [bytes.fromhex("b0 40 46")]
    assert queue.send_now(Pedal(down=True), 0) == [bytes.fromhex("b0 40 7f")]
    assert queue.through(bytes.fromhex("b0 40 50")) == []
    assert queue.release_own() == [bytes.fromhex("b0 40 50")]


@pytest.mark.parametrize("hexdump", ["f8", "fe", "ff", "3c 40", "90 3c"])
def test_what_means_nothing_is_not_passed_on(hexdump: str) -> None:
    assert EventQueue().through(bytes.fromhex(hexdump)) == []


@pytest.mark.parametrize(
    "hexdump", ["e3 00 40", "b0 06 11", "b0 26 11", "c0 05", "f0 7e 7f 09 01 f7", "80 3c 40", "90 7f 40"]
)
def test_what_is_no_event_of_the_piano_is_passed_on(hexdump: str) -> None:
    assert EventQueue().through(bytes.fromhex(hexdump)) == [bytes.fromhex(hexdump)]


def test_a_velocity_prefix_goes_right_before_its_note_whatever_is_played_between() -> None:
    queue = EventQueue()
    assert queue.through(bytes.fromhex("b0 58 11")) == []
    assert queue.send_now(NoteOn(64, 80), 0) == [bytes.fromhex("90 40 50")]
    assert queue.through(bytes.fromhex("90 3c 40")) == [bytes.fromhex("b0 58 11"), bytes.fromhex("90 3c 40")]
    assert queue.through(bytes.fromhex("80 3c 40")) == [bytes.fromhex("80 3c 40")]


def test_a_velocity_that_is_replaced_loses_its_prefix() -> None:
    queue = EventQueue()
    queue.through(bytes.fromhex("b0 58 11"))
    assert queue.hold(bytes.fromhex("90 3c 40"), 5, 10) == []
    assert queue.release_held_key(60, 99, 5) == [bytes.fromhex("90 3c 63")]


def test_all_notes_off_leaves_the_pedals_where_they_are() -> None:
    queue = EventQueue()
    queue.through(bytes.fromhex("b0 40 7f"))
    queue.through(bytes.fromhex("90 3c 40"))
    assert queue.through(bytes.fromhex("b0 7b 00")) == [bytes.fromhex("80 3c 40"), bytes.fromhex("b0 7b 00")]
    queue.send_now(Pedal(down=True), 0)
    assert queue.send_now(Pedal(down=False), 0) == [], "the player's foot is still down"


def test_a_sysex_that_no_server_carries_is_left_out_and_counted() -> None:
    queue = EventQueue()
    assert queue.through(b"\xf0" + bytes(1_000_000) + b"\xf7") == []
    assert queue.left_out == 1


def test_a_panic_reaches_every_channel_that_was_used() -> None:
    queue = EventQueue(EventQueueSettings(channel=2))
    queue.through(bytes.fromhex("95 3c 64"))
    queue.schedule(100, NoteOn(60, 80), 0)
    assert [data.hex(" ") for data in queue.panic()] == [
        "85 3c 40",
        *("b2 40 00", "b2 42 00", "b2 7b 00", "b2 78 00"),
        *("b5 40 00", "b5 42 00", "b5 7b 00", "b5 78 00"),
    ]
    assert queue.next_due_ns() is None


def test_a_port_that_is_back_hears_note_offs_for_all_that_was_ever_struck() -> None:
    queue = EventQueue()
    for pitch in (60, 62):
        queue.send_now(NoteOn(pitch, 80), 0)
    queue.send_now(NoteOff(60), 0)
    messages = [data.hex(" ") for data in queue.start_afresh()]
    assert messages[:2] == ["80 3c 40", "80 3e 40"]
    again = [data.hex(" ") for data in queue.start_afresh()]
    assert again[:2] == messages[:2], "nobody knows whether these arrived"


@pytest.mark.parametrize(
    ("settings", "fault"),
    [({"longest_note_ns": 0}, "above 0"), ({"drop_later_than_ns": -1}, "at least 0"), ({"channel": 16}, "0 to 15")],
)
def test_impossible_settings_are_refused(settings: dict[str, int], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        EventQueue(EventQueueSettings(**settings))


def test_what_another_left_down_is_released_but_for_what_is_down_now() -> None:
    queue = EventQueue()
    queue.send_now(NoteOn(60, 80), 0)
    queue.through(bytes.fromhex("913e40"))
    queue.through(bytes.fromhex("b1407f"))
    left = [bytes.fromhex(text) for text in ("803c40", "803e40", "813e40", "b04000", "b14000", "b24200")]
    assert [data.hex() for data in queue.release_left_over(left)] == ["803e40", "b04000", "b24200"]
    queue.send_now(Pedal(down=True), 0)
    assert queue.release_left_over([bytes.fromhex("b04000")]) == []
