"""`pianod`: play live, on the main thread, until a signal, a fault, or the end of the MIDI system."""

import secrets
import signal
import threading
from types import FrameType

from loguru import logger

from realtime.engine import Engine
from realtime.live import LivePlay
from realtime.model import open_bundle, open_session
from realtime.ports import MidiSystem
from realtime.rtmidi_ports import open_system
from realtime.settings import SamplingSettings, Settings

_ENDING_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_LOOK_S = 0.1


def seed_of(settings: SamplingSettings) -> int:
    """Return the seed that is set, or a fresh one."""
    return secrets.randbits(31) if settings.seed is None else settings.seed


def run_live(settings: Settings, system: MidiSystem | None = None) -> int:
    """Play until a signal or a fault; return the exit code. PianodError tells a fault."""
    system = system or open_system(settings.api)
    try:
        session, provider = open_session(open_bundle(settings), settings)
        seed = seed_of(settings)
        with LivePlay(settings, system, session, seed) as play:
            logger.info(
                "listening on {!r}, playing on {!r}; seed {}; the model runs on {}",
                play.ports.input.name,
                play.ports.output.name,
                seed,
                provider,
            )
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
