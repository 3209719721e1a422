"""`pianod`: play live. Puts the parts together on the main thread, waits for the end, and takes them apart again.

port → input thread → inbox → engine thread (performer, stream, session) → output thread → port
"""

import gc
import secrets
import signal
import threading
from types import FrameType

from loguru import logger

from piano.errors import PianodError
from realtime.call_and_response import AnswerSettings, CallAndResponse, Length
from realtime.clock import MonotonicClock
from realtime.connections import Connections, open_ports
from realtime.engine import Engine, EngineSettings, Message
from realtime.inbox import Inbox
from realtime.model import open_bundle, open_session, sampling_of, stream_head
from realtime.outbox import OutboxSettings
from realtime.phrase import PauseSettings
from realtime.ports import MidiSystem
from realtime.rtmidi_ports import open_system
from realtime.scheduler import Scheduler, SchedulerSettings
from realtime.session import Session
from realtime.settings import Settings
from realtime.take import Take
from realtime.trigger import PEDALS, Trigger

_NS_PER_S = 1_000_000_000
_ENDING_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


def answer_settings(settings: Settings, seed: int) -> AnswerSettings:
    """Return the settings as the performer takes them."""
    pause = PauseSettings(int(settings.shortest_pause_s * _NS_PER_S), int(settings.longest_pause_s * _NS_PER_S))
    return AnswerSettings(
        pause=pause if settings.trigger == "pause" else None,
        length=Length.PHRASE if settings.answer == "phrase" else Length.ENDLESS,
        sampling=sampling_of(settings),
        seed=seed,
        most_keys=settings.max_polyphony,
    )


def engine_settings(settings: Settings) -> EngineSettings:
    """Return the settings as the engine takes them."""
    trigger = Trigger()
    if settings.trigger == "pedal":
        trigger = Trigger(controller=PEDALS[settings.trigger_pedal])
    elif settings.trigger == "cc":
        trigger = Trigger(controller=settings.trigger_cc)
    elif settings.trigger == "key":
        trigger = Trigger(key=settings.trigger_key)
    return EngineSettings(settings.input_channel - 1 if settings.input_channel else None, trigger)


def scheduler_settings(settings: Settings) -> SchedulerSettings:
    """Return the settings as the output takes them."""
    return SchedulerSettings(OutboxSettings(settings.output_channel - 1, int(settings.longest_note_s * _NS_PER_S)))


def run_live(settings: Settings, system: MidiSystem | None = None) -> int:
    """Play until a signal, a fault, or the end of the MIDI system; return the exit code."""
    with_system = system or open_system(settings.api)
    try:
        bundle = open_bundle(settings)
        session, provider = open_session(bundle, settings)
        return _play(settings, with_system, session, provider)
    finally:
        with_system.close()


def _play(settings: Settings, system: MidiSystem, session: Session, provider: str) -> int:
    ports = open_ports(system, settings)
    clock, take = MonotonicClock(), Take()
    inbox: Inbox[Message] = Inbox(clock)
    seed = secrets.randbits(31) if settings.seed is None else settings.seed
    scheduler = Scheduler(
        clock,
        ports.output,
        scheduler_settings(settings),
        report=inbox.put,
        on_sent=take.send,
    )
    performer = CallAndResponse(session, stream_head(settings), scheduler, answer_settings(settings, seed))
    connections = Connections(system, settings, ports, clock, scheduler)
    engine = Engine(
        clock, inbox, performer, scheduler, engine_settings(settings), on_heard=take.hear, on_ports=connections.mend
    )
    gc.collect()
    gc.freeze()  # what is there now stays: no pause of the collector walks over it while playing
    try:
        scheduler.start()
        engine.start()
        connections.start(inbox.put)
        logger.info(
            "listening on {!r}, playing on {!r}; seed {}; the model runs on {}",
            ports.input.name,
            ports.output.name,
            seed,
            provider,
        )
        _wait_for_the_end(engine)
    finally:
        connections.stop()
        engine.stop()
        scheduler.stop()
        _sum_up(settings, engine, scheduler, take)
    fault = engine.status().fault
    if fault is not None:
        raise PianodError(fault)
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
    while not asked.is_set() and not engine.wait(0.1):
        pass


def _sum_up(settings: Settings, engine: Engine, scheduler: Scheduler, take: Take) -> None:
    """Tell the player how it went, and keep the take."""
    status, output = engine.status(), scheduler.status()
    performing = status.performer
    logger.info("heard {} events, gave {} answers, sent {} messages", status.heard, performing.answers, output.sent)
    for name, late in (("key to model", status.hearing), ("lateness of notes", output.own_lateness)):
        if late.count:
            logger.info("{}: p50 {:.2f} ms, p99 {:.2f} ms, max {:.2f} ms", name, late.p50_ms, late.p99_ms, late.max_ms)
    if settings.takes is not None:
        path = take.write(settings.takes)
        if path is not None:
            logger.info("the take is in {}", path)
