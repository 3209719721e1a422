"""Settings of the property tests: a busy machine is no failure; where CI is set each run draws the same examples."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "untimed",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("untimed")
