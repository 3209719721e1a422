"""Playing over two ports: the partner and the connections, started and stopped as one.

port → input thread → inbox → engine thread (performer, stream, session) → output thread → port
"""

import gc
import threading
from collections.abc import Callable
from types import TracebackType

from loguru import logger

from inference.onnx_session import Session
from inference.swappable_session import SwappableSession
from piano.changes import Chart
from piano.errors import PianodError
from realtime.engine.commands import ChangePlaying
from realtime.engine.event_rings import EventRings
from realtime.engine.from_settings import (
    engine_settings,
    passing_of,
    play_settings_of,
    reference_in,
    scheduler_settings,
    thru_of,
)
from realtime.engine.listening import ChangeListening
from realtime.engine.messages import EngineListener, PortReport
from realtime.engine.partner import Partner, PartnerSettings
from realtime.live.connections import Connections, OpenPorts, open_ports, with_own_names
from realtime.midi.clock_in import MidiClock
from realtime.midi.gone_ports import Gone
from realtime.midi.input_thread import InputStatus
from realtime.midi.port_events import Received
from realtime.midi.ports import MidiSystem, PortListing, Wires
from realtime.output.side_sources import SideSources
from realtime.performers.play_settings import Mode, PlaySettings
from realtime.performers.reference import Reference
from realtime.settings import Settings
from realtime.take.writer_thread import TakeWriter
from realtime.threads.clock import MonotonicClock

LATE_MS = 10.0
"""A note that is later than this is told of: less is not heard."""


class LivePlay(EngineListener):
    """A partner on the ports that the settings name, while the `with` block runs."""

    def __init__(
        self, settings: Settings, system: MidiSystem, session: Session, seed: int, history: EventRings | None = None
    ) -> None:
        """Open the ports and put the parts together; PortError if a port cannot be opened."""
        clock = MonotonicClock()
        settings = with_own_names(system, settings)
        self._settings, self._seed = settings, seed
        self._reference = reference_in(settings)
        self._playing = play_settings_of(settings, seed, self._reference)
        self._changing = threading.Lock()
        self.session = SwappableSession(session)
        self.ports: OpenPorts = open_ports(system, settings)
        self.partner = Partner(
            self.session,
            clock,
            self.ports.output,
            PartnerSettings(
                self._playing,
                engine_settings(settings),
                scheduler_settings(settings),
            ),
            listener=self,
            history=history,
        )
        release = self.partner.scheduler.release_left_over
        self.keeper = None if settings.takes is None else TakeWriter(self.partner.take, settings.takes, release=release)
        self.beats = self.partner.beats
        self.beside = SideSources(settings, clock, self.partner.scheduler, self.beats)
        self.midi_clock = MidiClock(self.beats.follow)
        self._clock = clock
        self._thru = thru_of(settings, self.partner.scheduler, clock)
        self._connections = Connections(
            system,
            settings,
            self.ports,
            clock,
            self.partner.scheduler,
            self._thru,
            self.partner.echoes.is_echo,
            self.midi_clock.hear,
        )

    def __enter__(self) -> "LivePlay":
        """Start to play."""
        gc.collect()
        gc.freeze()  # what is there now stays: no pause of the collector walks over it while playing
        try:
            self.partner.start()
            self.beside.start()
            self._connections.start(self.partner.receive)
            if self.keeper is not None:
                self.keeper.start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, release all that sounds, make the take a MIDI file where the settings ask for it, and sum up."""
        self._stop()
        self._sum_up()

    @property
    def settings(self) -> Settings:
        """Return the settings in force; for any thread."""
        return self._settings

    @property
    def chart(self) -> Chart | None:
        """Return the changes in force; for any thread."""
        return self._playing.chart

    @property
    def seed(self) -> int:
        """Return the seed in force; for any thread."""
        return self._seed

    def change(self, make: Callable[[Settings], Settings]) -> None:
        """Go on as the settings say that are made of those in force; from any thread. What `make` raises is raised.

        Where the player's messages go nowhere any more, what was passed on before still ends.
        """
        with self._changing:
            before, playing = self._settings, self._playing
            after = make(before)
            if after.seed is not None:
                self._seed = after.seed
            self._settings = after
            self._play_as(play_settings_of(after, self._seed, self._reference), playing)
            if (listening := engine_settings(after)) != engine_settings(before):
                self.partner.inbox.put(ChangeListening(listening))
            self.beside.change(after)
            if after.longest_note_s != before.longest_note_s:
                self.partner.scheduler.set_longest_note(scheduler_settings(after).queue.longest_note_ns)
            if passing_of(after) != passing_of(before):
                scheduler = self.partner.scheduler
                self._thru = thru_of(after, scheduler, self._clock) or scheduler.let_end
                self._connections.set_thru(self._thru)

    def play_like(self, reference: Reference | None) -> None:
        """Play like other music from now on, or like none; from any thread."""
        with self._changing:
            self._reference = reference
            self._play_as(play_settings_of(self._settings, self._seed, reference), self._playing)

    def _play_as(self, change: PlaySettings, before: PlaySettings) -> None:
        if change != before:
            self._playing = change
            self.partner.inbox.put(ChangePlaying(change))

    @property
    def like(self) -> str | None:
        """Return the name of what is played like; for any thread."""
        return None if self._reference is None else self._reference.name

    def play(self, data: bytes) -> None:
        """Take a message that the player plays by another way than the input port; from any thread."""
        at_ns = self._clock.now_ns()
        if (thru := self._thru) is not None:
            thru(data)
        self.partner.receive(Received(at_ns, data))

    @property
    def port_names(self) -> tuple[str, str]:
        """Return what is listened to and played on; for any thread."""
        return self._connections.names

    @property
    def input_status(self) -> InputStatus | None:
        """Return what has come in over the input port; for any thread."""
        return self._connections.input_status

    @property
    def listing(self) -> PortListing | None:
        """Return what there is to connect to, as far as it is known; for any thread."""
        return self._connections.listing

    @property
    def wires(self) -> Wires | None:
        """Return who is connected to our ports, as far as it is known; for any thread."""
        return self._connections.wires

    @property
    def gone(self) -> tuple[Gone, ...]:
        """Return what was connected and is not any more; for any thread."""
        return self._connections.gone.all

    @property
    def take_fault(self) -> str | None:
        """Return why the take is not being written to the disk, if it should be; for any thread."""
        return None if self.keeper is None else self.keeper.fault

    def context_fill(self) -> float:
        """Return how full the model's context is, 0 to 1; from any thread."""
        return self.session.fill

    def check(self) -> None:
        """Raise PianodError if a fault has ended the engine."""
        fault = self.partner.engine.status().fault
        if fault is not None:
            raise PianodError(fault)

    def mode_asked(self, mode: Mode) -> None:
        """Exchange the mode, as the player asks for it with a program change."""
        logger.info("the way of playing is now {}", mode)
        self.change(lambda settings: settings.model_copy(update={"mode": mode.value}))

    def _stop(self) -> None:
        self._connections.stop()
        self.beside.stop()
        self.partner.stop()
        if self.keeper is not None:
            self.keeper.stop()
        gc.unfreeze()

    def ports_changed(self, report: PortReport) -> None:
        """Bring the ports in order, on the engine's thread."""
        self._connections.mend(report)

    def _sum_up(self) -> None:
        """Tell the player how it went, and where the take is."""
        status, output = self.partner.engine.status(), self.partner.scheduler.status()
        performing, late = status.performer, output.own_lateness
        heard, played = (track.performance.notes.size for track in self.partner.take.tracks())
        punctual = "nothing was late" if late.max_ms < LATE_MS else f"the latest of them by {late.max_ms:.0f} ms"
        logger.info("heard {}, played {}{}", _notes(heard), _notes(played), f"; {punctual}" if late.count else "")
        logger.debug(
            "heard {} events, gave {} answers, sent {} messages", status.heard, performing.answers, output.sent
        )
        for name, late in (("key to model", status.hearing), ("lateness of notes", output.own_lateness)):
            if late.count:
                logger.debug(
                    "{}: p50 {:.2f} ms, p99 {:.2f} ms, max {:.2f} ms", name, late.p50_ms, late.p99_ms, late.max_ms
                )
        if self.keeper is not None and self.keeper.midi is not None:
            logger.info("the take is in {}", self.keeper.midi)


def _notes(count: int) -> str:
    return "1 note" if count == 1 else f"{count} notes"
