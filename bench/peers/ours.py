"""Our session, on a bundle made from the checkpoint by our exporter."""

import time
from collections.abc import Sequence

from bench.contestant import BenchModel, some_tokens
from inference.bundle import Bundle
from inference.onnx_session import OnnxSession


class Ours:
    """pianod's session as the daemon runs it."""

    def __init__(self, matter: BenchModel) -> None:
        bundle = Bundle.load(matter.bundle)
        self._session = OnnxSession(bundle, provider="cpu", threads=matter.threads)
        self._vocabulary = bundle.manifest.shape.vocabulary

    def prefill(self, tokens: Sequence[int]) -> None:
        self._session.reset()
        self._session.feed(tokens)

    def decode(self, past: int, steps: int) -> list[float]:
        self._hold(past)
        feed = self._session.feed
        token, taken = 7, []
        for _ in range(steps):
            began_ns = time.perf_counter_ns()
            token = int(feed([token]).argmax())
            taken.append((time.perf_counter_ns() - began_ns) / 1e6)
        return taken

    def feed(self, past: int, count: int) -> float:
        self._hold(past)
        tokens = some_tokens(count, self._vocabulary)
        began_ns = time.perf_counter_ns()
        self._session.feed(tokens)
        return (time.perf_counter_ns() - began_ns) / 1e6

    def _hold(self, past: int) -> None:
        """Keep what is fed of the past, and feed what lacks."""
        self._session.rollback(min(self._session.length, past))
        missing = some_tokens(past, self._vocabulary)[self._session.length :]
        if missing:
            self._session.feed(missing)
