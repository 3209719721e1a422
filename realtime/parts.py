"""From settings to what each part of the engine takes."""

from realtime.call_and_response import AnswerSettings, Length
from realtime.engine import EngineSettings
from realtime.model import sampling_of
from realtime.outbox import OutboxSettings
from realtime.phrase import PauseSettings
from realtime.scheduler import SchedulerSettings
from realtime.settings import Settings
from realtime.trigger import PEDALS, Trigger

_NS_PER_S = 1_000_000_000


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
