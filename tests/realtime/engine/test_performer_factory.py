"""The ways of playing, exchanged at any moment: nothing hangs, the player is heard, and the engine goes on."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from piano.events import NoteOff, NoteOn
from realtime.engine.commands import ChangePlaying, Command, HandOver, Keep, NewPiece, Panic, Retry, StopPlaying, Undo
from realtime.engine.performer_factory import performer_of
from realtime.midi.message import MessageKind, bytes_of, kind_of
from realtime.output.scheduler import Scheduler
from realtime.performers.play_settings import AnswerSettings, Mode, PlaySettings
from realtime.settings import Settings
from realtime.take.take import TakePlace, TakeSource
from tests.support.partner_with_thru import PartnerWithThru
from tests.support.random_players import RUNS, Act, acts
from tests.support.scripted_play import MS, S, note, own_onsets, phrase, sounding_at, wire
from tests.support.session_models import HEAD, model_of_chance

COMMANDS = (HandOver(), StopPlaying(), NewPiece(), Panic(), Retry(), Keep(), Undo())

Exchange = tuple[int, Mode, bool]


@st.composite
def acts_and_exchanges(draw: st.DrawFn, commands: Sequence[Command] = COMMANDS) -> list[Act | Exchange]:
    """Return what a random player does, with exchanges of the mode at any moment."""
    done: list[Act | Exchange] = list(draw(acts(commands, most=20)))
    changes = draw(st.lists(st.tuples(st.integers(0, 20), st.sampled_from(Mode), st.booleans()), max_size=6))
    for place, mode, thru in changes:
        index = min(place, len(done))
        before = done[index - 1] if index else None
        at_ns = 0 if before is None else before.at_ns if isinstance(before, Act) else before[0]
        done.insert(index, (at_ns + draw(st.integers(0, 12 * MS)), mode, thru))
    return done


def released_of_all(done: list[Act | Exchange]) -> list[bytes]:
    """Return the releases of every key and pedal that a player may still hold."""
    keys = {act.message[:2] for act in done if isinstance(act, Act) and kind_of(act.message) is MessageKind.NOTE_ON}
    return [bytes((0x80 | key[0] & 0x0F, key[1], 0)) for key in sorted(keys)] + [b"\xb0\x40\x00"]


@RUNS
@given(acts_and_exchanges(), st.sampled_from(Mode), st.booleans(), st.integers(0, 99))
def test_whatever_is_exchanged_every_note_ends(done: list[Act | Exchange], mode: Mode, thru: bool, seed: int) -> None:
    desk = PartnerWithThru(Settings(mode=mode.value, thru=thru), model_of_chance(seed, window=64))
    desk.perform(done)
    sent = desk.run.partner.take.sent
    for data in released_of_all(done):
        desk.deliver(data)
    desk.run.tell(StopPlaying())
    desk.run.run_until(desk.run.clock.now_ns() + 1)
    assert sounding_at(sent, desk.run.clock.now_ns()).is_silent(), "hands off, and nothing is left behind"
    assert desk.run.partner.engine.status().fault is None
    desk.exchange(Mode.VELOCITY)
    now_ns = desk.run.clock.now_ns()
    desk.play([(now_ns + MS, bytes_of(NoteOn(70, 50)))])
    desk.run.run_until(now_ns + 20 * MS)
    assert sent[-1][1][:2] == bytes_of(NoteOn(70, 50))[:2], "the engine goes on"
    desk.run.finish()
    assert sounding_at(sent, desk.run.clock.now_ns()).is_silent()


PLAYED = (HandOver(), StopPlaying(), NewPiece(), Retry(), Keep(), Undo())
"""Commands that do not touch what the player plays."""


@RUNS
@given(acts_and_exchanges(PLAYED), st.sampled_from(Mode), st.integers(0, 99))
def test_what_the_player_plays_goes_through_whatever_is_exchanged(
    done: list[Act | Exchange], mode: Mode, seed: int
) -> None:
    desk = PartnerWithThru(Settings(mode=mode.value, thru=True), model_of_chance(seed, window=64))
    desk.perform([act if isinstance(act, Act) else (act[0], act[1], True) for act in done])
    struck = [act.message[:2] for act in done if isinstance(act, Act) and kind_of(act.message) is MessageKind.NOTE_ON]
    passed = [
        record.data[:2]
        for record in desk.run.partner.take.since(TakePlace())
        if record.source is TakeSource.PASSED and kind_of(record.data) is MessageKind.NOTE_ON
    ]
    assert sorted(passed) == sorted(struck), "each key once"


def test_each_mode_has_its_performer() -> None:
    for mode in Mode:
        desk = PartnerWithThru(Settings())
        output = Scheduler(desk.run.clock, None)
        playing = PlaySettings(AnswerSettings(), HEAD, mode)
        assert performer_of(playing, model_of_chance(), output).mode is mode


def test_a_round_of_all() -> None:
    desk = PartnerWithThru(Settings())
    run = desk.run
    desk.play(phrase(1.0))
    run.run_until(5 * S)
    answered = len(own_onsets(run))
    assert answered
    desk.exchange(Mode.DUET)
    run.run_until(5 * S)
    assert sounding_at(run.partner.take.sent, 5 * S).is_silent(), "the answer ends with its mode"
    desk.play(phrase(6.0))
    run.run_until(8 * S)
    assert len(own_onsets(run)) > answered
    desk.exchange(Mode.VELOCITY)
    run.run_until(8 * S)
    assert sounding_at(run.partner.take.sent, 8 * S).is_silent()
    before = len(run.partner.take.sent)
    desk.play(wire(note(9.0, 60)))
    run.run_until(15 * S)
    assert [data[1] for _, data in run.partner.take.sent[before:]] == [60, 60]
    desk.exchange(Mode.LOOP)
    desk.play(phrase(16.0))
    run.run_until(22 * S)
    assert len(own_onsets(run)) > answered + 12, "two passes of six keys, and the answers"
    desk.exchange(Mode.ANSWER)
    run.run_until(22 * S)
    assert sounding_at(run.partner.take.sent, 22 * S).is_silent(), "the loop ends with its mode"
    before = len(own_onsets(run))
    desk.play(phrase(23.0))
    run.run_until(27 * S)
    assert run.is_playing
    assert run.partner.engine.status().performer.answers == 1
    assert len(own_onsets(run)) > before


def test_a_key_that_is_held_through_the_exchange_ends_when_it_comes_up() -> None:
    desk = PartnerWithThru(Settings(mode="velocity"))
    desk.play(wire([(1.0, NoteOn(60, 40))]))
    desk.run.run_until(2 * S)
    desk.exchange(Mode.DUET)
    desk.play(wire([(3.0, NoteOff(60))]))
    desk.run.run_until(3 * S)
    assert desk.run.partner.take.sent[-1] == (3 * S, bytes_of(NoteOff(60)))
    assert not desk.run.partner.scheduler.status().sounding.thru


def test_a_key_that_waits_while_the_mode_is_exchanged_goes_out_as_it_came() -> None:
    desk = PartnerWithThru(Settings(mode="velocity"))
    desk.run.run_until(S)
    desk.run.tell(ChangePlaying(PlaySettings(AnswerSettings(), HEAD)))
    desk.deliver(bytes_of(NoteOn(60, 40)))
    desk.exchange(Mode.ANSWER)
    desk.run.run_until(S + 10 * MS)
    assert desk.run.partner.take.sent == [(S + 10 * MS, bytes_of(NoteOn(60, 40)))]
