"""What is said to a loop: each verb does what it says, and whatever is said, every note ends."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from piano.events import NoteOff, Role
from piano.tokens.vocabulary import VOCABULARY
from realtime.engine.commands import Command, HandOver, Keep, NewPiece, Panic, Retry, StopPlaying, Undo
from realtime.performers.performer import Activity
from realtime.performers.play_settings import LoopSettings, PlayLimits
from tests.support.loops import (
    HELD,
    LOUD,
    ON_WISH,
    THREE,
    a_loop,
    answers_of,
    loop_of,
    pass_of,
    recorded,
    struck_in,
    tell,
)
from tests.support.random_players import RUNS, Act, acts, perform
from tests.support.scripted_play import MS, S, note, own_onsets, phrase, sounding_at, wire
from tests.support.scripted_session import ScriptedSession
from tests.support.session_models import model_of_chance

COMMANDS: tuple[Command, ...] = (HandOver(), StopPlaying(), NewPiece(), Panic(), Retry(), Keep(), Undo())


def test_held_until_another_is_taken() -> None:
    run = recorded(replace(LOUD, renews=False), model_of_chance())
    run.run_until(8 * S)
    tell(run, Retry())
    run.run_until(15 * S)
    first, second, third, fourth, fifth = answers_of(run, 5)
    assert first == second == third != fourth == fifth


def test_kept_and_taken_again() -> None:
    run = recorded(LOUD, model_of_chance())
    run.run_until(6 * S)
    tell(run, Keep())
    run.run_until(10 * S)
    tell(run, Retry())
    run.run_until(15 * S)
    answers = answers_of(run, 6)
    assert answers[0] != answers[1] == answers[2] == answers[3]
    assert len({tuple(answer) for answer in answers[3:]}) == 3, "renewing goes on"


def test_undo_goes_back_to_the_answer_before_at_once_and_holds_it() -> None:
    run = recorded(LOUD, model_of_chance())
    run.run_until(int(7.5 * S))
    tell(run, Undo())
    run.run_until(13 * S)
    first, second, mixed, fourth, fifth = answers_of(run, 5)
    assert first != second == fourth == fifth
    assert [key for key in mixed if key[0] > 500 * MS] == [key for key in second if key[0] > 500 * MS]
    tell(run, Undo())
    run.run_until(15 * S)
    assert [key for key in answers_of(run, 6)[5] if key[0]] == [key for key in first if key[0]]


def test_undo_comes_at_last_to_the_phrase_alone_and_then_to_nothing() -> None:
    run = recorded(replace(LOUD, renews=False), model_of_chance())
    run.run_until(int(5.1 * S))
    tell(run, Undo())
    run.run_until(9 * S)
    assert struck_in(run, 2, 3 * S, 2 * S) == THREE
    tell(run, Undo())
    assert run.partner.engine.status().performer.loop is None
    assert sounding_at(run.partner.take.sent, run.clock.now_ns()).is_silent()
    count = len(run.partner.take.sent)
    run.play(phrase(10.0))
    run.run_until(12 * S)
    assert len(run.partner.take.sent) == count
    tell(run, HandOver())
    assert loop_of(run).passes == 0, "another phrase is recorded"


def test_after_keep_the_player_adds_layers_and_undo_takes_the_last_away() -> None:
    run = recorded()
    tell(run, Keep())
    run.play(wire([*note(5.25, 40, 0.1), *note(6.0, 41, 0.1), *note(7.3, 42, 0.1)]))
    run.run_until(13 * S)
    assert struck_in(run, 1, 3 * S, 2 * S) == THREE
    first_layer = sorted([*THREE, (250 * MS, 40), (S, 41)])
    assert struck_in(run, 2, 3 * S, 2 * S) == first_layer
    both = sorted([*first_layer, (300 * MS, 42)])
    assert struck_in(run, 3, 3 * S, 2 * S) == struck_in(run, 4, 3 * S, 2 * S) == both
    assert loop_of(run).layers == 3
    tell(run, Undo())
    run.run_until(15 * S)
    assert struck_in(run, 5, 3 * S, 2 * S) == first_layer
    tell(run, Undo())
    run.run_until(17 * S)
    assert struck_in(run, 6, 3 * S, 2 * S) == THREE


def test_without_keep_the_player_is_no_part_of_the_loop() -> None:
    run = recorded()
    run.play(wire(note(5.25, 40)))
    run.run_until(9 * S)
    assert struck_in(run, 2, 3 * S, 2 * S) == THREE


def test_a_key_just_before_the_seam_is_the_first_beat() -> None:
    run = recorded()
    tell(run, Keep())
    run.play(wire(note(6.95, 40, 0.3)))
    run.run_until(11 * S)
    assert struck_in(run, 1, 3 * S, 2 * S) == THREE
    assert struck_in(run, 2, 3 * S, 2 * S) == THREE
    assert struck_in(run, 3, 3 * S, 2 * S) == [(0, 40), *THREE]
    assert (250 * MS, NoteOff(40)) in pass_of(run, 3, 3 * S, 2 * S)


def test_a_new_answer_answers_the_layers_too() -> None:
    heard: list[tuple[int, ...]] = []

    class Watched(ScriptedSession):
        def reset(self) -> None:
            heard.append(self.tokens)
            super().reset()

    run = a_loop(ON_WISH, Watched(VOCABULARY.size, 4096, script={}))
    run.play(wire(note(1.0, 60)))
    run.run_until(3 * S)
    tell(run, HandOver())
    tell(run, Keep())
    run.play(wire(note(4.0, 50)))
    run.run_until(6 * S)
    tell(run, Retry())
    run.run_until(9 * S)
    run.tell(NewPiece())
    tell(run, Retry())
    run.play(wire(note(10.0, 70)))
    run.run_until(11 * S)
    tell(run, HandOver())
    layer = VOCABULARY.on(Role.GIVEN, 50)
    assert [layer in tokens for tokens in heard if VOCABULARY.play in tokens] == [False, True]


def test_a_stop_keeps_the_loop_and_a_wish_goes_on_with_it() -> None:
    run = recorded(replace(LOUD, renews=False), model_of_chance())
    run.run_until(4 * S)
    tell(run, StopPlaying())
    assert sounding_at(run.partner.take.sent, run.clock.now_ns()).is_silent()
    count = len(run.partner.take.sent)
    run.play(wire(note(5.0, 50)))
    run.run_until(7 * S)
    assert len(run.partner.take.sent) == count
    assert run.partner.engine.status().performer.activity is Activity.LISTENING
    tell(run, HandOver())
    assert loop_of(run).began_ns == 7 * S
    run.run_until(13 * S)
    assert struck_in(run, 0, 7 * S, 2 * S) == struck_in(run, 1, 7 * S, 2 * S)


def test_a_stop_while_recording_forgets_the_phrase() -> None:
    run = a_loop(HELD)
    run.play(phrase(1.0))
    run.run_until(int(2.5 * S))
    tell(run, StopPlaying())
    run.run_until(8 * S)
    assert own_onsets(run) == []
    assert run.partner.engine.status().performer.activity is Activity.LISTENING


def test_nothing_is_to_be_kept_undone_or_ended_where_there_is_nothing() -> None:
    run = a_loop(HELD)
    for command in COMMANDS:
        tell(run, command)
    run.run_until(3 * S)
    assert not [data for _, data in run.partner.take.sent if data[0] & 0xF0 == 0x90]
    assert run.partner.engine.status().fault is None


@RUNS
@given(acts(COMMANDS, most=20), st.integers(0, 99), st.booleans(), st.booleans(), st.booleans())
def test_whatever_is_played_and_said_every_note_ends(
    done: Sequence[Act], seed: int, renews: bool, sounds: bool, by_pause: bool
) -> None:
    pause = LoopSettings().pause if by_pause else None
    limits = PlayLimits(seed=seed, lowest_pitch=50, highest_pitch=70, most_a_second=5)
    run = a_loop(LoopSettings(limits, pause, sounds, renews), model_of_chance(seed, window=64))
    perform(run, done)
    heard = sounding_at(run.partner.take.sent, run.clock.now_ns())
    assert run.partner.engine.status().fault is None
    assert all(timed.at_ns <= run.clock.now_ns() for timed in own_onsets(run))
    if run.partner.engine.status().performer.activity is not Activity.PLAYING:
        assert heard.is_silent()
    run.finish()
    assert sounding_at(run.partner.take.sent, run.clock.now_ns()).is_silent()
