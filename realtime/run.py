"""`pianod`: play live, on the main thread, until a signal, a fault, or the end of the MIDI system."""

import signal
import threading
import webbrowser
from contextlib import ExitStack
from types import FrameType

from loguru import logger

from piano.errors import PortError
from realtime.clock import MonotonicClock
from realtime.engine import Engine
from realtime.history import History
from realtime.live import LivePlay
from realtime.model import open_bundle, open_session
from realtime.panel.browser_system import BrowserSystem
from realtime.panel.controls import Controls, Stage
from realtime.panel.server import PanelServer
from realtime.parts import seed_of
from realtime.ports import MidiSystem
from realtime.rtmidi_ports import open_system
from realtime.settings import Settings

_ENDING_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_LOOK_S = 0.1


def system_of(settings: Settings) -> MidiSystem:
    """Open the MIDI system; where there is none and no port is asked for, the panel is keyboard and sound."""
    try:
        return open_system(settings.api)
    except PortError as error:
        needs_midi = settings.api != "auto" or settings.input or settings.output
        if needs_midi or not settings.panel:
            raise
        logger.debug("{}", error)
        logger.info("there is no MIDI system here: play in the panel, with the mouse or the computer's keys")
        logger.info("to hear it without playing: bin/pianod demo")
        return BrowserSystem()


def run_live(settings: Settings, system: MidiSystem | None = None) -> int:
    """Play until a signal or a fault; return the exit code. PianodError tells a fault."""
    system = system or system_of(settings)
    try:
        session, provider = open_session(open_bundle(settings), settings)
        seed = seed_of(settings)
        history = History() if settings.panel else None
        play = LivePlay(settings, system, session, seed, history)
        with ExitStack() as stack:
            panel = None
            if history is not None:
                stage = Stage(play, history, settings, seed, provider, system.api != BrowserSystem.api)
                panel = PanelServer(settings, Controls(stage, MonotonicClock()))
            stack.enter_context(play)
            logger.info(
                "listening on {!r}, playing on {!r}; seed {}; the model runs on {}",
                play.ports.input.name,
                play.ports.output.name,
                seed,
                provider,
            )
            if panel is not None:
                stack.enter_context(panel)
                logger.info("the panel is at {}", panel.address)
                if settings.open:
                    webbrowser.open(panel.address)
            _wait_for_the_end(play.partner.engine)
        play.check()
    finally:
        system.close()
    return 0


def _wait_for_the_end(engine: Engine) -> None:
    """Wait until the engine ends or a signal asks for it; a second signal is the system's business."""
    asked = threading.Event()

    def ask(number: int, _frame: FrameType | None) -> None:
        logger.debug("ending on {}", signal.Signals(number).name)
        asked.set()
        signal.signal(number, signal.SIG_DFL)

    for name in _ENDING_SIGNALS:
        if hasattr(signal, name) and threading.current_thread() is threading.main_thread():
            signal.signal(getattr(signal, name), ask)
    while not asked.is_set() and not engine.wait(_LOOK_S):
        pass
