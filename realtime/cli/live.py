"""`pianod`: play live, on the main thread, until a signal, a fault, or the end of the MIDI system."""

import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from types import FrameType
from typing import Any

from loguru import logger

from inference.trial import TrialLoad, without_hold
from piano.errors import BundleError, PortError
from realtime.engine.commands import Panic
from realtime.engine.engine import Engine
from realtime.engine.event_rings import EventRings
from realtime.engine.from_settings import seed_of
from realtime.engine.open_model import open_for_live
from realtime.live.live_session import LivePlay
from realtime.midi.browser_ports import BrowserSystem
from realtime.midi.guarded_ports import GuardedSystem
from realtime.midi.guardian_process import CAN_GUARD, GuardianProcess
from realtime.midi.ports import MidiSystem
from realtime.midi.rtmidi_ports import open_system
from realtime.panel.controls import Controls, Stage
from realtime.panel.invitation import WARNING, Invitation
from realtime.panel.server import PanelServer
from realtime.settings import Settings
from realtime.threads.clock import MonotonicClock

_ENDING_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_PANIC_SIGNAL = "SIGUSR1"
_LOOK_S = 0.1


def system_of(settings: Settings, guardian: GuardianProcess | None = None) -> MidiSystem:
    """Open the MIDI system; where there is none and no port is asked for, the panel is keyboard and sound."""
    try:
        is_guarded = settings.guardian and CAN_GUARD
        return GuardedSystem(settings.api, begun=guardian) if is_guarded else open_system(settings.api)
    except PortError as error:
        needs_midi = settings.api != "auto" or settings.input or settings.output
        if needs_midi or not settings.panel:
            raise
        logger.debug("{}", error)
        logger.info("there is no MIDI system here: play in the panel, with the mouse or the computer's keys")
        logger.info("to hear it without playing: bin/pianod demo")
        return BrowserSystem()


def run_live(settings: Settings, system: MidiSystem | None = None, *, guardian: GuardianProcess | None = None) -> int:
    """Play until a signal or a fault, on a system or with a guardian that has begun; return the exit code.

    PianodError tells a fault.
    """
    with SignalHandlers() as wishes:
        return _play(settings, system or system_of(settings, guardian), wishes)


def _play(settings: Settings, system: MidiSystem, wishes: "SignalHandlers") -> int:
    try:
        trial = TrialLoad()
        wishes.give_up = trial.cancel
        try:
            session, provider = open_for_live(settings, trial)
        except BundleError:
            if wishes.are_to_end:
                return 0
            raise
        seed = seed_of(settings)
        history = EventRings() if settings.panel else None
        play = LivePlay(settings, system, session, seed, history)
        with ExitStack() as stack:
            panel = None
            if history is not None:
                stage = Stage(play, history, settings, seed, provider, system.api != BrowserSystem.api)
                panel = PanelServer(settings, Controls(stage, MonotonicClock()))
            stack.enter_context(play)
            logger.info("listening on {!r}, playing on {!r}", play.ports.input.name, play.ports.output.name)
            logger.debug("seed {}; the model runs on {}", seed, provider)
            _tell_how_to_begin(settings, has_midi=system.api != BrowserSystem.api)
            if panel is not None:
                stack.enter_context(panel)
                logger.info("the panel is at {}", panel.address)
                if panel.invitation is not None:
                    _invite(panel.invitation)
                if settings.open:
                    import webbrowser

                    with without_hold():
                        webbrowser.open(panel.address)
            wishes.wait(play.partner.engine, play.partner.tell)
        play.check()
    finally:
        system.close()
    return 0


def _invite(invitation: Invitation) -> None:
    """Show a terminal how a phone opens the panel, and say what that means."""
    logger.warning("{}", WARNING)
    if sys.stderr.isatty():
        print(f"On a phone in the same network:\n{invitation.text()}", file=sys.stderr, flush=True)


def _tell_how_to_begin(settings: Settings, *, has_midi: bool) -> None:
    """Say what there is to do, in a line or two."""
    if has_midi and (settings.input is None or settings.output is None):
        ours = [("your keyboard to", settings.virtual_input)] * (settings.input is None)
        ours += [("what sounds to", settings.virtual_output)] * (settings.output is None)
        wires = ", ".join(f"{what} {name!r}" for what, name in ours)
        logger.info(
            "connect {} (docs/connect.md), or name the ports: --input, --output; `pianod ports` lists them", wires
        )
    if settings.mode == "answer" and settings.trigger == "pause":
        logger.info("play; when you pause, it goes on; Ctrl-C ends")


class SignalHandlers:
    """What signals ask for, from before the first port is open until after the last is closed: the end, or panic.

    A second signal of a kind is the system's business. Outside the main thread nothing is listened to.
    """

    def __init__(self) -> None:
        self._end, self._panic = threading.Event(), threading.Event()
        self._before: dict[int, Any] = {}
        self.give_up: Callable[[], None] = lambda: None
        """What ends that which may take long, as soon as the end is asked for; called in a signal handler."""

    def __enter__(self) -> "SignalHandlers":
        """Listen."""
        if threading.current_thread() is threading.main_thread():
            handlers = {_PANIC_SIGNAL: self._ask_for_panic} | dict.fromkeys(_ENDING_SIGNALS, self._ask_for_the_end)
            for name, handler in handlers.items():
                if hasattr(signal, name):
                    number = getattr(signal, name)
                    self._before[number] = signal.signal(number, handler)
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        for number, handler in self._before.items():
            signal.signal(number, handler or signal.SIG_DFL)

    @property
    def are_to_end(self) -> bool:
        """Say whether the end was asked for."""
        return self._end.is_set()

    def wait(self, engine: Engine, tell: Callable[[Panic], None]) -> None:
        """Wait until the engine ends or the end is asked for, and pass on each panic."""
        while not self._end.is_set() and not engine.wait(_LOOK_S):
            if self._panic.is_set():
                self._panic.clear()
                logger.info("panic: everything is silenced")
                tell(Panic())

    def _ask_for_the_end(self, number: int, _frame: FrameType | None) -> None:
        self._end.set()
        signal.signal(number, signal.SIG_DFL)
        self.give_up()

    def _ask_for_panic(self, _number: int, _frame: FrameType | None) -> None:
        self._panic.set()
