"""A change is heard with the next event: nothing of ours sounds that was planned before it, and no setting is idle."""

import pytest

from piano.events import Event, NoteOn
from realtime.control.presets import KEPT
from realtime.control.protocol import CHANGEABLE, changed
from realtime.engine.commands import ChangePlaying
from realtime.engine.from_settings import engine_settings, passing_of, play_settings_of, scheduler_settings
from realtime.engine.offline_run import OfflineRun
from realtime.engine.partner import PartnerSettings
from realtime.output.metronome import Beat
from realtime.settings import Settings
from tests.realtime.panel.changes import CHANGES
from tests.support.scripted_play import MS, S, phrase
from tests.support.session_models import model_of_chance

SEED = 5
STANDS_NS = 30 * MS
"""What is planned for so soon after a change may stand: it is on its way."""

ELSEWHERE = ("tempo_bpm", "beats", "mode")
"""What is heard of these is the metronome's, and another performer's."""

ALONE = ("role", "restraint", "when_alone", "alone_after_s")
IN_DUET = tuple(name for name in KEPT if name.startswith("duet_") or name in ALONE)
IN_LOOP = ("loop_sounds", "loop_renews")
IN_ANSWER = tuple(name for name in KEPT if name not in (*ELSEWHERE, *IN_DUET, *IN_LOOP, "strength", "duet_split"))


def settings_of(mode: str) -> Settings:
    return Settings.model_validate({"mode": mode, "seed": SEED, "when_alone": "continue", "answer": "endless"})


def planned_before_and_heard_after(mode: str, name: str | None) -> tuple[list[float], int]:
    """Change a setting in the midst of the playing; return what was planned before and struck after, and all after."""
    settings = settings_of(mode)
    playing = PartnerSettings(play_settings_of(settings, SEED), engine_settings(settings), scheduler_settings(settings))
    run = OfflineRun(model_of_chance(), playing)
    planned: dict[tuple[int, int], int] = {}  # (moment, pitch) -> when it was planned last
    schedule = run.partner.scheduler.schedule

    def watch(at_ns: int, event: Event, epoch: int = 0) -> None:
        if isinstance(event, NoteOn):
            planned[at_ns, event.pitch] = run.clock.now_ns()
        schedule(at_ns, event, epoch)

    run.partner.scheduler.schedule = watch  # type: ignore[method-assign]
    run.play(phrase())
    run.run_until(5 * S)
    changed_ns = run.clock.now_ns()
    if name is not None:
        run.tell(ChangePlaying(play_settings_of(changed(settings, {name: CHANGES[name]}), SEED)))
    run.run_until(9 * S)
    struck = [
        (timed.at_ns, timed.event.pitch)
        for timed in run.answered()
        if isinstance(timed.event, NoteOn) and timed.at_ns > changed_ns + STANDS_NS
    ]
    stale = [at_ns / S for at_ns, pitch in struck if planned.get((at_ns, pitch), changed_ns) < changed_ns]
    run.finish()
    return stale, len(struck)


def test_without_a_change_there_is_something_that_was_planned_before() -> None:
    stale, _ = planned_before_and_heard_after("answer", None)
    assert stale


@pytest.mark.parametrize("name", IN_ANSWER)
def test_in_an_answer_what_was_planned_before_a_change_is_not_heard_after_it(name: str) -> None:
    stale, heard = planned_before_and_heard_after("answer", name)
    assert stale == []
    assert heard > 0 or name == "answer", "it plays on; an answer as long as the phrase may be over"


@pytest.mark.parametrize("name", [name for name in IN_DUET if name != "when_alone"])
def test_in_a_duet_what_was_planned_before_a_change_is_not_heard_after_it(name: str) -> None:
    stale, _ = planned_before_and_heard_after("duet", name)
    assert stale == []


NEEDS: dict[str, dict[str, object]] = {
    "trigger_pedal": {"trigger": "pedal"},
    "trigger_key": {"trigger": "key"},
    "trigger_cc": {"trigger": "cc"},
    "velocity_wait_ms": {"mode": "velocity"},
    "strength": {"mode": "velocity"},
    "mode": {"mode": "answer"},
    "duet_side": {"mode": "loop", "duet_split": 60},
    "chart_key": {"chart": "blues"},
}
"""With what a setting has a meaning."""


@pytest.mark.parametrize("name", CHANGEABLE)
def test_no_setting_is_idle(name: str) -> None:
    before = Settings.model_validate({"mode": "duet", "seed": SEED, **NEEDS.get(name, {})})
    after = changed(before, {name: CHANGES[name]})

    def reach(settings: Settings) -> tuple[object, ...]:
        beat = Beat(settings.metronome == "output", settings.send_clock, settings.tempo_bpm, settings.beats)
        return (
            play_settings_of(settings, settings.seed or 0),
            engine_settings(settings),
            passing_of(settings),
            scheduler_settings(settings),
            (beat, settings.metronome, settings.follow_clock, settings.link, settings.tempo_from),
        )

    assert reach(before) != reach(after)
