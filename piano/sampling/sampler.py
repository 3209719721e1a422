"""Sampling the next token: temperature, top-k, top-p (Holtzman et al. 2020), min-p (Nguyen et al. 2024), greedy.

Top-p over all tokens cuts most where the model is least certain, and waits are spread wide. `note_top_p` cuts within
one choice at a time: which key goes down, how hard. What kind of event comes, and when, stays as likely as it was.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from piano.tokens.vocabulary import KEYS, VELOCITY_BINS, VOCABULARY

_EDGES = np.cumsum(
    [VOCABULARY.first_on, KEYS, KEYS, VOCABULARY.first_velocity - VOCABULARY.first_on - 2 * KEYS, VELOCITY_BINS]
)
_CHOICES = ((0, 1), (1, 2), (3, 4))
"""Between which of the edges there is one choice: our keys that go down, those of the other role, velocities."""

_COLDEST = 1e-200
"""A temperature below this gives the same distribution as this, and overflows."""


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """How bold the model is. `temperature` 0 takes the likeliest token; `top_k` 0, `min_p` 0 and shares of 1 are off.

    `repetition_guard` and `pace_guard` are for streams that are played on without an end, see
    `piano.sampling.repetition_guard` and `piano.sampling.density_guard`: the logits have gone through them before they
    come here. 0 is off. `recall` says how much of what was played comes back, see `piano.sampling.memory`; 1 is what
    fits real music. `pulse_guard` keeps to the rhythm that is going on, see `piano.sampling.rhythm`.
    `phrase_guard` keeps keys where those of the phrase lie, see `piano.sampling.phrase_guard`.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_guard: float = 0.0
    note_top_p: float = 1.0
    pace_guard: float = 0.0
    recall: float = 0.0
    pulse_guard: float = 0.0
    phrase_guard: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= 10:
            raise ValueError(f"temperature must lie between 0 and 10, not {self.temperature}")
        if self.top_k < 0:
            raise ValueError(f"top_k must be 0 (off) or more, not {self.top_k}")
        for name, share in (("top_p", self.top_p), ("note_top_p", self.note_top_p)):
            if not 0 < share <= 1:
                raise ValueError(f"{name} must be above 0 and at most 1, not {share}")
        if not 0 <= self.min_p < 1:
            raise ValueError(f"min_p must be at least 0 and below 1, not {self.min_p}")
        for name, guard in (
            ("repetition_guard", self.repetition_guard),
            ("pace_guard", self.pace_guard),
            ("recall", self.recall),
            ("pulse_guard", self.pulse_guard),
            ("phrase_guard", self.phrase_guard),
        ):
            if not 0 <= guard <= 10:
                raise ValueError(f"{name} must lie between 0 and 10, not {guard}")


def probabilities(
    logits: NDArray[np.float32], mask: NDArray[np.bool_], settings: SamplingSettings
) -> NDArray[np.float64]:
    """Return the distribution to sample from, (vocab,): zero wherever `mask` is False or a limit cuts.

    The limits apply after the temperature, each to what the one before leaves: min-p, top-k, top-p, note-top-p. Tokens
    as likely as the k-th stay; of equally likely tokens top-p takes those with the lowest ids first. Note-top-p leaves
    the keys of a role that can go down, and the velocities, as likely together as they were. ValueError if the mask
    allows nothing or an allowed logit is not a number: the caller has lost its model.
    """
    tokens, weights = _weights(logits, mask, settings)
    spread = np.zeros(logits.size, np.float64)
    spread[tokens] = weights / weights.sum()
    return spread


def _weights(
    logits: NDArray[np.float32], mask: NDArray[np.bool_], settings: SamplingSettings
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the tokens that the mask allows, ascending, and how much each weighs; the likeliest weighs 1."""
    tokens = mask.nonzero()[0]
    weights = logits[tokens].astype(np.float64)
    peak = float(weights.max(initial=-np.inf))
    if not math.isfinite(peak):
        raise ValueError("no token can be sampled: the mask allows none, or the model's logits are not numbers")
    if settings.temperature == 0:
        greedy = np.zeros(tokens.size, np.float64)
        greedy[weights.argmax()] = 1.0
        return tokens, greedy
    weights -= peak
    if settings.temperature != 1:
        weights /= max(settings.temperature, _COLDEST)
    np.exp(weights, out=weights)
    if settings.min_p > 0:
        weights[weights < settings.min_p] = 0.0
    if 0 < settings.top_k < tokens.size:
        weights[weights < np.partition(weights, -settings.top_k)[-settings.top_k]] = 0.0
    if settings.top_p < 1:
        _keep_likeliest(weights, settings.top_p)
    if settings.note_top_p < 1:
        _trim_choices(tokens, weights, settings.note_top_p)
    return tokens, weights


def _trim_choices(tokens: NDArray[np.intp], weights: NDArray[np.float64], share: float) -> None:
    """Keep of each choice the heaviest tokens that reach the share of its sum, and that sum."""
    places = tokens.searchsorted(_EDGES).tolist()
    for first, end in _CHOICES:
        choice = weights[places[first] : places[end]]
        if choice.size > 1 and (whole := float(choice.sum())) > 0:
            _keep_likeliest(choice, share)
            choice *= whole / choice.sum()


def _keep_likeliest(weights: NDArray[np.float64], share: float) -> None:
    """Set all to 0 but the heaviest that together reach the share of the sum."""
    order = np.argsort(-weights, kind="stable")
    reached = weights[order].cumsum()
    first_out = int(reached.searchsorted(share * reached[-1])) + 1
    weights[order[first_out:]] = 0.0


class Sampler:
    """Draws tokens with one seeded generator: exactly one random number a token, so that a run can be repeated."""

    def __init__(self, seed: int, settings: SamplingSettings | None = None) -> None:
        self.settings = settings or SamplingSettings()
        self._seed = seed
        self._rng = np.random.default_rng(seed)

    def restart(self, turn: int) -> None:
        """Draw from now on as the given turn of this seed draws, however much was drawn before."""
        self._rng = np.random.default_rng((self._seed, turn))

    def draw(self, logits: NDArray[np.float32], mask: NDArray[np.bool_]) -> int:
        """Return the next token for logits and mask of shape (vocab,); errors as for `probabilities`."""
        tokens, weights = _weights(logits, mask, self.settings)
        return int(tokens[pick(weights, self._rng.random())])


def pick(weights: NDArray[np.float64], point: float) -> int:
    """Return the index at which the running sum of the weights passes `point` (0 to below 1) of the whole.

    Never one that weighs nothing, whatever the rounding.
    """
    reached = weights.cumsum()
    whole = reached[-1]
    # the running sum grows at the index found: past a point below the whole, or up to the whole at the latest
    aim = point * whole
    return int(reached.searchsorted(aim, side="right") if aim < whole else reached.searchsorted(whole))
