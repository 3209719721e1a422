"""What the tests of the loop share: loops to record and to tell, and what was struck in each of their passes."""

from dataclasses import replace

from inference.onnx_session import Session
from piano.events import Event, NoteOn, Role
from piano.tokens.vocabulary import VOCABULARY
from realtime.engine.commands import Command, HandOver
from realtime.engine.offline_run import OfflineRun
from realtime.engine.partner import PartnerSettings
from realtime.performers.performer import LoopStatus
from realtime.performers.play_settings import AnswerSettings, LoopSettings, Mode, PlayLimits, PlaySettings
from realtime.threads.clock import ManualClock
from tests.support.scripted_play import MS, S, note, wire
from tests.support.scripted_session import ScriptedSession
from tests.support.session_models import HEAD

HELD = LoopSettings(renews=False)
ON_WISH = replace(HELD, pause=None)


def model_of_silence() -> Session:
    """Return a model that leaves everything to the player: what is heard is the loop's own."""
    return ScriptedSession(VOCABULARY.size, 100_000, script=lambda _: VOCABULARY.on(Role.GIVEN, 108))


def playing(how: LoopSettings) -> PlaySettings:
    return PlaySettings(AnswerSettings(), HEAD, Mode.LOOP, loop=how)


def a_loop(how: LoopSettings, session: Session | None = None, clock: ManualClock | None = None) -> OfflineRun:
    return OfflineRun(session or model_of_silence(), PartnerSettings(playing(how)), clock)


def loop_of(run: OfflineRun) -> LoopStatus:
    loop = run.partner.engine.status().performer.loop
    assert loop is not None
    return loop


def tell(run: OfflineRun, command: Command) -> None:
    """Give a command and let it be carried out."""
    run.tell(command)
    run.run_until(run.clock.now_ns() + 1)


def pass_of(run: OfflineRun, number: int, start_ns: int, length_ns: int) -> list[tuple[int, Event]]:
    """Return what went out in a pass, by offset; the releases at its end are the next one's."""
    begin_ns = start_ns + number * length_ns
    return [
        (timed.at_ns - begin_ns, timed.event)
        for timed in run.answered()
        if begin_ns <= timed.at_ns < begin_ns + length_ns
        and (isinstance(timed.event, NoteOn) or timed.at_ns > begin_ns)
    ]


def struck_in(run: OfflineRun, number: int, start_ns: int, length_ns: int) -> list[tuple[int, int]]:
    """Return which keys were struck in a pass, by offset."""
    heard = pass_of(run, number, start_ns, length_ns)
    return sorted((offset_ns, event.pitch) for offset_ns, event in heard if isinstance(event, NoteOn))


def recorded(how: LoopSettings = ON_WISH, session: Session | None = None) -> OfflineRun:
    """Return a loop of two seconds, from 1 s on, of three keys, which goes round since 3 s."""
    run = a_loop(how, session)
    run.play(wire([*note(1.0, 60, 0.2), *note(1.5, 64, 0.2), *note(2.0, 67, 0.5)]))
    run.run_until(3 * S)
    tell(run, HandOver())
    return run


THREE = [(0, 60), (500 * MS, 64), (S, 67)]


LOUD = LoopSettings(PlayLimits(lowest_pitch=80), pause=None)


def answers_of(run: OfflineRun, passes: int) -> list[list[tuple[int, int]]]:
    """Return what the model struck in each pass."""
    return [[key for key in struck_in(run, number, 3 * S, 2 * S) if key[1] >= 80] for number in range(passes)]
