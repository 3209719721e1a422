"""A loop that goes round: what was recorded comes back exactly, and the answer is there in time."""

from dataclasses import replace

import pytest

from piano.events import NoteOff, NoteOn, Pedal
from piano.tokens.vocabulary import VOCABULARY
from realtime.engine.commands import ChangePlaying, HandOver
from realtime.performers.loop.answer import LAST_STRIKE_NS
from realtime.performers.loop.performer import LONGEST_NS
from realtime.performers.performer import Activity
from realtime.performers.play_settings import PlayLimits
from realtime.threads.clock import ManualClock
from tests.support.loops import (
    HELD,
    LOUD,
    ON_WISH,
    a_loop,
    answers_of,
    loop_of,
    pass_of,
    playing,
    recorded,
    struck_in,
    tell,
)
from tests.support.scripted_play import MS, S, note, own_onsets, phrase, sounding_at, wire
from tests.support.scripted_session import ScriptedSession
from tests.support.session_models import SlowSession, model_of_chance


def test_a_pause_ends_the_phrase_and_is_part_of_it() -> None:
    run = a_loop(HELD)
    run.play(phrase(1.0))  # its last key comes up at 2.45 s; a pause of 0.7 s ends it
    run.run_until(int(2.2 * S))
    assert run.partner.engine.status().performer.activity is Activity.RECORDING
    run.run_until(8 * S)
    assert loop_of(run).length_ns == int(2.15 * S)
    played = [(timed.at_ns - S, timed.event) for timed in run.partner.take.heard]
    for number in range(2):
        assert pass_of(run, number, int(3.15 * S), int(2.15 * S)) == played


def test_a_key_before_the_pause_is_over_belongs_to_the_phrase() -> None:
    run = a_loop(HELD)
    run.play([*phrase(1.0), *wire(note(3.1, 90))])  # 50 ms before the pause would be over, when the loop has been begun
    run.run_until(int(3.2 * S))
    assert run.partner.engine.status().performer.activity is Activity.RECORDING
    run.run_until(9 * S)
    length_ns = loop_of(run).length_ns
    assert len(struck_in(run, 0, S + length_ns, length_ns)) == 7


def test_a_wish_ends_the_phrase_at_its_moment_with_the_players_timing() -> None:
    run = recorded()
    assert loop_of(run).length_ns == 2 * S
    run.run_until(8 * S)
    for number in range(2):
        assert pass_of(run, number, 3 * S, 2 * S) == [
            (0, NoteOn(60, 70)),
            (200 * MS, NoteOff(60)),
            (500 * MS, NoteOn(64, 70)),
            (700 * MS, NoteOff(64)),
            (S, NoteOn(67, 70)),
            (1500 * MS, NoteOff(67)),
        ]


def test_what_is_held_at_the_seam_is_released_there_in_every_pass() -> None:
    run = a_loop(ON_WISH)
    run.play(wire([(1.0, NoteOn(60, 70)), (1.1, Pedal(down=True)), (2.5, NoteOn(64, 70)), (3.4, NoteOff(64))]))
    run.run_until(3 * S)
    tell(run, HandOver())
    run.run_until(12 * S)
    released = [timed.at_ns for timed in run.answered() if timed.event == Pedal(down=False)]
    assert released == [5 * S, 7 * S, 9 * S, 11 * S]
    for seam_ns in released:
        assert sounding_at(run.partner.take.sent, seam_ns - 1).sounding.keys() == {(0, 60), (0, 64)}
        before = [data for at_ns, data in run.partner.take.sent if at_ns < seam_ns]
        assert len(before) < len(run.partner.take.sent)
        assert sounding_at(run.partner.take.sent, seam_ns).sounding.keys() == {(0, 60)}, "struck anew, and nothing else"


def test_a_thousand_passes_do_not_drift() -> None:
    run = a_loop(ON_WISH)
    start_ns, length_ns = S + 1, S + 123_456_789
    run.play([(start_ns, b"\x90\x3c\x46"), (start_ns + 77, b"\x80\x3c\x00")])
    run.run_until(start_ns + length_ns)
    tell(run, HandOver())
    run.run_until(start_ns + 1001 * length_ns + 100)
    onsets = [timed.at_ns for timed in own_onsets(run)]
    assert onsets == [start_ns + number * length_ns for number in range(1, 1002)]


def test_without_the_phrase_only_the_answer_sounds() -> None:
    for sounds in (True, False):
        run = recorded(replace(ON_WISH, limits=PlayLimits(lowest_pitch=80), sounds=sounds), model_of_chance())
        run.run_until(9 * S)
        pitches = {timed.event.pitch for timed in own_onsets(run) if isinstance(timed.event, NoteOn)}
        assert ({60, 64, 67} <= pitches) == sounds
        assert any(pitch >= 80 for pitch in pitches)
    tell(run, ChangePlaying(playing(replace(ON_WISH, limits=PlayLimits(lowest_pitch=80)))))
    now_ns = run.clock.now_ns()
    run.run_until(now_ns + 2 * S)
    assert {60, 64, 67} <= {timed.event.pitch for timed in own_onsets(run) if timed.at_ns > now_ns}  # type: ignore[union-attr]


def test_each_pass_has_an_answer_of_its_own_that_is_there_in_time() -> None:
    run = recorded(LOUD, model_of_chance())
    run.run_until(11 * S)
    answers = answers_of(run, 4)
    assert all(answers)
    assert len({tuple(answer) for answer in answers}) == 4
    assert max(offset_ns for answer in answers for offset_ns, _ in answer) < 2 * S - LAST_STRIKE_NS


def test_the_notes_do_not_depend_on_the_machine() -> None:
    def play(step_ns: int, ns_per_feed: int) -> list[tuple[int, bytes]]:
        clock = ManualClock()
        run = a_loop(replace(LOUD, pause=HELD.pause), SlowSession(model_of_chance(), clock, ns_per_feed), clock)
        run.play(phrase(1.0))
        for at_ns in range(0, 9 * S, step_ns):
            run.run_until(at_ns)
        run.run_until(9 * S)
        return [(at_ns, data) for at_ns, data in run.partner.take.sent if at_ns < 9 * S - MS]

    expected = play(9 * S, 0)
    assert expected == play(77 * MS, 0) == play(9 * S, 100_000)


def test_a_machine_that_is_far_too_slow_keeps_the_loop_in_time() -> None:
    clock = ManualClock()
    run = a_loop(LOUD, SlowSession(model_of_chance(), clock, 30 * MS), clock)
    run.play(phrase(1.0))
    run.run_until(3 * S)
    tell(run, HandOver())
    began_ns, length_ns = loop_of(run).began_ns, loop_of(run).length_ns
    run.run_until(16 * S)
    own = [timed for timed in own_onsets(run) if isinstance(timed.event, NoteOn) and timed.event.pitch < 80]
    moments = [began_ns + number * length_ns + index * 250 * MS for number in range(6) for index in range(6)]
    late_ns = [timed.at_ns - moment for timed, moment in zip(own, moments, strict=False)]
    assert max(late_ns) <= 120 * MS, "no more than the few feeds that are one piece of work"
    run.finish()
    assert sounding_at(run.partner.take.sent, run.clock.now_ns()).is_silent()


def test_a_recording_that_is_never_ended_ends() -> None:
    run = a_loop(ON_WISH)
    run.play(wire(note(1.0, 60)))
    run.run_until(LONGEST_NS + 2 * S)
    assert loop_of(run).length_ns == LONGEST_NS


def test_a_very_short_phrase_becomes_a_loop_of_a_second() -> None:
    run = a_loop(ON_WISH)
    run.play(wire(note(1.0, 60, 0.05)))
    run.run_until(int(1.1 * S))
    tell(run, HandOver())
    assert (loop_of(run).began_ns, loop_of(run).length_ns) == (2 * S, S)


@pytest.mark.parametrize(("pitch", "task"), [(72, "left_hand"), (40, "right_hand")])
def test_the_missing_voice_is_the_other_hand(pitch: int, task: str) -> None:
    session = ScriptedSession(VOCABULARY.size, 4096)
    run = a_loop(LOUD, session)
    run.play(wire(note(1.0, pitch)))
    run.run_until(2 * S)
    tell(run, HandOver())
    assert session.tokens[1] == VOCABULARY.task(task)
