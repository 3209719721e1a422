"""The laws of the outbox: whatever is planned, killed and released in whatever order, no note is left sounding."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.events import Event, NoteOff, NoteOn, Pedal
from realtime.outbox import Outbox, OutboxSettings, Outgoing, Release
from tests.realtime.wire import Listener

PITCHES = st.integers(60, 63)  # few, so that they meet
STEPS = st.integers(0, 20)
BACK = st.none() | st.integers(-5, 5)
FOREVER = OutboxSettings(longest_note_ns=10**12, drop_later_than_ns=None)


class Stage:
    """An outbox, the listener at the far end, the time, and what the player holds."""

    def __init__(self, settings: OutboxSettings = FOREVER) -> None:
        self.outbox = Outbox(settings)
        self.listener = Listener()
        self.now_ns = 0
        self.epoch = 0
        self.cuts_ns: dict[int, int] = {}
        """By epoch, the last moment for which older epochs could still plan something to begin."""
        self.gone_out: list[tuple[int, bytes]] = []
        self.player: set[tuple[int, int]] = set()

    def hear(self, messages: list[bytes]) -> None:
        for data in messages:
            self.listener.hear(data)

    def advance(self, step_ns: int) -> list[Outgoing]:
        self.now_ns += step_ns
        outgoing = self.outbox.pop_due(self.now_ns)
        dues_ns = [each.due_ns for each in outgoing]
        assert dues_ns == sorted(dues_ns)
        assert all(due_ns <= self.now_ns for due_ns in dues_ns)
        self.hear([each.data for each in outgoing])
        self.gone_out += [(each.due_ns, each.data) for each in outgoing]
        return outgoing

    def check(self) -> None:
        """Hold the books of the outbox against what the listener heard, and against the player's hands."""
        sounding = self.outbox.sounding
        assert set(self.listener.sounding) == set(sounding.thru) | {(0, pitch) for pitch in sounding.own}
        assert set(sounding.thru) == self.player
        assert not sounding.own_pedal or self.listener.pedal[0] >= 64


Action = Callable[[Stage], None]


def plan_note(delay_ns: int, length_ns: int, pitch: int, age: int) -> Action:
    def act(stage: Stage) -> None:
        epoch = max(stage.epoch - age, 0)
        stage.outbox.schedule(stage.now_ns + delay_ns, NoteOn(pitch, epoch + 1), epoch)
        stage.outbox.schedule(stage.now_ns + delay_ns + length_ns, NoteOff(pitch), epoch)

    return act


def plan_pedal(delay_ns: int, length_ns: int) -> Action:
    def act(stage: Stage) -> None:
        stage.outbox.schedule(stage.now_ns + delay_ns, Pedal(down=True), stage.epoch)
        stage.outbox.schedule(stage.now_ns + delay_ns + length_ns, Pedal(down=False), stage.epoch)

    return act


def plan_anything(delay_ns: int, event: Event, age: int) -> Action:
    return lambda stage: stage.outbox.schedule(stage.now_ns + delay_ns - 10, event, max(stage.epoch - age, 0))


def send_now(event: Event) -> Action:
    return lambda stage: stage.hear(stage.outbox.send_now(event, stage.now_ns))


def advance(step_ns: int) -> Action:
    def act(stage: Stage) -> None:
        stage.advance(step_ns)

    return act


def invalidate(release: Release, back_ns: int | None) -> Action:
    def act(stage: Stage) -> None:
        stage.epoch += 1
        after_ns = None if back_ns is None else stage.now_ns - back_ns
        stage.hear(stage.outbox.invalidate(stage.epoch, stage.now_ns, release, after_ns))
        stage.cuts_ns[stage.epoch] = -1 if release is Release.AT_ONCE else stage.now_ns - (back_ns or 0)

    return act


def release_own(delay_ns: int | None) -> Action:
    def act(stage: Stage) -> None:
        if delay_ns is None:
            stage.hear(stage.outbox.release_own())
            assert not stage.outbox.sounding.own
            assert not stage.outbox.sounding.own_pedal
        else:
            stage.outbox.schedule_release(stage.now_ns + delay_ns)

    return act


def player(status: int, pitch: int, value: int) -> Action:
    def act(stage: Stage) -> None:
        data = bytes((status, pitch, value))
        stage.hear(stage.outbox.through(data))
        note = (status & 15, pitch)
        if status & 0xF0 == 0x90 and value:
            stage.player.add(note)
        elif status & 0xF0 in (0x80, 0x90):
            stage.player.discard(note)
        elif pitch in (120, 123):
            stage.player = {held for held in stage.player if held[0] != note[0]}

    return act


def silence(kind: str) -> Action:
    def act(stage: Stage) -> None:
        methods = {"panic": stage.outbox.panic, "finish": stage.outbox.finish, "afresh": stage.outbox.start_afresh}
        stage.hear(methods[kind]())
        stage.player.clear()
        assert stage.listener.is_silent()

    return act


WELL_FORMED = [
    st.builds(plan_note, STEPS, STEPS, PITCHES, st.integers(0, 2)),
    st.builds(plan_pedal, STEPS, STEPS),
    st.builds(advance, STEPS),
    st.builds(invalidate, st.sampled_from([Release.AT_ONCE, Release.AT_TIME]), BACK),
    st.builds(release_own, st.none() | STEPS),
]
PLAYER = [
    st.builds(player, st.sampled_from([0x80, 0x90, 0x91, 0x81]), PITCHES, st.integers(0, 127)),
    st.builds(player, st.sampled_from([0xB0, 0xB1]), st.sampled_from([64, 120, 121, 123]), st.integers(0, 127)),
]
EVENTS = st.one_of(
    st.builds(NoteOn, PITCHES, st.integers(1, 127)), st.builds(NoteOff, PITCHES), st.builds(Pedal, st.booleans())
)
ANYTHING = [
    st.builds(invalidate, st.just(Release.BY_NEW_EPOCH), BACK),  # leaves notes to whoever plays on
    st.builds(plan_anything, STEPS, EVENTS, st.integers(0, 3)),
    st.builds(send_now, EVENTS),
    st.builds(silence, st.sampled_from(["panic", "finish", "afresh"])),
]


@given(st.lists(st.one_of(*WELL_FORMED, *PLAYER, *ANYTHING), max_size=60))
def test_what_is_held_is_what_is_heard_and_the_end_is_silent(actions: list[Action]) -> None:
    stage = Stage()
    for act in actions:
        act(stage)
        stage.check()
    silence("finish")(stage)
    assert stage.outbox.pending == 0
    assert stage.advance(1000) == []


@given(st.lists(st.one_of(*WELL_FORMED), max_size=60))
def test_every_note_ends_by_itself_whatever_is_invalidated(actions: list[Action]) -> None:
    stage = Stage()
    for act in actions:
        act(stage)
    stage.advance(1000)
    assert stage.listener.is_silent()
    assert stage.outbox.pending == 0


@given(st.lists(st.one_of(*WELL_FORMED, *PLAYER), max_size=60))
def test_the_players_notes_outlast_ours(actions: list[Action]) -> None:
    stage = Stage()
    for act in actions:
        act(stage)
        stage.check()
    stage.advance(1000)
    assert set(stage.listener.sounding) == stage.player


@given(st.lists(st.one_of(*WELL_FORMED, *PLAYER, *ANYTHING), max_size=60))
def test_the_longest_duration_ends_what_nothing_else_does(actions: list[Action]) -> None:
    stage = Stage(OutboxSettings(longest_note_ns=50, drop_later_than_ns=None))
    for act in actions:
        act(stage)
        stage.check()
    stage.advance(1000)
    assert stage.outbox.sounding.own == ()
    assert not stage.outbox.sounding.own_pedal
    assert stage.outbox.next_due_ns() is None


@given(st.lists(st.one_of(*WELL_FORMED), max_size=60))
def test_nothing_of_an_old_epoch_begins_after_the_cut(actions: list[Action]) -> None:
    stage = Stage()
    for act in (*actions, advance(1000)):
        act(stage)
        for due_ns, data in stage.gone_out:
            if data[0] == 0x90:
                epoch = data[2] - 1  # as `plan_note` wrote it
                assert all(due_ns <= cut_ns for later, cut_ns in stage.cuts_ns.items() if later > epoch)
        stage.gone_out.clear()


def heard(outgoing: list[Outgoing]) -> list[tuple[int, str]]:
    return [(each.due_ns, each.data.hex(" ")) for each in outgoing]


def test_an_invalidated_note_still_gets_its_own_note_off() -> None:
    outbox = Outbox()
    for at_ns, event in ((0, NoteOn(60, 80)), (50, NoteOff(60)), (20, NoteOn(62, 80)), (40, NoteOff(62))):
        outbox.schedule(at_ns, event, 0)
    assert heard(outbox.pop_due(10)) == [(0, "90 3c 50")]
    assert outbox.invalidate(1, 10, Release.AT_TIME) == []
    assert heard(outbox.pop_due(100)) == [(50, "80 3c 40")]
    assert outbox.counts.stale == 2


def test_a_note_off_of_the_new_epoch_takes_the_place_of_the_old() -> None:
    outbox = Outbox()
    outbox.schedule(0, NoteOn(60, 80), 0)
    outbox.schedule(50, NoteOff(60), 0)
    outbox.pop_due(10)
    outbox.invalidate(1, 10, Release.AT_TIME)
    outbox.schedule(70, NoteOff(60), 1)
    assert heard(outbox.pop_due(100)) == [(70, "80 3c 40")]


def test_an_old_note_off_leaves_a_new_note_alone() -> None:
    outbox = Outbox()
    outbox.schedule(0, NoteOn(60, 80), 0)
    outbox.schedule(50, NoteOff(60), 0)
    outbox.pop_due(10)
    outbox.invalidate(1, 10, Release.AT_TIME)
    outbox.schedule(40, NoteOn(60, 90), 1)
    outbox.schedule(80, NoteOff(60), 1)
    assert heard(outbox.pop_due(100)) == [(40, "80 3c 40"), (40, "90 3c 5a"), (80, "80 3c 40")]


def test_a_later_new_note_does_not_put_off_the_old_note_off() -> None:
    outbox = Outbox()
    outbox.schedule(0, NoteOn(60, 80), 0)
    outbox.schedule(50, NoteOff(60), 0)
    outbox.pop_due(10)
    outbox.invalidate(1, 10, Release.AT_TIME)
    outbox.schedule(70, NoteOn(60, 90), 1)
    outbox.schedule(90, NoteOff(60), 1)
    assert heard(outbox.pop_due(100)) == [(50, "80 3c 40"), (70, "90 3c 5a"), (90, "80 3c 40")]


def test_an_invalidated_pedal_comes_up_when_it_was_to_and_not_down_again() -> None:
    outbox = Outbox()
    for at_ns, down in ((0, True), (30, False), (40, True), (60, False)):
        outbox.schedule(at_ns, Pedal(down=down), 0)
    outbox.pop_due(10)
    outbox.invalidate(1, 10, Release.AT_TIME)
    assert heard(outbox.pop_due(100)) == [(30, "b0 40 00")]
    assert outbox.counts.stale == 2


def test_release_at_once_ends_what_sounds_and_kills_the_rest() -> None:
    outbox = Outbox()
    for at_ns, event in ((0, NoteOn(60, 80)), (0, Pedal(down=True)), (50, NoteOff(60)), (5, NoteOn(62, 80))):
        outbox.schedule(at_ns, event, 0)
    outbox.pop_due(0)
    messages = outbox.invalidate(1, 10, Release.AT_ONCE)
    assert [data.hex(" ") for data in messages] == ["80 3c 40", "b0 40 00"]
    assert outbox.next_due_ns() is None


def test_what_was_due_before_the_key_still_counts_and_what_came_after_it_does_not() -> None:
    outbox = Outbox()
    for at_ns, event in ((7, NoteOn(60, 80)), (9, NoteOn(62, 80)), (30, NoteOff(60)), (40, NoteOff(62))):
        outbox.schedule(at_ns, event, 0)
    outbox.schedule(12, NoteOn(64, 80), 0)
    outbox.schedule(45, NoteOff(64), 0)
    assert heard(outbox.pop_due(9)) == [(7, "90 3c 50"), (9, "90 3e 50")]
    messages = outbox.invalidate(1, 13, Release.AT_TIME, after_ns=8)  # the key came at 8
    assert [data.hex(" ") for data in messages] == ["80 3e 40"]
    assert heard(outbox.pop_due(100)) == [(30, "80 3c 40")]


def test_a_stale_event_is_refused_but_for_releases() -> None:
    outbox = Outbox()
    outbox.schedule(0, NoteOn(60, 80), 0)
    outbox.pop_due(0)
    outbox.invalidate(1, 0, Release.AT_TIME)
    outbox.schedule(5, NoteOn(62, 80), 0)
    outbox.schedule(6, NoteOff(60), 0)
    assert heard(outbox.pop_due(10)) == [(6, "80 3c 40")]


def test_a_note_that_is_far_too_late_does_not_begin_but_its_end_is_kept() -> None:
    outbox = Outbox(OutboxSettings(drop_later_than_ns=100))
    outbox.schedule(0, NoteOn(60, 80), 0)
    outbox.pop_due(0)
    for at_ns, event in ((10, NoteOff(60)), (20, NoteOn(62, 80)), (30, NoteOff(62)), (450, NoteOn(64, 80))):
        outbox.schedule(at_ns, event, 0)
    assert heard(outbox.pop_due(500)) == [(10, "80 3c 40"), (450, "90 40 50")]
    assert outbox.counts.too_late == 1


def test_the_player_and_we_hold_the_same_key() -> None:
    outbox = Outbox()
    assert outbox.through(bytes.fromhex("90 3c 64")) == [bytes.fromhex("90 3c 64")]
    assert outbox.send_now(NoteOn(60, 80), 0) == [bytes.fromhex("80 3c 40"), bytes.fromhex("90 3c 50")]
    assert outbox.release_own() == []
    assert outbox.through(bytes.fromhex("80 3c 11")) == [bytes.fromhex("80 3c 11")]
    outbox.send_now(NoteOn(60, 80), 0)
    assert outbox.through(bytes.fromhex("90 3c 64"))[-1] == bytes.fromhex("90 3c 64")
    assert outbox.through(bytes.fromhex("90 3c 00")) == []
    assert outbox.send_now(NoteOff(60), 0) == [bytes.fromhex("80 3c 40")]


def test_the_players_half_pedal_returns_when_ours_comes_up() -> None:
    outbox = Outbox()
    assert outbox.through(bytes.fromhex("b0 40 46")) == [bytes.fromhex("b0 40 46")]
    assert outbox.send_now(Pedal(down=True), 0) == [bytes.fromhex("b0 40 7f")]
    assert outbox.through(bytes.fromhex("b0 40 50")) == []
    assert outbox.release_own() == [bytes.fromhex("b0 40 50")]


@pytest.mark.parametrize("hexdump", ["f8", "fe", "ff", "3c 40", "90 3c"])
def test_what_means_nothing_is_not_passed_on(hexdump: str) -> None:
    assert Outbox().through(bytes.fromhex(hexdump)) == []


@pytest.mark.parametrize(
    "hexdump", ["e3 00 40", "b0 06 11", "b0 26 11", "c0 05", "f0 7e 7f 09 01 f7", "80 3c 40", "90 7f 40"]
)
def test_what_is_no_event_of_the_piano_is_passed_on(hexdump: str) -> None:
    assert Outbox().through(bytes.fromhex(hexdump)) == [bytes.fromhex(hexdump)]


def test_a_velocity_prefix_goes_right_before_its_note_whatever_is_played_between() -> None:
    outbox = Outbox()
    assert outbox.through(bytes.fromhex("b0 58 11")) == []
    assert outbox.send_now(NoteOn(64, 80), 0) == [bytes.fromhex("90 40 50")]
    assert outbox.through(bytes.fromhex("90 3c 40")) == [bytes.fromhex("b0 58 11"), bytes.fromhex("90 3c 40")]
    assert outbox.through(bytes.fromhex("80 3c 40")) == [bytes.fromhex("80 3c 40")]


def test_a_velocity_that_is_replaced_loses_its_prefix() -> None:
    outbox = Outbox()
    outbox.through(bytes.fromhex("b0 58 11"))
    assert outbox.hold(bytes.fromhex("90 3c 40"), 5, 10) == []
    assert outbox.answer(60, 99, 5) == [bytes.fromhex("90 3c 63")]


def test_all_notes_off_leaves_the_pedals_where_they_are() -> None:
    outbox = Outbox()
    outbox.through(bytes.fromhex("b0 40 7f"))
    outbox.through(bytes.fromhex("90 3c 40"))
    assert outbox.through(bytes.fromhex("b0 7b 00")) == [bytes.fromhex("80 3c 40"), bytes.fromhex("b0 7b 00")]
    outbox.send_now(Pedal(down=True), 0)
    assert outbox.send_now(Pedal(down=False), 0) == [], "the player's foot is still down"


def test_a_sysex_that_no_server_carries_is_left_out_and_counted() -> None:
    outbox = Outbox()
    assert outbox.through(b"\xf0" + bytes(1_000_000) + b"\xf7") == []
    assert outbox.left_out == 1


def test_a_panic_reaches_every_channel_that_was_used() -> None:
    outbox = Outbox(OutboxSettings(channel=2))
    outbox.through(bytes.fromhex("95 3c 64"))
    outbox.schedule(100, NoteOn(60, 80), 0)
    assert [data.hex(" ") for data in outbox.panic()] == [
        "85 3c 40",
        *("b2 40 00", "b2 42 00", "b2 7b 00", "b2 78 00"),
        *("b5 40 00", "b5 42 00", "b5 7b 00", "b5 78 00"),
    ]
    assert outbox.next_due_ns() is None


def test_a_port_that_is_back_hears_note_offs_for_all_that_was_ever_struck() -> None:
    outbox = Outbox()
    for pitch in (60, 62):
        outbox.send_now(NoteOn(pitch, 80), 0)
    outbox.send_now(NoteOff(60), 0)
    messages = [data.hex(" ") for data in outbox.start_afresh()]
    assert messages[:2] == ["80 3c 40", "80 3e 40"]
    again = [data.hex(" ") for data in outbox.start_afresh()]
    assert again[:2] == messages[:2], "nobody knows whether these arrived"


@pytest.mark.parametrize(
    ("settings", "fault"),
    [({"longest_note_ns": 0}, "above 0"), ({"drop_later_than_ns": -1}, "at least 0"), ({"channel": 16}, "0 to 15")],
)
def test_impossible_settings_are_refused(settings: dict[str, int], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Outbox(OutboxSettings(**settings))
