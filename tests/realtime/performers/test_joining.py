"""Who joins an answer and who takes it over; and that an answer goes on where one joins, if that is allowed."""

import pytest

from piano.events import NoteOn
from realtime.performers.joining import Joining
from realtime.performers.play_settings import AnswerSettings
from tests.support.scripted_play import MS, S, a_run, note, own_onsets, phrase, wire


def joining(*own: int) -> Joining:
    judge = Joining()
    for index, pitch in enumerate(own):
        judge.strike(S + index * 100 * MS, pitch)
    return judge


def test_a_held_bass_or_a_high_fill_joins_and_two_keys_in_the_way_take_over() -> None:
    assert not joining(60, 64).takes_over(1300 * MS, 36)
    assert not joining(60, 64).takes_over(1300 * MS, 90)
    judge = joining(60, 64)
    assert [judge.takes_over(1300 * MS, 66), judge.takes_over(1700 * MS, 67)] == [False, True]


def test_a_slow_bass_goes_on_where_the_answer_comes_down_to_it() -> None:
    judge = Joining()
    for beat in range(6):
        judge.strike((1400 * beat + 100) * MS, 32)
        assert not judge.takes_over((1400 * beat + 600) * MS, 31 + beat % 3)


def test_a_chord_is_one_and_a_run_takes_over() -> None:
    judge = joining(60)
    assert [judge.takes_over(1300 * MS + index * 10 * MS, 30 + index) for index in range(4)] == [False] * 4
    assert [judge.takes_over(1600 * MS + index * 300 * MS, 30) for index in range(2)] == [False, True]


@pytest.mark.parametrize("joins", [False, True])
def test_an_answer_goes_on_where_one_may_join(joins: bool) -> None:
    run = a_run(answers=AnswerSettings(seed=5, joins=joins))
    run.play(phrase())
    run.run_until(4 * S)
    before = [timed.event.pitch for timed in own_onsets(run) if isinstance(timed.event, NoteOn) and timed.at_ns > 2 * S]
    far = max(range(21, 109), key=lambda pitch: min(abs(pitch - own) for own in before))
    run.play(wire(note(4.05, far, 0.2)))
    run.run_until(4300 * MS)
    assert run.is_playing == joins
    assert run.partner.engine.status().performer.interruptions == (not joins)
    run.finish()
