"""From settings to what each part of the engine takes."""

import secrets

from realtime.call_and_response import AnswerSettings, Length
from realtime.clock import NS_PER_MS, NS_PER_S, Clock
from realtime.commands import ChangePlaying, Mode
from realtime.duet import DuetSettings, WhenAlone
from realtime.engine import EngineSettings
from realtime.midi_input import Thru
from realtime.midi_message import Kind, channel_of, event_of, kind_of
from realtime.model import sampling_of, stream_head
from realtime.outbox import OutboxSettings
from realtime.phrase import PauseSettings
from realtime.programs import ModeChooser
from realtime.scheduler import Scheduler, SchedulerSettings
from realtime.settings import SamplingSettings, Settings
from realtime.trigger import PEDALS, Trigger
from realtime.velocity_repair import VelocitySettings

OVERLONG_NS = 7_000_000_000
"""How much longer than the model means to hold a key, or the pedal, the output waits before it ends it."""


def answer_settings(settings: Settings, seed: int) -> AnswerSettings:
    """Return the settings as the performer takes them."""
    pause = PauseSettings(int(settings.shortest_pause_s * NS_PER_S), int(settings.longest_pause_s * NS_PER_S))
    return AnswerSettings(
        pause=pause if settings.trigger == "pause" else None,
        length=Length.PHRASE if settings.answer == "phrase" else Length.ENDLESS,
        sampling=sampling_of(settings),
        seed=seed,
        most_keys=settings.max_polyphony,
        longest_hold_ns=int(settings.longest_note_s * NS_PER_S),
    )


def duet_settings(settings: Settings, seed: int) -> DuetSettings:
    """Return the settings as the duet takes them."""
    return DuetSettings(
        sampling=sampling_of(settings),
        seed=seed,
        lowest_pitch=settings.duet_lowest,
        highest_pitch=settings.duet_highest,
        loudest=settings.duet_loudest,
        restraint=settings.restraint,
        most_keys=settings.max_polyphony,
        longest_hold_ns=int(settings.longest_note_s * NS_PER_S),
        when_alone=WhenAlone(settings.when_alone),
        alone_after_ns=int(settings.alone_after_s * NS_PER_S),
    )


def playing_of(settings: Settings, seed: int) -> ChangePlaying:
    """Return how to play: the mode, and what each mode is told."""
    mode = Mode(settings.mode)
    return ChangePlaying(
        answer_settings(settings, seed),
        stream_head(settings, "duet" if mode is Mode.DUET else "continue"),
        mode,
        duet_settings(settings, seed),
        VelocitySettings(settings.strength),
    )


def thru_of(settings: Settings, scheduler: Scheduler, clock: Clock) -> Thru | None:
    """Return what to do with the player's own messages on the input thread; None if they go nowhere.

    In velocity mode all of them go on, and a key that the engine will answer waits for its velocity. What asks for a
    mode goes no further.
    """
    finds_velocities = Mode(settings.mode) is Mode.VELOCITY
    if not (finds_velocities or settings.thru):
        return None
    wait_ns, chooser = int(settings.velocity_wait_ms * NS_PER_MS), chooser_of(settings)

    def pass_on(data: bytes) -> None:
        is_heard = settings.input_channel in (0, channel_of(data) + 1)
        if is_heard and chooser.mode_of(data) is not None:
            return
        if is_heard and finds_velocities and kind_of(data) is Kind.NOTE_ON and event_of(data) is not None:
            scheduler.hold(data, clock.now_ns() + wait_ns)
        else:
            scheduler.through(data)

    return pass_on


def passing_of(settings: Settings) -> tuple[object, ...]:
    """Return the settings on which `thru_of` depends."""
    return settings.thru, settings.mode, settings.velocity_wait_ms, settings.input_channel


def chooser_of(settings: Settings) -> ModeChooser:
    """Return what chooses the mode."""
    return ModeChooser(settings.mode_by_program, settings.mode_cc)


def engine_settings(settings: Settings) -> EngineSettings:
    """Return the settings as the engine takes them."""
    trigger = Trigger()
    if settings.trigger == "pedal":
        trigger = Trigger(controller=PEDALS[settings.trigger_pedal])
    elif settings.trigger == "cc":
        trigger = Trigger(controller=settings.trigger_cc)
    elif settings.trigger == "key":
        trigger = Trigger(key=settings.trigger_key)
    channel = settings.input_channel - 1 if settings.input_channel else None
    return EngineSettings(channel, trigger, chooser_of(settings))


def scheduler_settings(settings: Settings) -> SchedulerSettings:
    """Return the settings as the output takes them: it ends what the model, for whatever reason, has not ended."""
    longest_ns = int(settings.longest_note_s * NS_PER_S) + OVERLONG_NS
    return SchedulerSettings(OutboxSettings(settings.output_channel - 1, longest_ns))


def seed_of(settings: SamplingSettings) -> int:
    """Return the seed that is set, or a fresh one."""
    return secrets.randbits(31) if settings.seed is None else settings.seed
