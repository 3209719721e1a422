"""The laws of the event queue: whatever is planned, killed and released in whatever order, no note is left sounding."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from piano.events import Event, NoteOff, NoteOn, Pedal
from realtime.output.event_queue import EventQueue, EventQueueSettings, Outgoing, Release
from tests.support.listener import Listener

PITCHES = st.integers(60, 63)  # few, so that they meet
STEPS = st.integers(0, 20)
BACK = st.none() | st.integers(-5, 5)
FOREVER = EventQueueSettings(longest_note_ns=10**12, drop_later_than_ns=None)


class Stage:
    """An event queue, the listener at the far end, the time, and what the player holds."""

    def __init__(self, settings: EventQueueSettings = FOREVER) -> None:
        self.queue = EventQueue(settings)
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
        outgoing = self.queue.pop_due(self.now_ns)
        dues_ns = [each.due_ns for each in outgoing]
        assert dues_ns == sorted(dues_ns)
        assert all(due_ns <= self.now_ns for due_ns in dues_ns)
        self.hear([each.data for each in outgoing])
        self.gone_out += [(each.due_ns, each.data) for each in outgoing]
        return outgoing

    def check(self) -> None:
        """Hold the books of the event queue against what the listener heard, and against the player's hands."""
        sounding = self.queue.sounding
        assert set(self.listener.sounding) == set(sounding.thru) | {(0, pitch) for pitch in sounding.own}
        assert set(sounding.thru) == self.player
        assert not sounding.own_pedal or self.listener.pedal[0] >= 64


Action = Callable[[Stage], None]


def plan_note(delay_ns: int, length_ns: int, pitch: int, age: int) -> Action:
    def act(stage: Stage) -> None:
        epoch = max(stage.epoch - age, 0)
        stage.queue.schedule(stage.now_ns + delay_ns, NoteOn(pitch, epoch + 1), epoch)
        stage.queue.schedule(stage.now_ns + delay_ns + length_ns, NoteOff(pitch), epoch)

    return act


def plan_pedal(delay_ns: int, length_ns: int) -> Action:
    def act(stage: Stage) -> None:
        stage.queue.schedule(stage.now_ns + delay_ns, Pedal(down=True), stage.epoch)
        stage.queue.schedule(stage.now_ns + delay_ns + length_ns, Pedal(down=False), stage.epoch)

    return act


def plan_anything(delay_ns: int, event: Event, age: int) -> Action:
    return lambda stage: stage.queue.schedule(stage.now_ns + delay_ns - 10, event, max(stage.epoch - age, 0))


def send_now(event: Event) -> Action:
    return lambda stage: stage.hear(stage.queue.send_now(event, stage.now_ns))


def advance(step_ns: int) -> Action:
    def act(stage: Stage) -> None:
        stage.advance(step_ns)

    return act


def invalidate(release: Release, back_ns: int | None) -> Action:
    def act(stage: Stage) -> None:
        stage.epoch += 1
        after_ns = None if back_ns is None else stage.now_ns - back_ns
        stage.hear(stage.queue.invalidate(stage.epoch, stage.now_ns, release, after_ns))
        stage.cuts_ns[stage.epoch] = -1 if release is Release.AT_ONCE else stage.now_ns - (back_ns or 0)

    return act


def release_own(delay_ns: int | None) -> Action:
    def act(stage: Stage) -> None:
        if delay_ns is None:
            stage.hear(stage.queue.release_own())
            assert not stage.queue.sounding.own
            assert not stage.queue.sounding.own_pedal
        else:
            stage.queue.schedule_release(stage.now_ns + delay_ns)

    return act


def player(status: int, pitch: int, value: int) -> Action:
    def act(stage: Stage) -> None:
        data = bytes((status, pitch, value))
        stage.hear(stage.queue.through(data))
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
        methods = {"panic": stage.queue.panic, "finish": stage.queue.finish, "afresh": stage.queue.start_afresh}
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
    assert stage.queue.pending == 0
    assert stage.advance(1000) == []


@given(st.lists(st.one_of(*WELL_FORMED), max_size=60))
def test_every_note_ends_by_itself_whatever_is_invalidated(actions: list[Action]) -> None:
    stage = Stage()
    for act in actions:
        act(stage)
    stage.advance(1000)
    assert stage.listener.is_silent()
    assert stage.queue.pending == 0


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
    stage = Stage(EventQueueSettings(longest_note_ns=50, drop_later_than_ns=None))
    for act in actions:
        act(stage)
        stage.check()
    stage.advance(1000)
    assert stage.queue.sounding.own == ()
    assert not stage.queue.sounding.own_pedal
    assert stage.queue.next_due_ns() is None


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
