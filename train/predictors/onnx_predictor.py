"""A bundle as a predictor of windows."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.bundle import Bundle
from inference.equal_rows import EqualRows
from inference.graph_runner import load_runner


class OnnxPredictor:
    """The graph that plays, fed with windows from an empty cache; its memory is used again."""

    def __init__(self, folder: Path) -> None:
        """Load a bundle; BundleError if it is damaged or foreign."""
        self._bundle = Bundle.load(folder)
        self._runner = load_runner(self._bundle, provider="cpu", threads=os.cpu_count() or 1)
        self.context = self._runner.shape.context
        self._rows = EqualRows(self._bundle, 1, runner=self._runner)

    def logits(self, tokens: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the logits of what follows some of the tokens, see `train.predictors.scoring.Predictor`."""
        if tokens.shape[0] != self._rows.rows:
            self._rows = EqualRows(self._bundle, tokens.shape[0], runner=self._runner)
        self._rows.reset()
        return self._rows.feed(tokens.astype(np.int32), rows)
