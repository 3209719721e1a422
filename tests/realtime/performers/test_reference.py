"""What is played like: its opening is whole and stays at hand, all of it is remembered, and it can be changed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.errors import MidiFileError
from piano.events import Role
from piano.notes import NOTE, PEDAL, Performance
from piano.sampling.memory import Memory
from piano.tokens.encoding import decode
from piano.tokens.grammar import Grammar
from piano.tokens.vocabulary import VOCABULARY
from realtime.engine.commands import ChangePlaying, HandOver, NewPiece
from realtime.engine.offline_run import OfflineRun
from realtime.engine.partner import PartnerSettings
from realtime.performers.heard_before import prompt_of
from realtime.performers.performer import Activity
from realtime.performers.play_settings import AnswerSettings, Length, Mode, PlaySettings
from realtime.performers.reference import OPENING_TOKENS, Reference, reference_of
from tests.support.scripted_play import S
from tests.support.session_models import HEAD, ChanceSession

_NOTES = st.lists(
    st.tuples(st.floats(0, 60), st.floats(0.02, 3), st.integers(21, 108), st.integers(1, 127), st.just(0)),
    min_size=1,
    max_size=120,
)


def a_performance(pitches: list[int], gap_s: float = 0.25, *, pedal: bool = False) -> Performance:
    rows = [(3.0 + index * gap_s, gap_s * 2, pitch, 60, 0) for index, pitch in enumerate(pitches)]
    return Performance(np.array(rows, NOTE), np.array([(3.1, True)] if pedal else [], PEDAL))


@given(_NOTES, st.booleans())
def test_opening_and_whole_end_with_all_up(rows: list[tuple[float, float, int, int, int]], pedal: bool) -> None:
    performance = Performance(np.array(sorted(rows), NOTE), np.array([(0.5, True)] if pedal else [], PEDAL))
    reference = reference_of(performance, "piece")
    assert len(reference.opening) <= OPENING_TOKENS + 60, "what is cut off comes up"
    for tokens in (reference.opening, reference.tokens):
        grammar = Grammar()
        for token in tokens:
            grammar.push(token)
        assert not grammar.sounding(Role.OWN)
        assert not grammar.pedal_is_down(Role.OWN)
    assert decode(np.array(reference.tokens, np.int32)).performance.notes.size == len(rows)


def test_it_says_how_busy_to_be_and_a_file_without_notes_is_refused() -> None:
    assert reference_of(a_performance([60] * 41, 0.125), "piece").notes_per_s == pytest.approx(8.0)
    assert reference_of(a_performance([60, 62]), "piece").notes_per_s is None
    with pytest.raises(MidiFileError, match=r"empty\.mid: there is no note"):
        reference_of(a_performance([]), "empty.mid")


def a_reference(lowest: int) -> Reference:
    return reference_of(a_performance([lowest + step for _ in range(30) for step in (0, 4, 7)]), f"from {lowest}")


def settings_like(reference: Reference | None, mode: Mode = Mode.ANSWER) -> PlaySettings:
    head = HEAD if reference is None else (*HEAD, *reference.opening)
    return PlaySettings(AnswerSettings(pause=None, length=Length.ENDLESS), head, mode, reference=reference)


def a_run(reference: Reference | None) -> tuple[OfflineRun, ChanceSession]:
    session = ChanceSession(VOCABULARY.size, 1 << 20, seed=1)
    return OfflineRun(session, PartnerSettings(settings_like(reference))), session


def test_the_model_hears_the_opening_first_and_a_prompt_is_what_was_played_alone() -> None:
    reference = a_reference(40)
    _, session = a_run(reference)
    assert session.tokens == (*HEAD, *reference.opening)
    memory = Memory()
    memory.learn(reference.tokens)
    assert prompt_of(memory, one_voice=True) == ()


def test_it_can_be_changed_while_it_plays_and_the_answer_goes_on() -> None:
    run, session = a_run(a_reference(40))
    run.tell(HandOver())
    run.run_until(2 * S)
    other = a_reference(70)
    run.tell(ChangePlaying(settings_like(other)))
    run.run_until(4 * S)
    assert session.tokens[: len(HEAD) + len(other.opening)] == (*HEAD, *other.opening)
    assert run.partner.engine.status().performer.activity is Activity.PLAYING
    assert max(timed.at_ns for timed in run.answered()) > 3 * S


def test_a_new_piece_forgets_what_was_played_and_not_what_is_played_like() -> None:
    memory, reference = Memory(), a_reference(50)
    memory.extend(a_reference(30).tokens)
    memory.learn(reference.tokens)
    memory.extend(a_reference(60).tokens)
    memory.forget()
    assert tuple(memory.tokens) == reference.tokens
    assert memory.copy().learned == memory.learned == len(reference.tokens)
    run, session = a_run(reference)
    run.tell(HandOver())
    run.run_until(2 * S)
    run.tell(NewPiece())
    run.run_until(3 * S)
    assert session.tokens == (*HEAD, *reference.opening)
