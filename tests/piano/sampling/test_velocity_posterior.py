"""Velocities by Bayes' rule, against a slow reference of the same words."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.sampling.velocity_posterior import (
    HALF_WAY_NOISE,
    VELOCITIES,
    median_velocity,
    noise_of_strength,
    velocity_posterior,
)
from piano.tokens.vocabulary import VELOCITIES_PER_BIN, VELOCITY_BINS

PRIORS = st.lists(st.floats(-8, 8, width=32), min_size=VELOCITY_BINS, max_size=VELOCITY_BINS)


def slow_posterior(prior: list[float], reading: int, noise: float) -> list[float]:
    """Return the product of prior and likelihood for each velocity from 1 to 127, one after the other."""
    sizes = [
        sum(velocity // VELOCITIES_PER_BIN == index for velocity in range(1, 128)) for index in range(VELOCITY_BINS)
    ]
    products = []
    for velocity in range(1, 128):
        index = velocity // VELOCITIES_PER_BIN
        likelihood = math.exp(-(((reading - velocity) / noise) ** 2) / 2)
        products.append(math.exp(prior[index]) / sizes[index] * likelihood)
    return [product / sum(products) for product in products]


def expected_distance(distribution: list[float], velocity: int) -> float:
    return sum(share * abs(velocity - other) for share, other in zip(distribution, range(1, 128), strict=True))


@settings(max_examples=40, deadline=None)
@given(PRIORS, st.integers(1, 127), st.floats(8.0, 200.0))
def test_it_is_prior_times_likelihood(prior: list[float], reading: int, noise: float) -> None:
    found = velocity_posterior(np.array(prior, np.float32), reading, noise)
    slow = slow_posterior(prior, reading, noise)
    np.testing.assert_allclose(found, slow, rtol=1e-5, atol=1e-9)
    median = median_velocity(found)
    assert expected_distance(slow, median) <= min(expected_distance(slow, v) for v in range(1, 128)) + 1e-4


@settings(max_examples=40, deadline=None)
@given(PRIORS, st.integers(1, 127), st.floats(1e-6, 1.0))
def test_a_reading_that_is_exact_is_the_answer_and_one_that_says_nothing_is_not_asked(
    prior: list[float], reading: int, scale: float
) -> None:
    logits = np.array(prior, np.float32)
    assert median_velocity(velocity_posterior(logits, reading, noise_of_strength(0.0))) == reading
    assert median_velocity(velocity_posterior(logits, reading, 0.05 * scale)) == reading
    silent = velocity_posterior(logits, reading, noise_of_strength(1.0))
    np.testing.assert_array_equal(silent, velocity_posterior(logits, 128 - reading, math.inf))
    bins = np.bincount(VELOCITIES // VELOCITIES_PER_BIN, silent)
    weights = np.exp(np.array(prior))
    np.testing.assert_allclose(bins, weights / weights.sum(), rtol=1e-5)


@settings(max_examples=40, deadline=None)
@given(PRIORS, st.integers(1, 126), st.floats(0.0, 1.0))
def test_a_harder_reading_never_gives_a_softer_answer(prior: list[float], reading: int, strength: float) -> None:
    logits, noise = np.array(prior, np.float32), noise_of_strength(strength)
    softer, harder = (median_velocity(velocity_posterior(logits, value, noise)) for value in (reading, reading + 1))
    assert 1 <= softer <= harder <= 127


def test_the_strength_runs_from_an_exact_keyboard_to_one_that_says_nothing() -> None:
    noises = [noise_of_strength(step / 20) for step in range(21)]
    assert noises == sorted(noises)
    assert (noises[0], noises[10], noises[-1]) == (0.0, HALF_WAY_NOISE, math.inf)


@pytest.mark.parametrize("strength", [-0.1, 1.1, math.nan])
def test_a_strength_beyond_the_ends_is_misuse(strength: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        noise_of_strength(strength)


def test_logits_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="not numbers"):
        velocity_posterior(np.full(VELOCITY_BINS, np.nan, np.float32), 64, 30.0)
