"""What drawing one token takes once its logits are there: the mask, the distribution, the draw."""

import statistics
import time

import numpy as np

from piano.sampling.sampler import Sampler, SamplingSettings


def sample_us(draws: int, vocabulary: int) -> float:
    """Return the median microseconds of a draw, where the grammar allows half of the tokens and top-p cuts."""
    chance = np.random.default_rng(0)
    sampler = Sampler(1, SamplingSettings(temperature=0.95, top_p=0.98))
    logits = chance.standard_normal((16, vocabulary)).astype(np.float32) * 4
    masks = chance.random((16, vocabulary)) < 0.5
    masks[:, 0] = True  # never none
    taken = []
    for number in range(draws):
        row = number % 16
        began_ns = time.perf_counter_ns()
        sampler.draw(logits[row], masks[row])
        taken.append((time.perf_counter_ns() - began_ns) / 1e3)
    return statistics.median(taken)
