"""Made-up music for measurements that want notes and do not care which."""

import numpy as np

from piano.notes import Performance, no_notes


def random_performance(count: int, *, seed: int) -> Performance:
    """Return so many notes, about nine a second, as dense as fast playing."""
    chance = np.random.default_rng(seed)
    notes = np.zeros(count, no_notes().dtype)
    notes["onset_s"] = np.cumsum(chance.exponential(0.11, count))
    notes["duration_s"] = chance.uniform(0.05, 0.6, count)
    notes["pitch"] = chance.integers(30, 95, count)
    notes["velocity"] = chance.integers(20, 110, count)
    return Performance(notes)
