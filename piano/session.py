"""What everything that plays asks of a model: tokens in, logits out, over a cache that is addressed by its length.

One stream is a `Session`; several side by side, in rows of one batch, are `Sessions`. Both belong to one thread at a
time: the engine's live, the command's offline.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float32]


class Session(Protocol):
    """What a performer needs of a model: feed, and take back."""

    @property
    def length(self) -> int:
        """Return how many tokens have been fed and not taken back."""

    @property
    def context(self) -> int:
        """Return the largest length."""

    def feed(self, tokens: Sequence[int]) -> Logits:
        """Append tokens and return the logits of what follows the last one, shape (vocabulary,), the caller's own.

        ValueError if there are none, if one is no token, or if they would exceed the context; nothing is fed then.
        """

    def rollback(self, length: int) -> None:
        """Forget all but the first `length` tokens; ValueError if there are not so many. It costs nothing."""

    def reset(self) -> None:
        """Forget everything; the same as a rollback to 0."""


class RowUpdate(NamedTuple):
    """What happens to one row: forget all but its first `keep` tokens, then feed some, one at least."""

    keep: int
    tokens: Sequence[int]


class Sessions(Protocol):
    """Streams of one model side by side. What a row answers is a function of its own tokens."""

    @property
    def rows(self) -> int:
        """Return how many streams there are."""

    @property
    def context(self) -> int:
        """Return the largest length of each."""

    def feed(self, moves: Mapping[int, RowUpdate]) -> dict[int, Logits]:
        """Move some rows, by number, and return the logits of what follows in each, (vocabulary,), the caller's own.

        ValueError, with nothing fed, as for a session.
        """

    def copy(self, source: int, target: int) -> None:
        """Make one row hold what another holds."""


@runtime_checkable
class PinsHead(Protocol):
    """A session over windows of a stream: so many tokens at its beginning stay in each of them."""

    def pin(self, length: int) -> None:
        """Keep the first `length` tokens of the stream in every window, until it begins anew."""


def pin_head(session: object, length: int) -> None:
    """Have a session keep the beginning of its stream, if it ever forgets any of it."""
    if isinstance(session, PinsHead):
        session.pin(length)


@runtime_checkable
class KeepsPassage(Protocol):
    """A session over windows of a stream: what it is asked to keep stands in each of them, behind the head."""

    def keep(self, start: int, end: int) -> None:
        """Keep the tokens of the stream from `start` to `end` in every window that is chosen after length `end`.

        They take the place of what was to be kept before; what is rolled back to a length below `end` forgets them.
        """


def keep_passage(session: object, start: int, end: int) -> None:
    """Have a session keep a passage of its stream, if it ever forgets any of it."""
    if isinstance(session, KeepsPassage):
        session.keep(start, end)


def feed_keeping(session: Session, tokens: Sequence[int], passages: Sequence[range]) -> Logits | None:
    """Feed tokens, and tell at the length at which each passage ends that it is to be kept; the last logits, if any.

    Passages that end within what was fed before are told first.
    """
    logits: Logits | None = None
    first, fed = session.length, 0
    for passage in passages:
        if (due := passage.stop - first) > len(tokens):
            break
        if due > fed:
            logits, fed = session.feed(tokens[fed:due]), due
        keep_passage(session, passage.start, passage.stop)
    return session.feed(tokens[fed:]) if fed < len(tokens) else logits


def knows_cues(session: object) -> bool:
    """Return whether the model of a session has learned what beats, chords and the ending mean (`piano.cues`)."""
    return bool(getattr(session, "knows_cues", False))
