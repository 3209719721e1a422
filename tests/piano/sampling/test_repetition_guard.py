"""Figures that come again: counted as by hand, taken back exactly, and held back only where they come too often."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.events import Role
from piano.sampling.repetition_guard import FIGURE, FREE_TIMES, MEMORY, RepetitionGuard
from piano.tokens.vocabulary import VOCABULARY

FEW_PITCHES = st.lists(st.integers(60, 62), max_size=80)


def figures_of(pitches: list[int]) -> RepetitionGuard:
    figures = RepetitionGuard()
    for pitch in pitches:
        figures.push(pitch)
    return figures


def by_hand(pitches: list[int]) -> dict[int, int]:
    """Return what followed the last keys within the memory, by looking at every place."""
    if len(pitches) < FIGURE - 1:
        return {}
    beginning = pitches[len(pitches) - FIGURE + 1 :]
    found: dict[int, int] = {}
    for place in range(max(FIGURE - 1, len(pitches) - MEMORY), len(pitches)):
        if pitches[place - FIGURE + 1 : place] == beginning:
            found[pitches[place]] = found.get(pitches[place], 0) + 1
    return found


@given(FEW_PITCHES)
def test_figures_are_counted_as_by_hand(pitches: list[int]) -> None:
    assert dict(figures_of(pitches).following()) == by_hand(pitches)


@given(FEW_PITCHES, FEW_PITCHES, st.integers(0, 40))
def test_a_detour_leaves_nothing_behind(pitches: list[int], detour: list[int], back: int) -> None:
    kept = max(len(pitches) - back, 0)
    figures = figures_of(pitches + detour)
    figures.rollback(kept)
    assert len(figures) == kept
    for pitch in pitches[kept:]:
        figures.push(pitch)
    assert dict(figures.following()) == by_hand(pitches)
    assert figures._times == figures_of(pitches)._times


def test_what_lies_before_the_memory_is_forgotten_and_comes_back_with_a_rollback() -> None:
    rng = np.random.default_rng(1)
    pitches: list[int] = rng.integers(60, 63, 2 * MEMORY + 100).tolist()
    figures = RepetitionGuard()
    for number, pitch in enumerate(pitches, 1):
        figures.push(pitch)
        if number % 50 == 0:
            assert dict(figures.following()) == by_hand(pitches[:number])
    figures.rollback(MEMORY + 20)
    assert dict(figures.following()) == by_hand(pitches[: MEMORY + 20])


def test_no_more_can_be_taken_back_than_there_is() -> None:
    with pytest.raises(ValueError, match="2 notes roll back to 0 to 2, not 3"):
        figures_of([60, 62]).rollback(3)


@pytest.mark.parametrize("rounds", [FREE_TIMES, FREE_TIMES + 1, FREE_TIMES + 4])
def test_each_time_too_often_costs_as_much_again(rounds: int) -> None:
    figure = [60, 64, 67, 72, 76, 79]
    figures = figures_of(figure * rounds + figure[:-1])  # its last key has come `rounds` times
    logits = np.zeros(VOCABULARY.size, np.float32)
    held_back = figures.penalise(logits, 0.5)
    expected = logits.copy()
    expected[VOCABULARY.on(Role.OWN, figure[-1])] = -0.5 * (rounds - FREE_TIMES + 1)
    assert held_back.tolist() == expected.tolist()
    assert not logits.any()


def test_what_pianists_do_passes_untouched() -> None:
    figure = [60, 64, 67, 72, 76, 79]
    figures = figures_of(figure * (FREE_TIMES - 1) + figure[:-1])
    logits = np.zeros(VOCABULARY.size, np.float32)
    assert figures.penalise(logits, 0.5) is logits
    often = figures_of(figure * 50 + figure[:-1])
    assert often.penalise(logits, 0.0) is logits
