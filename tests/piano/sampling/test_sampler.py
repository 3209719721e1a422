"""Sampling against a slow reference, and to the last bit of a random number."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from piano.sampling.sampler import Sampler, SamplingSettings, pick, probabilities
from piano.tokens.grammar import Grammar
from piano.tokens.vocabulary import VOCABULARY, Kind

Logits = NDArray[np.float32]
Mask = NDArray[np.bool_]

LOGITS = hnp.arrays(
    np.float32, st.integers(1, 40), elements=st.one_of(st.integers(-6, 6), st.floats(-40, 40, width=32))
)
SETTINGS = st.builds(
    SamplingSettings,
    temperature=st.sampled_from([0.0, 0.3, 1.0, 1.7, 10.0]),
    top_k=st.sampled_from([0, 1, 2, 5, 39, 100]),
    top_p=st.sampled_from([1e-9, 0.25, 0.5, 0.9, 0.999, 1.0]),
    min_p=st.sampled_from([0.0, 0.02, 0.5, 0.99]),
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Logits, Mask]:
    """Draw logits, ties among them, and a mask that allows at least one."""
    logits = draw(LOGITS)
    mask = draw(hnp.arrays(np.bool_, logits.size))
    mask[draw(st.integers(0, logits.size - 1))] = True
    return logits, mask


def reference(logits: Logits, mask: Mask, settings: SamplingSettings) -> list[float]:
    """Return the distribution by the definitions, one token at a time."""
    tokens = [index for index in range(logits.size) if mask[index]]
    if settings.temperature == 0:
        best = max(tokens, key=lambda token: (float(logits[token]), -token))
        return [float(index == best) for index in range(logits.size)]
    peak = max(float(logits[token]) for token in tokens)
    weights = {token: math.exp((float(logits[token]) - peak) / settings.temperature) for token in tokens}
    weights = {token: weight for token, weight in weights.items() if weight >= settings.min_p}
    if settings.top_k:
        ranked = sorted(weights.values(), reverse=True)
        floor = ranked[min(settings.top_k, len(ranked)) - 1]
        weights = {token: weight for token, weight in weights.items() if weight >= floor}
    if settings.top_p < 1:
        whole, reached, kept = math.fsum(weights.values()), 0.0, {}
        for token in sorted(weights, key=lambda token: (-weights[token], token)):
            if reached >= settings.top_p * whole:
                break
            kept[token] = weights[token]
            reached += weights[token]
        weights = kept
    whole = math.fsum(weights.values())
    return [weights.get(index, 0.0) / whole for index in range(logits.size)]


@given(cases(), SETTINGS)
def test_the_distribution_is_the_one_defined(case: tuple[Logits, Mask], settings: SamplingSettings) -> None:
    logits, mask = case
    ours, expected = probabilities(logits, mask, settings), np.array(reference(logits, mask, settings))
    apart = np.abs(ours - expected)
    # where the share of top-p falls on a boundary to within rounding, either side of it is right
    if settings.top_p < 1 and apart.max() > 1e-9:
        nudged = [
            SamplingSettings(settings.temperature, settings.top_k, settings.top_p * factor, settings.min_p)
            for factor in (1 - 1e-12, min(1 + 1e-12, (1 - 1e-16) / settings.top_p))
        ]
        apart = np.min([np.abs(ours - np.array(reference(logits, mask, other))) for other in nudged], axis=0)
    assert apart.max() <= 1e-9
    assert abs(ours.sum() - 1) < 1e-9
    assert not ours[~mask].any()


@given(st.integers(0, 2**32), st.floats(0.05, 0.999), st.lists(st.integers(0, 573), max_size=6))
def test_the_share_of_notes_leaves_what_happens_and_when_as_it_was(seed: int, share: float, played: list[int]) -> None:
    grammar = Grammar()
    for token in played:
        grammar.push(token)
    logits = (np.random.default_rng(seed).standard_normal(VOCABULARY.size) * 3).astype(np.float32)
    plain = probabilities(logits, grammar.mask(), SamplingSettings())
    trimmed = probabilities(logits, grammar.mask(), SamplingSettings(note_top_p=share))
    is_note = np.isin(VOCABULARY.kinds, (Kind.ON, Kind.VELOCITY))
    assert trimmed[~is_note] == pytest.approx(plain[~is_note], abs=1e-12)
    for kind in (Kind.ON, Kind.VELOCITY):
        for role in (0, 1):
            choice = (VOCABULARY.kinds == kind) & (VOCABULARY.roles == role)
            whole = plain[choice].sum()
            assert trimmed[choice].sum() == pytest.approx(whole, abs=1e-12)
            if whole == 0:
                continue
            kept = trimmed[choice] > 0
            reached = plain[choice][kept].sum() / whole
            assert reached >= share - 1e-9
            assert reached - plain[choice][kept].min() / whole < share + 1e-9
            assert plain[choice][kept].min() >= plain[choice][~kept].max(initial=0.0)
            ratios = trimmed[choice][kept] / plain[choice][kept]
            assert ratios == pytest.approx(np.full(ratios.size, 1 / reached))


@given(cases(), SETTINGS, st.integers(0, 2**32))
def test_a_draw_is_never_a_token_of_no_probability(
    case: tuple[Logits, Mask], settings: SamplingSettings, seed: int
) -> None:
    logits, mask = case
    possible = probabilities(logits, mask, settings)
    sampler = Sampler(seed, settings)
    for _ in range(20):
        assert possible[sampler.draw(logits, mask)] > 0


@given(
    hnp.arrays(
        np.float64,
        st.integers(1, 30),
        elements=st.sampled_from([0.0, 1.0, 0.1, 0.3, 1e-17, 1e-300, 5e-324]),
    ),
    st.one_of(st.sampled_from([0.0, 1 - 2**-53, 0.5]), st.floats(0, 1, exclude_max=True)),
)
def test_no_rounding_leads_outside_or_to_a_weight_of_zero(weights: NDArray[np.float64], point: float) -> None:
    if weights.any():
        assert weights[pick(weights, point)] > 0


def test_the_ends_of_the_running_sum_are_safe() -> None:
    weights = np.array([0.0, 5e-324, 0.0])  # half of the smallest number rounds up to it
    assert pick(weights, 1 - 2**-53) == 1
    assert pick(weights, 0.0) == 1
    assert pick(np.array([0.0, 0.1, 0.2, 0.7, 1e-30, 0.0]), 1 - 2**-53) == 3


def test_the_shares_of_the_draws_are_the_probabilities() -> None:
    weights = np.array([1.0, 0.0, 3.0, 4.0])
    points = (np.arange(800) + 0.5) / 800
    counts = np.bincount([pick(weights, point) for point in points.tolist()], minlength=4)
    assert counts.tolist() == [100, 0, 300, 400]


@given(cases(), st.integers(0, 2**32))
def test_cold_is_greedy(case: tuple[Logits, Mask], seed: int) -> None:
    logits, mask = case
    token = Sampler(seed, SamplingSettings(temperature=0)).draw(logits, mask)
    assert mask[token]
    assert logits[token] == logits[mask].max()
    assert token == np.flatnonzero(mask & (logits == logits[token]))[0]


def test_the_coldest_of_temperatures_is_no_overflow() -> None:
    logits = np.array([3e38, -3e38, 3e38], np.float32)
    spread = probabilities(logits, np.ones(3, np.bool_), SamplingSettings(temperature=5e-324))
    assert spread.tolist() == [0.5, 0.0, 0.5]


@given(cases(), SETTINGS, st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_tokens(case: tuple[Logits, Mask], settings: SamplingSettings, seed: int) -> None:
    logits, mask = case
    one, other = Sampler(seed, settings), Sampler(seed, settings)
    assert [one.draw(logits, mask) for _ in range(10)] == [other.draw(logits, mask) for _ in range(10)]


@given(cases(), SETTINGS, st.integers(0, 2**32))
def test_a_token_costs_exactly_one_random_number(
    case: tuple[Logits, Mask], settings: SamplingSettings, seed: int
) -> None:
    sampler, rng = Sampler(seed, settings), np.random.default_rng(seed)
    wide, flat = np.zeros(1000, np.float32), np.ones(1000, np.bool_)
    sampler.draw(*case)
    rng.random()
    sampler.settings = SamplingSettings()
    assert sampler.draw(wide, flat) == pick(np.ones(1000), rng.random())


def test_a_draw_changes_neither_logits_nor_mask() -> None:
    logits, mask = np.array([1.0, 2.0, 3.0], np.float32), np.array([True, False, True])
    Sampler(1, SamplingSettings(0.5, 1, 0.5, 0.1)).draw(logits, mask)
    assert logits.tolist() == [1.0, 2.0, 3.0]
    assert mask.tolist() == [True, False, True]


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_logits_that_are_no_numbers_are_refused(value: float, temperature: float) -> None:
    logits = np.array([0.0, value, 1.0], np.float32)
    sampler = Sampler(1, SamplingSettings(temperature))
    with pytest.raises(ValueError, match="logits are not numbers"):
        sampler.draw(logits, np.ones(3, np.bool_))
    assert sampler.draw(logits, np.array([False, False, True])) == 2  # nobody asks for the one that is none


def test_a_mask_that_allows_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="the mask allows none"):
        Sampler(1).draw(np.zeros(3, np.float32), np.zeros(3, np.bool_))
    with pytest.raises(ValueError, match="the mask allows none"):
        Sampler(1).draw(np.full(3, -np.inf, np.float32), np.ones(3, np.bool_))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("temperature", value) for value in (-0.1, 10.1, math.nan)),
        *(("top_p", value) for value in (0.0, 1.1, math.nan)),
        *(("note_top_p", value) for value in (0.0, 1.1, math.nan)),
        *(("repetition_guard", value) for value in (-0.1, 10.1, math.nan)),
        *(("min_p", value) for value in (-0.1, 1.0, math.nan)),
        ("top_k", -1),
    ],
)
def test_an_impossible_setting_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} must .* not {value}"):
        SamplingSettings(**{name: value})  # type: ignore[arg-type]
