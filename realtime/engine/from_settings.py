"""From settings to what each part of the engine takes."""

import secrets
from dataclasses import replace

from piano.changes import Chart, read_chart
from piano.errors import ConfigError, PianodError
from piano.midi.file import read_performance
from realtime.engine.listening import EngineSettings, Purpose
from realtime.engine.mode_chooser import ModeChooser
from realtime.engine.open_model import sampling_of, stream_head
from realtime.engine.trigger import PEDALS, Trigger
from realtime.midi.input_thread import Thru
from realtime.midi.message import MessageKind, event_of, kind_of
from realtime.output.event_queue import EventQueueSettings
from realtime.output.output_status import SchedulerSettings
from realtime.output.scheduler import Scheduler
from realtime.performers.partner_ear import DuetRole
from realtime.performers.play_settings import (
    AnswerSettings,
    DuetSettings,
    Length,
    LoopSettings,
    Mode,
    PauseSettings,
    PlayLimits,
    PlaySettings,
    VelocitySettings,
    WhenAlone,
)
from realtime.performers.reference import Reference, reference_of
from realtime.settings import ChangesGroup, SamplingGroup, Settings
from realtime.threads.clock import NS_PER_MS, NS_PER_S, Clock

MOST_NOTES_PER_S = 40.0
"""No music is asked to be busier than this."""

OVERLONG_NS = 7_000_000_000
"""How much longer than the model means to hold a key, or the pedal, the output waits before it ends it."""

DUET_RESTRAINT = -0.5
"""Where the knob of a duet has its zero, in nats. A duet begins with the model silent, and it goes on with silence:
unbiased, it strikes 0.5 and 0.6 keys a second beside two right hands of the validation split, with this 3.5 and 7. The
left hands that belong to them strike 4.7."""


def answer_settings(settings: Settings, seed: int) -> AnswerSettings:
    """Return the settings as the performer takes them."""
    pause = PauseSettings(int(settings.shortest_pause_s * NS_PER_S), int(settings.longest_pause_s * NS_PER_S))
    return AnswerSettings(
        pause=pause if settings.trigger == "pause" else None,
        length=Length[settings.answer.upper()],
        bars=settings.bars,
        expects=settings.phrase_ends == "model",
        joins=settings.yields == "let_me_join",
        leads_below=settings.chord_split,
        sampling=sampling_of(settings),
        seed=seed,
        notes_per_s=settings.density,
        most_keys=settings.max_polyphony,
        longest_hold_ns=int(settings.longest_note_s * NS_PER_S),
    )


def limits_of(settings: Settings, seed: int) -> PlayLimits:
    """Return how the model plays beside someone; a divided keyboard leaves it its own side."""
    lowest, highest = settings.duet_lowest, settings.duet_highest
    if settings.duet_split is not None and settings.duet_side == "above":
        lowest = settings.duet_split
    elif settings.duet_split is not None:
        highest = settings.duet_split - 1
    return PlayLimits(
        sampling=sampling_of(settings),
        seed=seed,
        lowest_pitch=lowest,
        highest_pitch=highest,
        loudest=settings.duet_loudest,
        louder=settings.duet_louder,
        restraint=settings.restraint,
        most_a_second=settings.duet_density,
        most_keys=settings.max_polyphony,
        longest_hold_ns=int(settings.longest_note_s * NS_PER_S),
    )


def duet_settings(settings: Settings, seed: int) -> DuetSettings:
    """Return the settings as the duet takes them; their restraint counts from `DUET_RESTRAINT`."""
    limits = limits_of(settings, seed)
    role = None if settings.role == "free" else DuetRole(settings.role)
    limits = replace(limits, restraint=DUET_RESTRAINT + limits.restraint, role=role)
    return DuetSettings(limits, WhenAlone(settings.when_alone), int(settings.alone_after_s * NS_PER_S))


def loop_settings(settings: Settings, seed: int) -> LoopSettings:
    """Return the settings as the loop takes them."""
    return LoopSettings(
        limits_of(settings, seed),
        pause=answer_settings(settings, seed).pause,
        sounds=settings.loop_sounds,
        renews=settings.loop_renews,
        grid=settings.grid,
        finds_hand=settings.duet_hand == "any" and settings.duet_split is None,
    )


def task_of(settings: Settings) -> str:
    """Return the task under which the model plays: what its own part is."""
    mode = Mode(settings.mode)
    if mode is Mode.VELOCITY:
        return VelocitySettings(settings.strength).task
    if mode is Mode.ANSWER:
        return "continue"
    if settings.duet_hand != "any":
        return "left_hand" if settings.duet_hand == "right" else "right_hand"
    if mode is Mode.DUET:
        return "duet"
    return f"{settings.duet_side}_median"


def play_settings_of(settings: Settings, seed: int, reference: Reference | None = None) -> PlaySettings:
    """Return how to play: the mode, and what each mode is told; like a reference, unless velocities are found."""
    if Mode(settings.mode) is Mode.VELOCITY:
        reference = None
    settings = as_busy_as(settings, reference)
    return PlaySettings(
        answer_settings(settings, seed),
        head_with(stream_head(settings, task_of(settings)), reference),
        Mode(settings.mode),
        duet_settings(settings, seed),
        loop_settings(settings, seed),
        VelocitySettings(settings.strength),
        chart=chart_of(settings),
        harmony=settings.harmony,
        chord_split=settings.chord_split,
        reference=reference,
        grid=settings.grid,
    )


def reference_in(settings: SamplingGroup) -> Reference | None:
    """Return what the settings say to play like; MidiFileError if their file cannot be read or has no note."""
    if settings.like is None:
        return None
    path = settings.like.expanduser()
    return reference_of(read_performance(path), path.name)


def as_busy_as(settings: Settings, reference: Reference | None) -> Settings:
    """Return settings by which to be as busy as a reference, unless they say how busy to be."""
    if reference is None or reference.notes_per_s is None or settings.density is not None:
        return settings
    return settings.model_copy(update={"density": min(reference.notes_per_s, MOST_NOTES_PER_S)})


def head_with(head: tuple[int, ...], reference: Reference | None) -> tuple[int, ...]:
    """Return the head of a stream that is to be like a reference."""
    return head if reference is None else (*head, *reference.opening)


def chart_of(settings: ChangesGroup) -> Chart | None:
    """Return the changes that the settings give; ConfigError if their file cannot be read or is none."""
    if settings.chart is not None:
        return read_chart(settings.chart, settings.chart_key)
    if settings.chart_file is None:
        return None
    from realtime.beat.lead_sheet import chart_text  # reads files of many kinds, and few have one

    try:
        return read_chart(chart_text(settings.chart_file.expanduser()), settings.chart_key)
    except (OSError, UnicodeDecodeError, PianodError) as error:
        raise ConfigError(f"{settings.chart_file} gives no chart: {error}; name another with --chart-file") from error


def thru_of(settings: Settings, scheduler: Scheduler, clock: Clock) -> Thru | None:
    """Return what to do with the player's own messages on the input thread; None if they go nowhere.

    Where each message goes is told in `realtime.engine.listening`.
    """
    finds_velocities = Mode(settings.mode) is Mode.VELOCITY
    if not (finds_velocities or settings.thru):
        return None
    wait_ns, listening = int(settings.velocity_wait_ms * NS_PER_MS), engine_settings(settings)

    def pass_on(data: bytes) -> None:
        purpose = listening.route(data).purpose
        asks = (Purpose.CHOICE,) if finds_velocities else (Purpose.CHOICE, Purpose.TAP, Purpose.ENDING, Purpose.ANSWER)
        if purpose in asks:
            return
        is_key = kind_of(data) is MessageKind.NOTE_ON and event_of(data) is not None
        if finds_velocities and is_key and purpose is not Purpose.ELSEWHERE:
            scheduler.hold(data, clock.now_ns() + wait_ns)
        else:
            scheduler.through(data)

    return pass_on


def passing_of(settings: Settings) -> tuple[object, ...]:
    """Return the settings on which `thru_of` depends."""
    return settings.thru, settings.mode, settings.velocity_wait_ms, settings.input_channel, engine_settings(settings)


def chooser_of(settings: Settings) -> ModeChooser:
    """Return what chooses the mode, and what becomes of a loop."""
    wishes = settings.take_cc, settings.keep_cc, settings.undo_cc, settings.clear_cc, settings.ending_cc
    return ModeChooser(settings.mode_by_program, settings.mode_cc, wishes)


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
    taps, ending = Trigger(settings.tap_key, settings.tap_cc), Trigger(settings.ending_key)
    return EngineSettings(
        channel, trigger, chooser_of(settings), taps, ending, ending_ns=int(settings.ending_s * NS_PER_S)
    )


def scheduler_settings(settings: Settings) -> SchedulerSettings:
    """Return the settings as the output takes them: it ends what the model, for whatever reason, has not ended."""
    longest_ns = int(settings.longest_note_s * NS_PER_S) + OVERLONG_NS
    return SchedulerSettings(EventQueueSettings(settings.output_channel - 1, longest_ns))


def seed_of(settings: SamplingGroup) -> int:
    """Return the seed that is set, or a fresh one."""
    return secrets.randbits(31) if settings.seed is None else settings.seed
