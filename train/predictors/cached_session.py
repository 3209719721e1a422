"""What the sessions of training share: a stream of tokens whose keys and values stay in buffers of fixed place."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from piano.session import Logits


class CachedSession(ABC):
    """A stream in a model with a cache for `context` tokens. See `piano.session.Session`."""

    def __init__(self, context: int, vocabulary: int) -> None:
        self.context, self.length = context, 0
        self._vocabulary = vocabulary

    def feed(self, tokens: Sequence[int]) -> Logits:
        """Append tokens and return the logits of what follows the last one, (vocabulary,)."""
        fed = np.asarray(tokens, np.int32)
        if not fed.size or self.length + fed.size > self.context:
            raise ValueError(f"{fed.size} tokens cannot follow {self.length} in a context of {self.context}")
        if fed.min() < 0 or fed.max() >= self._vocabulary:
            raise ValueError(f"a token is 0 to {self._vocabulary - 1}, not {fed.min()} or {fed.max()}")
        logits = self._feed(fed)
        self.length += fed.size
        return logits

    def rollback(self, length: int) -> None:
        """Forget all but the first `length` tokens."""
        if not 0 <= length <= self.length:
            raise ValueError(f"a session of {self.length} tokens rolls back to 0 to {self.length}, not {length}")
        self.length = length

    def reset(self) -> None:
        """Forget everything."""
        self.length = 0

    @abstractmethod
    def _feed(self, tokens: NDArray[np.int32]) -> Logits:
        """Append tokens, at least one, which are good and have room; the length is counted by who calls."""
