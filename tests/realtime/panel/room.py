"""A session that runs on cables in memory, with the panel's controls, and waiting until something comes to pass."""

from collections.abc import Callable

from realtime.engine.event_rings import EventRings
from realtime.live.live_session import LivePlay
from realtime.midi.memory_ports import MemoryMidiSystem
from realtime.panel.controls import Controls, Stage
from realtime.settings import Settings
from realtime.threads.clock import MonotonicClock
from tests.support.session_models import model_of_chance

WITHIN = 2_000


class Room:
    """A session on cables of some names."""

    def __init__(self, cables: tuple[str, ...], settings: Settings) -> None:
        self.system, self.settings = MemoryMidiSystem(MonotonicClock(), cables), settings
        history = EventRings()
        self.play = LivePlay(settings, self.system, model_of_chance(), 3, history)
        stage = Stage(self.play, history, settings, 3, "chance", has_midi=True)
        self.controls = Controls(stage, MonotonicClock())

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until a condition is true."""
        for _ in range(WITHIN):
            if condition():
                return
            self.play.partner.engine.wait(0.01)
        raise AssertionError("it did not come to pass")
