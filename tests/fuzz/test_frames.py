"""A share of what strangers may send to the panel's socket, chosen by Hypothesis: the panel goes on serving."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import frames

HEADS = st.sampled_from([final | kind for final in (0x00, 0x80, 0xC0, 0xF0) for kind in range(16)])
REQUESTS = st.sampled_from([seed[2:] for seed in frames.seeds() if seed[:1] == frames.FRAMES])
PAYLOADS = st.one_of(st.binary(max_size=40), REQUESTS, st.text(max_size=40).map(str.encode))
PARTS = st.builds(lambda head, payload: bytes((head,)) + payload, HEADS, PAYLOADS)
CONVERSATIONS = st.one_of(
    st.lists(PARTS, min_size=1, max_size=8).map(lambda parts: frames.FRAMES + frames.BETWEEN.join(parts)),
    st.binary(max_size=60).map(lambda data: frames.RAW + data),
    st.binary(max_size=60).map(lambda data: frames.HTTP + data),
)


@pytest.fixture(scope="module", autouse=True)
def _panel() -> Iterator[None]:
    yield
    while frames._PANELS:
        frames._PANELS.pop().close()


@given(CONVERSATIONS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_a_stranger_sends_the_panel_goes_on(data: bytes) -> None:
    frames.check(data)
