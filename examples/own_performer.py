"""Write a way of playing of your own: each key that is struck comes back half a second later, an octave higher.

A performer is told what the player does and plans events on its output; see `realtime.performers.performer`. Here it
runs in the engine on a clock that is moved by hand, so that it needs no MIDI and no waiting.

    python -m examples.own_performer
"""

from piano.events import NoteOff, NoteOn, TimedEvent
from realtime.engine.engine import Engine
from realtime.engine.messages import EngineMessage
from realtime.midi.memory_ports import MemoryOutputPort
from realtime.midi.message import bytes_of
from realtime.midi.port_events import Received
from realtime.output.event_queue import Release
from realtime.output.scheduler import Scheduler
from realtime.performers.performer import Activity, Output, PerformerStatus
from realtime.performers.play_settings import Mode, PlaySettings
from realtime.threads.clock import NS_PER_S, ManualClock
from realtime.threads.inbox import Inbox

DELAY_NS = NS_PER_S // 2
OCTAVE = 12
HIGHEST = 108


class OctaveEcho:
    """A performer without a model. All of it runs on the engine's thread."""

    mode = Mode.ANSWER

    def __init__(self, output: Output) -> None:
        self._output = output
        self._epoch = output.begin_epoch()
        self._echoed = 0

    def on_event(self, timed: TimedEvent) -> None:
        """Plan what comes back."""
        event, at_ns = timed.event, timed.at_ns + DELAY_NS
        if isinstance(event, NoteOn | NoteOff) and event.pitch + OCTAVE <= HIGHEST:
            pitch = event.pitch + OCTAVE
            self._echoed += isinstance(event, NoteOn)
            echo = NoteOn(pitch, event.velocity) if isinstance(event, NoteOn) else NoteOff(pitch)
            self._output.schedule(at_ns, echo, self._epoch)

    def stop(self, at_ns: int) -> None:  # noqa: ARG002 - the protocol's
        """Take back what is planned, and release what sounds."""
        self._epoch = self._output.invalidate(release=Release.AT_ONCE)

    def hand_over(self, at_ns: int) -> None: ...
    def retry(self, at_ns: int) -> None: ...
    def change(self, change: PlaySettings, at_ns: int) -> None: ...
    def start_afresh(self) -> None: ...
    def work(self, now_ns: int) -> None: ...

    def due_ns(self) -> int | None:
        """Return None: it works only when a key comes."""
        return None

    def status(self) -> PerformerStatus:
        """Return how it stands."""
        return PerformerStatus(Activity.LISTENING, self._echoed, 0, 0)


def play() -> list[tuple[int, bytes]]:
    """Let a player strike three keys, and return what goes out, with its moments in nanoseconds."""
    clock = ManualClock()
    port = MemoryOutputPort(clock)
    inbox: Inbox[EngineMessage] = Inbox(clock)
    scheduler = Scheduler(clock, port)
    clock.attach(scheduler)
    engine = Engine(clock, inbox, OctaveEcho(scheduler), scheduler)
    for number, pitch in enumerate((60, 64, 67)):
        at_ns = number * NS_PER_S // 4
        engine.run_until(at_ns)
        inbox.put(Received(at_ns, bytes_of(NoteOn(pitch, 80))))
        engine.run_until(at_ns + NS_PER_S // 10)
        inbox.put(Received(at_ns + NS_PER_S // 10, bytes_of(NoteOff(pitch))))
    engine.run_until(2 * NS_PER_S)
    engine.stop()
    engine.run_until(clock.now_ns())
    scheduler.stop()
    return [(sent.at_ns, sent.data) for sent in port.sent]


def main() -> None:
    """Print what goes out."""
    for at_ns, data in play():
        print(f"{at_ns / NS_PER_S:.3f} s  {data.hex(' ')}")


if __name__ == "__main__":
    main()
