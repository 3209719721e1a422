"""Sampling the next token: temperature, top-k, top-p (Holtzman et al. 2020), min-p (Nguyen et al. 2024), greedy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """How bold the model is. `temperature` 0 takes the likeliest token; `top_k` 0, `top_p` 1 and `min_p` 0 are off."""

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= 10:
            raise ValueError(f"temperature must lie between 0 and 10, not {self.temperature}")
        if self.top_k < 0:
            raise ValueError(f"top_k must be 0 (off) or more, not {self.top_k}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must be above 0 and at most 1, not {self.top_p}")
        if not 0 <= self.min_p < 1:
            raise ValueError(f"min_p must be at least 0 and below 1, not {self.min_p}")


def probabilities(
    logits: NDArray[np.float32], mask: NDArray[np.bool_], settings: SamplingSettings
) -> NDArray[np.float64]:
    """Return the distribution to sample from, (vocab,): zero wherever `mask` is False or a limit cuts.

    ValueError if the mask allows nothing or a logit is not a number: the caller has lost its model.
    """
    allowed = np.where(mask, logits, -np.inf)
    peak = float(allowed.max())
    if not np.isfinite(peak):
        raise ValueError("no token can be sampled: the mask allows none, or the model's logits are not numbers")
    if settings.temperature == 0:
        greedy = np.zeros(logits.size, np.float64)
        greedy[int(allowed.argmax())] = 1.0
        return greedy
    weights = np.exp((allowed - peak).astype(np.float64) / settings.temperature)
    if settings.min_p > 0:
        weights[weights < settings.min_p] = 0.0  # the likeliest token weighs 1
    if 0 < settings.top_k < logits.size:
        weights[weights < np.partition(weights, -settings.top_k)[-settings.top_k]] = 0.0
    if settings.top_p < 1:
        order = np.argsort(-weights, kind="stable")
        reached = np.cumsum(weights[order])
        first_out = int(np.searchsorted(reached, settings.top_p * reached[-1])) + 1
        weights[order[first_out:]] = 0.0
    total = weights.sum()
    return np.asarray(weights / total, np.float64)


class Sampler:
    """Draws tokens with one seeded generator: exactly one random number a token, so that a run can be repeated."""

    def __init__(self, seed: int, settings: SamplingSettings | None = None) -> None:
        self.settings = settings or SamplingSettings()
        self._rng = np.random.default_rng(seed)

    def draw(self, logits: NDArray[np.float32], mask: NDArray[np.bool_]) -> int:
        """Return the next token for logits and mask of shape (vocab,)."""
        reached = np.cumsum(probabilities(logits, mask, self.settings))
        point = self._rng.random() * reached[-1]
        return int(np.searchsorted(reached, point, side="right"))
