"""Our session, on a bundle made from the checkpoint by our exporter."""

from collections.abc import Sequence

from bench.contestant import BenchModel
from bench.peers.one_call_a_step import OneCallAStep
from inference.bundle import Bundle
from inference.onnx_session import OnnxSession


class Ours(OneCallAStep):
    """pianod's session as the daemon runs it."""

    def __init__(self, matter: BenchModel) -> None:
        bundle = Bundle.load(matter.bundle)
        self._session = OnnxSession(bundle, provider="cpu", threads=matter.threads)
        self._vocabulary = bundle.manifest.shape.vocabulary

    def prefill(self, tokens: Sequence[int]) -> None:
        self._session.reset()
        self._session.feed(tokens)

    def _cut(self, length: int) -> int:
        self._session.rollback(min(self._session.length, length))
        return self._session.length

    def _take(self, tokens: Sequence[int]) -> None:
        self._session.feed(tokens)

    def _next(self, token: int) -> int:
        return int(self._session.feed([token]).argmax())
