"""The histogram of lateness agrees with the sorted list, to the width of its buckets."""

import math

from hypothesis import given
from hypothesis import strategies as st

from realtime.threads.lateness import LatenessHistogram, LatenessSummary


@given(st.lists(st.integers(-1_000, 10**11), min_size=1, max_size=200))
def test_percentiles_are_upper_bounds_within_a_bucket(lates_ns: list[int]) -> None:
    histogram = LatenessHistogram()
    for late_ns in lates_ns:
        histogram.add(late_ns)
    summary = histogram.summary()
    ordered = sorted(max(late_ns, 0) for late_ns in lates_ns)
    assert summary.count == len(ordered)
    assert summary.max_ms == ordered[-1] / 1e6
    for fraction, shown_ms in ((0.5, summary.p50_ms), (0.99, summary.p99_ms), (0.999, summary.p999_ms)):
        exact_ns = ordered[math.ceil(fraction * len(ordered)) - 1]
        assert exact_ns / 1e6 <= shown_ms <= exact_ns * 1.0626 / 1e6 + 0.001


def test_nothing_sent_is_no_lateness() -> None:
    assert LatenessHistogram().summary() == LatenessSummary()
