"""A player at a partner whose keys also go on to the output, as live, on a clock that is moved by hand."""

from collections.abc import Iterable

from inference.onnx_session import Session
from realtime.engine.commands import ChangePlaying
from realtime.engine.from_settings import engine_settings, play_settings_of, scheduler_settings, thru_of
from realtime.engine.offline_run import OfflineRun
from realtime.engine.partner import PartnerSettings
from realtime.midi.input_thread import Thru
from realtime.midi.memory_ports import MemoryOutputPort, ScriptedPlayer
from realtime.midi.port_events import Received
from realtime.performers.play_settings import Mode
from realtime.settings import Settings
from realtime.threads.clock import ManualClock
from tests.support.random_players import Act
from tests.support.scripted_play import S
from tests.support.session_models import model_of_chance


class PartnerWithThru:
    """What `LivePlay` is on ports, here on the manual clock."""

    def __init__(self, settings: Settings, session: Session | None = None, clock: ManualClock | None = None) -> None:
        self.settings = settings
        parts = PartnerSettings(play_settings_of(settings, 0), engine_settings(settings), scheduler_settings(settings))
        clock = clock or ManualClock()
        self.port = MemoryOutputPort(clock)
        self.run = OfflineRun(session or model_of_chance(), parts, clock, self.port)
        self._thru: Thru | None = thru_of(settings, self.run.partner.scheduler, self.run.clock)

    def exchange(self, mode: Mode, *, thru: bool = False) -> None:
        """Go on in another mode, as the panel has it."""
        self.settings = self.settings.model_copy(update={"mode": str(mode), "thru": thru})
        scheduler = self.run.partner.scheduler
        self.run.tell(ChangePlaying(play_settings_of(self.settings, 0)))
        self._thru = thru_of(self.settings, scheduler, self.run.clock) or scheduler.let_end

    def deliver(self, data: bytes) -> None:
        """Take a message of the player's, at the moment at which the clock stands."""
        at_ns = self.run.clock.now_ns()
        if self._thru is not None:
            self._thru(data)
        self.run.partner.receive(Received(at_ns, data))

    def play(self, messages: Iterable[tuple[int, bytes]]) -> None:
        """Let the player send messages at their moments."""
        self.run.clock.attach(ScriptedPlayer(messages, self.deliver))

    def perform(self, acts: Iterable[Act | tuple[int, Mode, bool]], tail_ns: int = 2 * S) -> None:
        """Let the player act in order of time, exchanges of the mode among it, and go on for a while."""
        for act in acts:
            at_ns = max(act.at_ns if isinstance(act, Act) else act[0], self.run.clock.now_ns())
            self.run.run_until(at_ns)
            if not isinstance(act, Act):
                self.exchange(act[1], thru=act[2])
            elif act.command is not None:
                self.run.tell(act.command)
            else:
                self.deliver(act.message)
        self.run.run_until(self.run.clock.now_ns() + tail_ns)
