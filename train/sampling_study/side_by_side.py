"""Pieces that a bundle plays side by side, in rows of one batch: many of them, in a fraction of the time.

Each is the daemon's own stream (`piano.solve.live_stream`) over the daemon's rolling context, so that what is measured
is what is shipped.
"""

from array import array
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inference.batch_session import BatchSession
from inference.bundle import Bundle
from inference.rolling_context import RollingContext
from inference.row_sessions import Rounds, RowSession
from piano.events import Role
from piano.sampling.density_guard import PIANISTS_NOTES_PER_S
from piano.sampling.sampler import Sampler, SamplingSettings
from piano.session import Session
from piano.solve.bounds import Bounds
from piano.solve.live_stream import LiveStream
from piano.tokens.grammar import tokens_of_role
from piano.tokens.stream import StreamDecoder
from piano.tokens.vocabulary import VOCABULARY

_ALLOWED = tokens_of_role(Role.OWN) & (np.arange(VOCABULARY.size) != VOCABULARY.end)
_LONGEST_EVENT = 16
"""So many tokens more than were asked for there may be, and are sampled and taken back."""


@dataclass(frozen=True, slots=True)
class ExcerptRequest:
    """A piece to be played: by which seed and settings, and after which tokens, whole events that are heard first.

    `notes_per_s` is how busy it is to be; None for as busy as what is heard.
    """

    seed: int
    sampling: SamplingSettings
    notes_per_s: float | None = None
    primer: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PlayedPiece:
    """The tokens of a piece, of which the first `heard` were heard."""

    tokens: "array[int]"
    heard: int


def play_side_by_side(
    folder: Path, requests: Sequence[ExcerptRequest], count: int, styles: Sequence[str] = ()
) -> list[PlayedPiece]:
    """Return the pieces that a bundle plays: so many tokens each, up to the end of an event, after what is heard.

    BundleError if the bundle is damaged or foreign.
    """
    if not requests:
        return []
    head = (VOCABULARY.bos, VOCABULARY.task("continue"), *(VOCABULARY.style(style) for style in styles))
    bundle = Bundle.load(folder)
    longest = len(head) + max(len(request.primer) for request in requests) + count + _LONGEST_EVENT
    width = 2 if longest > bundle.manifest.shape.context else 1
    rounds = Rounds(BatchSession(bundle, len(requests) * width, threads=1), len(requests))

    def play(number: int) -> PlayedPiece:
        rows = [RowSession(rounds, number * width + row) for row in range(width)]
        try:
            return _played(RollingContext(*rows) if width == 2 else rows[0], head, requests[number], count)
        finally:
            rounds.leave()

    with ThreadPoolExecutor(len(requests)) as threads:
        return list(threads.map(play, range(len(requests))))


def _played(session: Session, head: Sequence[int], request: ExcerptRequest, count: int) -> PlayedPiece:
    stream, sampler, decoder = LiveStream(session, head), Sampler(request.seed, request.sampling), StreamDecoder(0)
    for token in request.primer:
        heard = decoder.push(token)
        if heard is not None:
            stream.hear(heard)
    begins, at_ns = len(stream.tokens), stream.end_ns
    busy = request.notes_per_s or stream.notes_per_s(at_ns) or PIANISTS_NOTES_PER_S
    while len(stream.tokens) < begins + count:
        proposed = stream.propose(sampler, Bounds(at_ns, _ALLOWED, notes_per_s=busy))
        if proposed is None:
            break
        at_ns = proposed.at_ns
        stream.settle(at_ns)
    return PlayedPiece(stream.tokens, begins)
