"""Several streams of one exported model in one batch: rows of the same buffers, one token a row in one graph call.

Rows may have different lengths as long as one token is fed to each (see `export/graph.py`). A row that is fed more is
fed alone, on a view of its part of the buffers, exactly as a single session is; several of these may go side by side,
on threads of its own. It belongs to one thread.

What a round costs is above all the keys and values that it reads, and those of several streams no longer stay in the
processor's cache from token to token as those of one or two seem to. So only who is due is read.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from loguru import logger
from numpy.typing import NDArray

from inference.bundle import Bundle
from inference.graph_runner import Cache, GraphRunner, load_runner, view_of
from inference.manifest import cache_names
from inference.onnx_session import PREFILL_CHUNK
from inference.providers import AUTO
from piano.session import Logits, RowUpdate


class BatchSession:
    """Streams side by side. See `piano.session.Sessions`. The buffers lie in the memory of the CPU."""

    def __init__(
        self,
        bundle: Bundle,
        rows: int,
        *,
        provider: str = AUTO,
        threads: int = 0,
        runner: GraphRunner | None = None,
        abreast: int = 1,
    ) -> None:
        """Load the bundle's graph, or take one that is loaded, and allocate a cache of so many rows.

        So many rows go `abreast` where several are fed more than one token: it changes nothing in what they answer.
        """
        if rows < 1:
            raise ValueError(f"there is at least 1 row, not {rows}")
        if provider not in (AUTO, "cpu"):
            logger.warning("{} runs one stream at a time: several in one batch run on the CPU", provider)
        self._runner = runner or load_runner(bundle, provider="cpu", threads=threads)
        if self._runner.device != "cpu":
            raise ValueError(f"several streams in one batch run on the CPU alone, not with {self._runner.provider}")
        self._shape = self._runner.shape
        # The products take rows by twos and round an odd last one otherwise: an even number makes all rows alike.
        self._rows, width = rows, rows + rows % 2
        shape = (width, *self._shape.cache_shape[1:])
        names = [cache_names(when, self._shape.layers) for when in ("past", "present")]
        self._cache = {pair: np.full(shape, 0, np.float32) for pair in zip(*names, strict=True)}
        self._streams = np.zeros((width, self._shape.context), np.int32)
        self._lengths = np.zeros(width, np.int64)
        # What rounds read and write: bound once for each run of rows, changed in place.
        self._inputs: dict[str, NDArray[Any]] = {
            "tokens": np.zeros((width, 1), np.int32),
            "positions": np.zeros((width, 1), np.int32),
            "last": np.zeros(width, np.int32),
            "total": np.zeros(1, np.int32),
            "rows": np.arange(width, dtype=np.int64),
        }
        self._logits: Logits = np.zeros((width, self._shape.vocabulary), np.float32)
        self._rounds: dict[tuple[int, int], Any] = {}
        self._views: dict[tuple[int, int], Cache] = {}
        self._threads = ThreadPoolExecutor(abreast, "row") if abreast > 1 else None

    @property
    def rows(self) -> int:
        return self._rows

    @property
    def context(self) -> int:
        return self._shape.context

    def feed(self, moves: Mapping[int, RowUpdate]) -> dict[int, Logits]:
        """Move some rows, by number, and return the logits of what follows in each, (vocabulary,), the caller's own."""
        fed = {row: self._checked(row, move) for row, move in moves.items()}
        for row, move in moves.items():
            self._lengths[row] = move.keep
        # One token goes in a round even where nobody else is due: a graph call of one row rounds otherwise than one of
        # several, and a row is to answer the same in whatever company.
        single = {row: int(tokens[0]) for row, tokens in fed.items() if tokens.size == 1}
        alone = {row: tokens for row, tokens in fed.items() if row not in single}
        each = map if self._threads is None or len(alone) < 2 else self._threads.map
        logits = dict(zip(alone, each(self._feed_alone, alone.keys(), alone.values()), strict=True))
        if single:
            self._feed_round(single)
        return logits | {row: self._logits[row].copy() for row in single}

    def copy(self, source: int, target: int) -> None:
        """Make one row hold what another holds; what they share is not copied."""
        length = int(self._lengths[source])
        differs = self._streams[source, :length] != self._streams[target, :length]
        shared = min(int(differs.argmax()) if differs.any() else length, int(self._lengths[target]))
        for buffer in self._cache.values():
            buffer[target, :, shared:length] = buffer[source, :, shared:length]
        self._streams[target, shared:length] = self._streams[source, shared:length]
        self._lengths[target] = length

    def _checked(self, row: int, move: RowUpdate) -> NDArray[np.int32]:
        held = int(self._lengths[row])
        if not 0 <= move.keep <= held:
            raise ValueError(f"a row of {held} tokens rolls back to 0 to {held}, not {move.keep}")
        tokens = np.asarray(move.tokens, np.int64)
        if tokens.size == 0:
            raise ValueError("feed takes at least 1 token a row, not 0")
        if move.keep + tokens.size > self.context:
            raise ValueError(f"{tokens.size} more tokens after {move.keep} exceed the context of {self.context}")
        lowest, highest = int(tokens.min()), int(tokens.max())
        if lowest < 0 or highest >= self._shape.vocabulary:
            bad = lowest if lowest < 0 else highest
            raise ValueError(f"a token is 0 to {self._shape.vocabulary - 1}, not {bad}")
        return tokens.astype(np.int32)

    def _feed_round(self, tokens: Mapping[int, int]) -> None:
        """Feed one token to some rows: neighbouring pairs of rows in one graph call, those that nobody is due in not.

        Who is not due beside one that is is fed a token in the first place, and gets back what was there.
        """
        inputs = self._inputs
        inputs["tokens"][:] = inputs["positions"][:] = 0
        inputs["last"][:] = 0
        for row, token in tokens.items():
            inputs["tokens"][row, 0] = token
            inputs["positions"][row, 0] = inputs["last"][row] = self._lengths[row]
        for first, stop in runs_of_pairs(tokens):
            idle = [row for row in range(first, stop) if row not in tokens and self._lengths[row]]
            kept = [buffer[idle, :, 0] for buffer in self._cache.values()] if idle else []
            inputs["total"][0] = inputs["last"][first:stop].max() + 1
            self._runner.run(self._round_of(first, stop))
            for buffer, begins in zip(self._cache.values(), kept, strict=False):
                buffer[idle, :, 0] = begins
        for row, token in tokens.items():
            self._keep(row, np.array([token], np.int32))

    def _round_of(self, first: int, stop: int) -> Any:
        """Return the binding of one token for each row from one to another."""
        if (first, stop) not in self._rounds:
            each = ("tokens", "positions", "last")
            inputs = {name: self._inputs[name][first:stop] for name in each}
            inputs |= {"total": self._inputs["total"], "rows": self._inputs["rows"][: stop - first]}
            self._rounds[first, stop] = self._bind(inputs, self._logits[first:stop], slice(first, stop))
        return self._rounds[first, stop]

    def _feed_alone(self, row: int, tokens: NDArray[np.int32]) -> Logits:
        logits = np.zeros((1, self._shape.vocabulary), np.float32)
        for start in range(0, tokens.size, PREFILL_CHUNK):
            chunk = tokens[start : start + PREFILL_CHUNK]
            length = int(self._lengths[row])
            inputs: dict[str, NDArray[Any]] = {
                "tokens": chunk[None],
                "positions": np.arange(length, length + chunk.size, dtype=np.int32)[None],
                "last": np.array([length + chunk.size - 1], np.int32),
                "total": np.array([length + chunk.size], np.int32),
                "rows": np.array([chunk.size - 1], np.int64),
            }
            self._runner.run(self._bind(inputs, logits, slice(row, row + 1), chunk.size), chunk.size)
            self._keep(row, chunk)
        answer: Logits = logits[0]
        return answer

    def _keep(self, row: int, tokens: NDArray[np.int32]) -> None:
        """Write down what a row was just fed."""
        length = int(self._lengths[row])
        self._streams[row, length : length + tokens.size] = tokens
        self._lengths[row] = length + tokens.size

    def _bind(self, inputs: Mapping[str, NDArray[Any]], logits: Logits, rows: slice, count: int = 1) -> Any:
        """Bind arrays for one or more runs of so many tokens, to the same rows of the buffers."""
        place = rows.start, rows.stop
        if place not in self._views:
            self._views[place] = {names: view_of(buffer[rows]) for names, buffer in self._cache.items()}
        return self._runner.bind(inputs, self._views[place], logits, count)


def runs_of_pairs(rows: Iterable[int]) -> list[tuple[int, int]]:
    """Return from which row to which there are pairs, (0, 1), (2, 3) and so on, with one of these rows in each."""
    runs: list[tuple[int, int]] = []
    for first in sorted({row - row % 2 for row in rows}):
        begins = runs.pop()[0] if runs and runs[-1][1] == first else first
        runs.append((begins, first + 2))
    return runs
