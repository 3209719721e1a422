"""A whole partner on the manual clock, everything that can befall it, and a listener who knows what ought to sound.

Used by the state machine of Hypothesis and by the long fuzz; each action is one event. The laws, held after every one:

- what sounds at the far end is what the output's books say, so that all of it will be released;
- a performer that failed leaves nothing behind, a keyboard that is gone no key, a flood none in the model's ear;
- a note that sounds is not struck again (the listener holds that);
- no queue is longer than its limit.

And at a rest, after the player has lifted hands and feet and told it to stop, nothing sounds at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from inference.rolling_context import RollingContext
from realtime.engine.commands import ChangePlaying, Command, HandOver, NewPiece, Panic, Retry, StopPlaying
from realtime.engine.fault_backoff import FaultBackoff
from realtime.engine.from_settings import engine_settings, play_settings_of, scheduler_settings, thru_of
from realtime.engine.messages import EngineListener, PortReport
from realtime.engine.partner import MOST_WAITING, Partner, PartnerSettings
from realtime.midi import port_events
from realtime.midi.input_thread import Thru
from realtime.midi.message import MessageKind, kind_of, split
from realtime.midi.ports import Direction
from realtime.performers.play_settings import Mode
from realtime.settings import Settings
from realtime.threads.clock import ManualClock
from realtime.threads.restart_limit import RestartLimit
from tests.realtime.state_machine.faulty import FaultyPort, FaultySession, Switch, VirtualPort
from tests.support.listener import Listener
from tests.support.scripted_play import MS, S

COMMANDS: tuple[Command, ...] = (HandOver(), StopPlaying(), NewPiece(), Retry(), Panic())
SETTINGS = Settings(panel=False, seed=1, shortest_pause_s=0.2, longest_pause_s=0.4, alone_after_s=0.5)

PATIENCE = 20
"""Looks, 50 ms apart, until the model plays, and until it fails."""

PITCHES = (0, 20, 21, 36, 60, 60, 60, 62, 64, 67, 108, 109, 127)
STRANGE = (
    *map(
        bytes.fromhex,
        ("f8", "fe", "ff", "3c40", "90", "903c", "b05811", "b00640", "b02601", "e00040", "d055", "a03c20", "c005",
         "c105", "f001f7", "f0", "f3", "f321", "b04020", "b04060", "b0427f", "b04200", "b07900", "b07b00", "b07800",
         "b57b00", "b57900", "b07c00", "993c40", "893c40"),
    ),
    b"\xf0" + bytes(20_000) + b"\xf7",
)  # fmt: skip
"""What keyboards send that is no plain note: each has a defined way."""


@dataclass
class Counts:
    """What happened in all."""

    events: int = 0
    struck: int = 0
    model_faults: int = 0
    faults_in_the_midst: int = 0
    """How often the model failed while notes of its own sounded."""
    port_faults: int = 0
    thread_faults: int = 0
    guardian_deaths: int = 0
    """How often the guardian of virtual ports died and released nothing."""
    gone_players: int = 0
    gone_listeners: int = 0
    standstills: int = 0
    refused: int = 0
    settled: int = 0


class Chaos(EngineListener):
    """The partner and what befalls it."""

    def __init__(self, counts: Counts | None = None, *, is_virtual: bool = False) -> None:
        """Begin; `is_virtual`: on a port of our own, to which others connect."""
        self.counts = counts or Counts()
        self._is_virtual = is_virtual
        self.clock = ManualClock()
        self._switch = Switch(self.clock)
        self._switch.on_failing = self._count_failing
        self._settings = SETTINGS
        parts = PartnerSettings(play_settings_of(SETTINGS, 1), engine_settings(SETTINGS), scheduler_settings(SETTINGS))
        session = RollingContext(FaultySession(self._switch), FaultySession(self._switch))
        self._listener = Listener()
        self._port: FaultyPort | None = self._new_port()
        self._has_missed = False
        """Whether a key may have been struck that nobody heard."""
        self.connect()
        self._partner = Partner(session, self.clock, self._port, parts, listener=self)
        self._scheduler = self._partner.scheduler
        self.clock.attach(self._scheduler)
        self._thru: Thru | None = None
        self._is_left_down = False
        self.exchange(Mode.ANSWER, thru=True)

    # What befalls it

    def play(self, data: bytes) -> None:
        """Let a message arrive, at this moment."""
        for message in split(data):
            if kind_of(message) in (MessageKind.REAL_TIME, MessageKind.MALFORMED):
                continue  # so the input thread has it
            if self._thru is not None:
                self._thru(message)
            self._partner.receive(port_events.Received(self.clock.now_ns(), message))
        self._done()

    def flood(self, messages: Sequence[bytes]) -> None:
        """Let many messages arrive before the engine gets its turn; that hands are lifted at the end is heard."""
        for data in messages:
            self.play(data)
        self._lift()
        self._run_until(self.clock.now_ns())
        assert not self._partner.engine._reader.release(), "a key was left down in the model's ear"

    def wait(self, ns: int) -> None:
        """Let time pass."""
        self._run_until(self.clock.now_ns() + ns)
        self._done()

    def tell(self, command: Command) -> None:
        """Give a command."""
        self._partner.tell(command)
        self._done()

    def exchange(self, mode: Mode, *, thru: bool) -> None:
        """Go on in another mode, with or without the player's notes passed on."""
        self._settings = self._settings.model_copy(update={"mode": str(mode), "thru": thru})
        self._partner.inbox.put(ChangePlaying(play_settings_of(self._settings, 1)))
        self._thru = thru_of(self._settings, self._scheduler, self.clock) or self._scheduler.let_end
        self._done()

    def break_model(self, fault: str) -> None:
        """Let the next call of the model fail: raise, nan or slow."""
        self._switch.fault = fault
        self.counts.model_faults += 1
        self._done()

    def break_model_in_the_midst(self, fault: str) -> None:
        """Let the model rest, if it failed before, have it play, and let it fail while its own notes sound."""
        performer = self._partner.engine._performer
        if isinstance(performer, FaultBackoff):
            self._run_until(max(performer.due_ns() or 0, self.clock.now_ns()) + 1)
        self._partner.inbox.put(HandOver())
        for _ in range(PATIENCE):
            self._run_until(self.clock.now_ns() + 50 * MS)
            if self._scheduler.status().sounding.own:
                self.break_model(fault)
                break
        for _ in range(PATIENCE):
            self.check()
            if self._switch.fault is None:
                break
            self._run_until(self.clock.now_ns() + 50 * MS)
        self._done()

    def break_output(self) -> None:
        """Let the output port refuse what is sent next."""
        if self._port is not None:
            self._port.refuses = True
            self.counts.port_faults += 1
        self._done()

    def lose(self, *, system: bool) -> None:
        """Let the whole MIDI system go, or the player's keyboard."""
        lost = (
            port_events.SystemLost("memory", "killed")
            if system
            else port_events.PortLost(Direction.INPUT, "keys", "unplugged")
        )
        self._partner.receive(lost)
        self._is_left_down = self._holds_keys
        self.counts.port_faults += 1
        self._done()

    def connect(self) -> None:
        """Let the listener be connected to our own port; where its guardian has died, to that of the next."""
        if isinstance(self._port, VirtualPort) and self._port.guarded._is_over:
            self._run_until(self.clock.now_ns())
        if isinstance(self._port, VirtualPort):
            self._port.connect(is_connected=True)

    def kill_guardian(self) -> None:
        """Let the guardian die, and all ports and connections with it: nobody sends a release."""
        if isinstance(self._port, VirtualPort):
            self._port.guarded._is_over = True
            self._port.is_connected = False
            self._has_missed = True
            self._partner.receive(port_events.SystemLost("memory", "its guardian has died"))
            self.counts.guardian_deaths += 1
        self._done()

    def lose_player(self) -> None:
        """Let what plays into our port go: unplugged, or its active sensing ended."""
        self._partner.receive(port_events.PlayerGone("keys", "it is no longer connected"))
        self._is_left_down = self._holds_keys
        self.counts.gone_players += 1
        self._done()

    def lose_listener(self) -> None:
        """Let the listener of our own port go; it is told nothing any more until it is connected again."""
        if isinstance(self._port, VirtualPort):
            self._port.connect(is_connected=False)
            self._has_missed = True
            self._partner.receive(port_events.ListenersGone(("sound",)))
            self.counts.gone_listeners += 1
        self._done()

    def return_output(self) -> None:
        """Let the output be there again."""
        self._partner.inbox.put(port_events.PortReturned(Direction.OUTPUT, "sound"))
        self._done()

    def fail_thread(self, direction: Direction) -> None:
        """Let the thread at one end of the path fail; it begins again."""
        if direction is Direction.OUTPUT:
            self._scheduler._chances = RestartLimit()  # how often it may, unit tests hold
            self._scheduler._begin_again(ArithmeticError("on purpose"))
            is_open = self._port is not None and not (self._port.refuses or self._port.is_closed)
            if is_open and self._is_heard:
                assert self._listener.is_silent(), "an output that failed left notes behind"
        else:
            self._partner.receive(port_events.ThreadRevived(direction, "on purpose"))
        self.counts.thread_faults += 1
        self._done()

    def stall(self, s: int = 5) -> None:
        """Let the clock go on while nothing runs: seconds for a program that stands still, hours for a sleeping one."""
        self.clock._now_ns += s * S
        self._partner.receive(port_events.Stalled(s * S))
        self.counts.standstills += 1
        self._done()

    # What must hold

    def check(self) -> None:
        """Hold the laws."""
        assert len(self._partner.inbox) <= MOST_WAITING + 2_100
        if self._port is None or self._port.refuses or self._port.is_closed or not self._is_heard:
            return
        books = self._scheduler.status().sounding
        assert not self._is_left_down, "nobody is left to lift these keys"
        if isinstance(self._partner.engine._performer, FaultBackoff):
            assert not books.own, "a performer that failed left notes behind"
            assert not books.own_pedal
        ought = set(books.thru) | {(0, pitch) for pitch in books.own}
        if self._has_missed:
            assert set(self._listener.sounding) <= ought
            return
        assert set(self._listener.sounding) == ought
        assert not books.own_pedal or self._listener.pedal[0] == 127

    def settle(self) -> None:
        """Mend everything, let the player lift hands and feet and have it stop: then nothing sounds."""
        self._switch.fault = None
        self._run_until(self.clock.now_ns())  # so that a guardian's death is known of, and it is replaced
        if self._port is None or self._port.refuses:
            self.return_output()
        self._run_until(self.clock.now_ns() + 10 * MS)
        self.connect()
        self._lift()
        self._run_until(self.clock.now_ns())
        self.tell(StopPlaying())
        self._run_until(self.clock.now_ns() + 100 * MS)
        self.check()
        assert self._listener.is_silent(), self._listener.sounding
        self._has_missed = False
        self.counts.settled += 1

    def finish(self) -> None:
        """End in the midst of it: then nothing sounds either, unless there was nothing left to send on."""
        had_port = self._port is not None and not self._port.refuses
        self._partner.engine.stop()
        self._run_until(self.clock.now_ns())
        self._scheduler.stop()
        if had_port and self._is_heard and self._port is not None and not self._port.refuses:
            assert self._listener.is_silent(), self._listener.sounding
        self.counts.refused += self._partner.way_in.refused
        self.counts.struck += len(self._listener.struck)

    def _lift(self) -> None:
        """Lift hands and feet."""
        for channel in range(16):
            for pitch in PITCHES:
                self.play(bytes((0x80 | channel, pitch, 64)))
            self.play(bytes((0xB0 | channel, 64, 0)))

    def _count_failing(self) -> None:
        sounding = self._scheduler.status().sounding
        self.counts.faults_in_the_midst += bool(sounding.own or sounding.own_pedal)

    @property
    def _holds_keys(self) -> bool:
        """Whether keys sound on, to be told by `check`: they end before the engine has its turn, which may hang."""
        sounding = self._scheduler.status().sounding
        return bool(sounding.thru or sounding.own)

    @property
    def _is_heard(self) -> bool:
        return not isinstance(self._port, VirtualPort) or self._port.is_connected

    def _new_port(self) -> FaultyPort:
        return (VirtualPort if self._is_virtual else FaultyPort)(self.clock, self._listener)

    def _done(self) -> None:
        self.counts.events += 1

    def _run_until(self, limit_ns: int) -> None:
        while not self._partner.engine.wait(0) and self._partner.engine.survive(limit_ns):
            pass

    def ports_changed(self, report: PortReport) -> None:
        """Do what `Connections` does."""
        match report:
            case port_events.PortLost(Direction.INPUT):
                self._scheduler.release_thru()
            case port_events.PortLost():
                self._port = None
                self._scheduler.set_port(None)
            case port_events.SystemLost():
                self._scheduler.release_thru()
                self._port = None
                self._scheduler.set_port(None)
            case port_events.PortReturned() | port_events.SystemReturned():
                self._port = self._new_port()
                self._has_missed = self._is_virtual
                self._scheduler.set_port(self._port)
