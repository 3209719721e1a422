"""What comes into the engine's inbox, and who is told of what it makes of that."""

from piano.events import TimedEvent
from realtime.engine.commands import ChoosePort, Command
from realtime.engine.listening import ChangeListening
from realtime.midi.port_events import Received, ThreadFailed, ThreadRevived, WatchReport
from realtime.performers.play_settings import Mode

PortReport = WatchReport | ThreadRevived | ChoosePort
EngineMessage = Received | Command | ChangeListening | PortReport | ThreadFailed


class EngineListener:
    """Is told on the engine's thread, and must not take its time."""

    def heard(self, timed: TimedEvent) -> None:
        """Take note of an event of the player's, before the performer does."""

    def ports_changed(self, report: PortReport) -> None:
        """See to ports that went, came back or are to be others; nothing plays at this moment."""

    def mode_asked(self, mode: Mode) -> None:
        """See to another way of playing, which a message asks for."""
