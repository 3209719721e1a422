"""Fixtures of the real-time tests: a JACK server of our own; property tests are not timed.

Where CI is set each run draws the same examples: a rare fault is found at a desk, and not in somebody's landing.
"""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.jack import JackServer

settings.register_profile(
    "untimed", deadline=None, derandomize=bool(os.environ.get("CI")), suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def jack_server() -> Iterator[JackServer]:
    """Give a JACK server that this process and its children use for the rest of the session."""
    with JackServer() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("JACK_DEFAULT_SERVER", server.name)
        yield server
