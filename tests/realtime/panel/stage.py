"""What the panel's tests share: a session that plays on a model of chance, and its controls."""

from realtime.engine.event_rings import EventRings
from realtime.live.live_session import LivePlay
from realtime.midi.browser_ports import BrowserSystem
from realtime.panel.controls import Controls
from realtime.panel.controls import Stage as PanelStage
from realtime.settings import Settings
from realtime.threads.clock import MonotonicClock
from tests.support.session_models import model_of_chance


class Stage:
    """A session without threads: the test gives the engine its turns."""

    def __init__(self, **settings: object) -> None:
        self.settings = Settings.model_validate({"seed": 5, **settings})
        self.history = EventRings()
        self.play = LivePlay(self.settings, BrowserSystem(), model_of_chance(), 5, self.history)
        stage = PanelStage(self.play, self.history, self.settings, 5, "none", has_midi=False)
        self.controls = Controls(stage, MonotonicClock())

    def turns(self) -> None:
        """Let the engine take in all that waits."""
        engine, inbox = self.play.partner.engine, self.play.partner.inbox
        while len(inbox):
            engine.turn(0)
