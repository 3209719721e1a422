"""The loop: what was recorded goes round exactly, the answer is there in time, and each verb does what it says."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from piano.events import Event, NoteOff, NoteOn, Pedal, Role
from piano.vocabulary import VOCABULARY
from realtime.call_and_response import AnswerSettings
from realtime.clock import ManualClock
from realtime.commands import ChangePlaying, Command, HandOver, Keep, Mode, NewPiece, Panic, Retry, StopPlaying, Undo
from realtime.loop import LONGEST_NS, LoopSettings
from realtime.loop_answer import LAST_STRIKE_NS
from realtime.manners import Manners
from realtime.offline_run import OfflineRun
from realtime.partner import PartnerSettings
from realtime.performer import Activity, LoopStatus
from realtime.scripted_session import ScriptedSession
from realtime.session import Session
from tests.realtime.stage import (
    HEAD,
    MS,
    Act,
    S,
    SlowSession,
    acts,
    model_of_chance,
    note,
    own_onsets,
    perform,
    phrase,
    sounding_at,
    wire,
)

RUNS = settings(max_examples=25, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
COMMANDS: tuple[Command, ...] = (HandOver(), StopPlaying(), NewPiece(), Panic(), Retry(), Keep(), Undo())
HELD = LoopSettings(renews=False)
ON_WISH = replace(HELD, pause=None)


def model_of_silence() -> Session:
    """Return a model that leaves everything to the player: what is heard is the loop's own."""
    return ScriptedSession(VOCABULARY.size, 100_000, script=lambda _: VOCABULARY.on(Role.GIVEN, 108))


def playing(how: LoopSettings) -> ChangePlaying:
    return ChangePlaying(AnswerSettings(), HEAD, Mode.LOOP, loop=how)


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
        run = recorded(replace(ON_WISH, manners=Manners(lowest_pitch=80), sounds=sounds), model_of_chance())
        run.run_until(9 * S)
        pitches = {timed.event.pitch for timed in own_onsets(run) if isinstance(timed.event, NoteOn)}
        assert ({60, 64, 67} <= pitches) == sounds
        assert any(pitch >= 80 for pitch in pitches)
    tell(run, playing(replace(ON_WISH, manners=Manners(lowest_pitch=80))))
    now_ns = run.clock.now_ns()
    run.run_until(now_ns + 2 * S)
    assert {60, 64, 67} <= {timed.event.pitch for timed in own_onsets(run) if timed.at_ns > now_ns}  # type: ignore[union-attr]


LOUD = LoopSettings(Manners(lowest_pitch=80), pause=None)


def answers_of(run: OfflineRun, passes: int) -> list[list[tuple[int, int]]]:
    """Return what the model struck in each pass."""
    return [[key for key in struck_in(run, number, 3 * S, 2 * S) if key[1] >= 80] for number in range(passes)]


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


@RUNS
@given(acts(COMMANDS, most=20), st.integers(0, 99), st.booleans(), st.booleans(), st.booleans())
def test_whatever_is_played_and_said_every_note_ends(
    done: Sequence[Act], seed: int, renews: bool, sounds: bool, by_pause: bool
) -> None:
    pause = LoopSettings().pause if by_pause else None
    manners = Manners(seed=seed, lowest_pitch=50, highest_pitch=70, most_a_second=5)
    run = a_loop(LoopSettings(manners, pause, sounds, renews), model_of_chance(seed, window=64))
    perform(run, done)
    heard = sounding_at(run.partner.take.sent, run.clock.now_ns())
    assert run.partner.engine.status().fault is None
    assert all(timed.at_ns <= run.clock.now_ns() for timed in own_onsets(run))
    if run.partner.engine.status().performer.activity is not Activity.PLAYING:
        assert heard.is_silent()
    run.finish()
    assert sounding_at(run.partner.take.sent, run.clock.now_ns()).is_silent()
