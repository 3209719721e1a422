"""LoopbackFilter:

With the output wired to the input nothing of ours is heard as the player's, and the player still is.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.events import NoteOff, NoteOn, TimedEvent
from realtime.engine.commands import Keep
from realtime.engine.from_settings import engine_settings, play_settings_of, scheduler_settings, thru_of
from realtime.engine.partner import Partner, PartnerSettings
from realtime.midi.input_thread import MidiInput
from realtime.midi.loopback_filter import LOOP_NS, REMEMBERED, WITHIN_NS, LoopbackFilter
from realtime.midi.memory_ports import MemoryInputPort, MemoryOutputPort, ScriptedPlayer
from realtime.midi.message import bytes_of
from realtime.midi.port_events import Received
from realtime.performers.play_settings import Mode
from realtime.settings import Settings
from realtime.threads.clock import ManualClock
from tests.support.random_players import RUNS
from tests.support.scripted_play import MS, Messages, S, note, phrase, sounding_at, wire
from tests.support.session_models import model_of_chance

KEY, OFF = bytes_of(NoteOn(60, 40)), bytes_of(NoteOff(60))
PEDAL = b"\xb0\x40\x7f"


class LoopedPort(MemoryOutputPort):
    """An output whose messages come back after a while."""

    def __init__(self, clock: ManualClock, delay_ns: int) -> None:
        super().__init__(clock, "loop")
        self._clock, self._delay_ns = clock, delay_ns
        self.input = MemoryInputPort()
        self._coming: list[tuple[int, bytes]] = []
        self.midi_input: MidiInput | None = None

    def send(self, data: bytes) -> None:
        super().send(data)
        assert len(self.sent) < 2000, "it goes round and round"
        self._coming.append((self._clock.now_ns() + self._delay_ns, data))

    def next_due_ns(self) -> int | None:
        return self._coming[0][0] if self._coming else None

    def run_due(self, now_ns: int) -> None:
        while self._coming and self._coming[0][0] <= now_ns:
            self.arrive(self._coming.pop(0)[1])

    def arrive(self, data: bytes) -> None:
        self.input.feed(data)
        if self.midi_input is not None:
            self.midi_input.take_all()


class LoopedDesk:
    """A partner that hears itself, and a player."""

    def __init__(self, settings: Settings, delay_ns: int) -> None:
        self.clock = ManualClock()
        self.port = LoopedPort(self.clock, delay_ns)
        parts = PartnerSettings(play_settings_of(settings, 0), engine_settings(settings), scheduler_settings(settings))
        self.partner = Partner(model_of_chance(), self.clock, self.port, parts)
        self.clock.attach(self.partner.scheduler)
        self.clock.attach(self.port)
        self.port.midi_input = MidiInput(
            self.port.input,
            self.clock,
            self.partner.inbox.put,
            thru=thru_of(settings, self.partner.scheduler, self.clock),
            is_echo=self.partner.echoes.is_echo,
        )

    def play(self, messages: Messages, until_ns: int) -> list[TimedEvent]:
        """Let the player play; return what was heard as the player's."""
        self.clock.attach(ScriptedPlayer(messages, self.port.arrive))
        self.partner.engine.run_until(until_ns)
        return self.partner.take.heard


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("thru", [False, True])
@pytest.mark.parametrize("delay_ms", [1, 40])
def test_with_a_loop_only_the_player_is_heard(mode: Mode, thru: bool, delay_ms: int) -> None:
    messages = [*phrase(1.0), *phrase(5.003)]
    desk = LoopedDesk(Settings(mode=mode.value, thru=thru), delay_ms * MS)
    heard = desk.play(messages, 10 * S)
    assert [(timed.at_ns, bytes_of(timed.event)) for timed in heard] == messages
    assert len(desk.partner.take.sent) >= len(messages)
    desk.partner.engine.stop()
    desk.partner.engine.run_until(desk.clock.now_ns())
    desk.partner.scheduler.stop()
    assert sounding_at(desk.partner.take.sent, desk.clock.now_ns()).is_silent()


def test_a_loop_is_not_layered_with_what_comes_back_of_it() -> None:
    desk = LoopedDesk(Settings(mode="loop"), 20 * MS)
    desk.play(phrase(1.0), 4 * S)
    desk.partner.inbox.put(Keep())
    assert len(desk.play([], 14 * S)) == 12
    loop = desk.partner.engine.status().performer.loop
    assert loop is not None
    assert (loop.course, loop.layers, loop.passes) == ("keep", 1, 5)


def test_what_was_recognised_is_used_up() -> None:
    echoes = LoopbackFilter()
    echoes.send(S, KEY, own=True)
    assert echoes.is_echo(S + MS, KEY)
    assert not echoes.is_echo(S + 2 * MS, KEY)


def test_only_the_same_key_as_loud_and_soon_is_an_echo() -> None:
    echoes = LoopbackFilter()
    for index, other in enumerate((bytes_of(NoteOn(61, 40)), bytes_of(NoteOn(60, 41)))):
        echoes.send(index * S, KEY, own=True)
        assert not echoes.is_echo(index * S + MS, other)
    echoes.send(5 * S, KEY, own=True)
    assert not echoes.is_echo(5 * S + WITHIN_NS + 1, KEY)


def test_a_key_of_ours_may_come_back_on_another_channel_one_passed_on_may_not() -> None:
    echoes, elsewhere = LoopbackFilter(), bytes_of(NoteOn(60, 40), 5)
    echoes.send(S, KEY, own=False)
    assert not echoes.is_echo(S, elsewhere), "a keyboard that sends each key on two channels"
    echoes.send(S, KEY, own=True)
    assert echoes.is_echo(S, elsewhere)
    echoes.send(4 * S, OFF, own=True)
    assert echoes.is_echo(4 * S, b"\x95\x3c\x00")


def test_a_release_is_an_echo_if_its_key_was() -> None:
    echoes = LoopbackFilter()
    echoes.send(S, KEY, own=True)
    echoes.send(2 * S, OFF, own=True)
    assert not echoes.is_echo(2 * S, OFF), "the player's: the key did not come back"
    echoes.send(3 * S, KEY, own=True)
    assert echoes.is_echo(3 * S, KEY)
    assert not echoes.is_echo(4 * S, OFF), "the player's: we have not released it yet"
    echoes.send(5 * S, OFF, own=True)
    assert echoes.is_echo(5 * S, OFF)
    assert not echoes.is_echo(5 * S, OFF)


def test_a_pedal_is_an_echo_only_where_there_is_a_loop() -> None:
    echoes = LoopbackFilter()
    echoes.send(S, PEDAL, own=True)
    assert not echoes.is_echo(S, PEDAL)
    echoes.send(2 * S, KEY, own=True)
    echoes.send(2 * S, PEDAL, own=True)
    assert echoes.is_echo(2 * S, KEY)
    assert echoes.is_echo(2 * S, PEDAL)
    assert not echoes.is_echo(2 * S, OFF), "the player's: nothing of the kind went out"
    later_ns = 2 * S + LOOP_NS + 1
    echoes.send(later_ns, PEDAL, own=True)
    assert not echoes.is_echo(later_ns, PEDAL)


def test_no_more_is_remembered_than_can_come_back() -> None:
    echoes = LoopbackFilter()
    for index in range(2 * REMEMBERED):
        echoes.send(S + index, bytes_of(NoteOn(21 + index % 88, 1 + index % 127)), own=True)
    assert len(echoes._sent) == REMEMBERED
    assert not echoes.is_echo(10 * S, KEY)
    assert not echoes._expected


@settings(RUNS, max_examples=50)
@given(st.lists(st.tuples(st.integers(1, 200), st.integers(60, 63), st.integers(1, 3)), max_size=30))
def test_without_a_loop_every_other_key_is_the_players(played: list[tuple[int, int, int]]) -> None:
    echoes, at_ns = LoopbackFilter(), S
    for gap_ms, pitch, velocity in played:
        at_ns += gap_ms * MS
        echoes.send(at_ns, bytes_of(NoteOn(pitch, velocity)), own=True)
        assert not echoes.is_echo(at_ns, bytes_of(NoteOn(pitch, velocity + 64)))
        assert not echoes.is_echo(at_ns, bytes_of(NoteOff(pitch)))


def test_a_real_pedal_message_is_left_alone_without_music() -> None:
    echoes = LoopbackFilter()
    for data in (b"\xf0\x01\xf7", b"\xf8", b""):
        echoes.send(S, data, own=False)
        assert not echoes.is_echo(S, data)


def test_the_input_counts_echoes_and_lets_the_rest_through() -> None:
    clock, port, got = ManualClock(), MemoryInputPort(), list[object]()
    echoes = LoopbackFilter()
    midi_input = MidiInput(port, clock, got.append, is_echo=echoes.is_echo)
    echoes.send(0, KEY, own=True)
    echoes.send(0, OFF, own=True)
    for _, data in wire(note(0.0, 60, velocity=40)):
        port.feed(data)
    port.feed(KEY)
    midi_input.take_all()
    assert got == [Received(0, KEY)]
    status = midi_input.status()
    assert (status.received, status.echoes) == (1, 2)


@pytest.mark.parametrize("every_ms", [30, 50, 60, 80])
def test_a_key_that_is_repeated_fast_is_no_echo_where_there_is_no_loop(every_ms: int) -> None:
    echoes = LoopbackFilter()
    for strike in range(20):
        at_ns = S + strike * every_ms * MS
        assert not echoes.is_echo(at_ns, KEY), strike
        echoes.send(at_ns, KEY, own=False)
        assert not echoes.is_echo(at_ns + every_ms * MS // 2, OFF)
        echoes.send(at_ns + every_ms * MS // 2, OFF, own=False)


def test_where_there_is_a_loop_a_key_repeated_fast_is_heard_once_a_strike() -> None:
    echoes = LoopbackFilter()
    for strike in range(20):
        for data, at_ns in ((KEY, S + strike * 50 * MS), (OFF, S + strike * 50 * MS + 25 * MS)):
            assert not echoes.is_echo(at_ns, data)
            echoes.send(at_ns, data, own=False)
            assert echoes.is_echo(at_ns + 2 * MS, data)
