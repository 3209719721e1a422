"""The answer to a loop: what the model plays in one pass of it, found piece by piece. Runs on the engine's thread.

The loop is known, so this is a fill with preview, laid out as `piano.tasks.task_stream` does it: a preview of each
window, then the window, in which the loop's events are forced at their moments and our own are sampled before and
between them. It is the duet's sampling of one joint model, on a clock that does not wait: a guess at what the other
does next says that nothing of ours comes before it. A piece is one event's worth of the model, so that the engine can
hear keys in between.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from piano.events import Event, NoteOff, NoteOn, Role, TimedEvent
from piano.sampling.sampler import Sampler
from piano.solve.bounds import Bounds
from piano.solve.live_stream import LiveStream
from piano.tasks.exercise import Preview
from piano.tasks.previews import SharedClock, whole_steps
from piano.tasks.task_stream import PreviewSize
from piano.tokens.vocabulary import STEP_NS, steps_of_ns
from realtime.performers.loop.layers import Layer, loop_events, loop_notes
from realtime.performers.play_limits import PlayLimiter
from realtime.performers.play_settings import PlayLimits

WINDOW = whole_steps(PreviewSize().window_s)
"""Steps between two previews, as in training."""

PIECE = 16
"""Tokens of a preview that are fed at a time."""

LAST_STRIKE_NS = 50_000_000
"""So close to the seam no key goes down: it would be lifted at once."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What comes at a moment, whatever the model thinks: an event of the loop, or else tokens of a preview."""

    step: int
    event: TimedEvent | None = None
    tokens: tuple[int, ...] = ()

    @property
    def at_ns(self) -> int:
        return self.step * STEP_NS

    @property
    def last_ns(self) -> int:
        """Return the last moment at which something of ours can come before it."""
        return self.at_ns - (self.event is None)


@dataclass(frozen=True, slots=True)
class AnswerSpec:
    """What an answer is to be: to which layers, how long, how its stream begins. `luck` seeds its own generator."""

    head: tuple[int, ...]
    layers: tuple[Layer, ...]
    length_ns: int
    limits: PlayLimits
    luck: int


class LoopAnswer:
    """One answer, from nothing to complete. Nobody else may use the stream before it is complete or given up."""

    def __init__(self, stream: LiveStream, brief: AnswerSpec) -> None:
        """Begin an answer; the stream begins anew."""
        self._stream, self._length_ns = stream, brief.length_ns
        self._limiter = PlayLimiter(brief.limits)
        self._sampler = Sampler(brief.limits.seed, brief.limits.sampling)
        self._sampler.restart(brief.luck)
        stream.reset(brief.head)
        self._coming = deque(_known(brief.layers, brief.length_ns))
        self._held: set[int] = set()
        self._strikes_until_ns = brief.length_ns - LAST_STRIKE_NS
        self.events: list[tuple[int, Event]] = []
        """What it plays, by offset from the beginning of the pass, in order of time."""
        self.known_ns = 0
        """Up to this offset it is decided what it plays."""
        self.is_complete = False

    def work(self, earliest_ns: int = 0) -> None:
        """Do one piece; what would come before `earliest_ns` is too late and left out."""
        self.known_ns = max(self.known_ns, min(earliest_ns, self._length_ns))
        known = self._coming[0] if self._coming else None
        last_ns = self._length_ns - 1 if known is None else min(known.last_ns, self._length_ns - 1)
        if self.known_ns <= last_ns:
            self._guess(last_ns)
        elif known is not None:
            self._force(self._coming.popleft())
        else:
            self.is_complete = True

    def draw(self, to: Callable[[int], int]) -> None:
        """Draw the keys of a complete answer to other offsets; one that is drawn to later sounds for a moment."""
        drawn: list[tuple[int, Event]] = []
        since: dict[int, int] = {}
        for offset_ns, event in self.events:
            to_ns = offset_ns
            if isinstance(event, NoteOn):
                to_ns = since[event.pitch] = min(max(to(offset_ns), 0), self._strikes_until_ns)
            elif isinstance(event, NoteOff) and event.pitch in since:
                to_ns = max(offset_ns, min(since.pop(event.pitch) + LAST_STRIKE_NS, self._length_ns - 1))
            drawn.append((to_ns, event))
        self.events = sorted(drawn, key=lambda timed: (timed[0], isinstance(timed[1], NoteOn)))

    def _force(self, known: _Known) -> None:
        if known.event is None:
            self._stream.show(known.at_ns, known.tokens)
        else:
            self._stream.hear(known.event)
            match known.event.event:
                case NoteOn(pitch):
                    self._held.add(pitch)
                case NoteOff(pitch):
                    self._held.discard(pitch)
        self.known_ns = known.at_ns

    def _guess(self, last_ns: int) -> None:
        """Sample the next event; what would come later than a moment is forgotten."""
        limiter = self._limiter
        free_ns = limiter.free_ns() or 0
        may_strike = free_ns <= self.known_ns < self._strikes_until_ns
        bounds = Bounds(
            self.known_ns,
            limiter.allowed(self._held, strikes=may_strike),
            most_keys=limiter.limits.most_keys,
            bias=limiter.bias(self.known_ns),
            longest_hold_ns=limiter.limits.longest_hold_ns,
        )
        changes_ns = [at_ns for at_ns in (free_ns, self._strikes_until_ns) if at_ns > self.known_ns]
        limit_ns = min([last_ns, *(at_ns - 1 for at_ns in changes_ns)])
        guess = self._stream.propose(self._sampler, bounds)
        if guess is None or guess.at_ns > limit_ns:
            self._stream.rollback(limit_ns)
            self.known_ns = limit_ns + 1
        elif guess.role is Role.GIVEN:
            self.known_ns = max(self.known_ns, guess.at_ns) + STEP_NS
        else:
            self.known_ns = guess.at_ns
            self.events.append((guess.at_ns, limiter.soften(guess.event)))
            if isinstance(guess.event, NoteOn):
                limiter.strike(guess.at_ns)


def _known(loop: Sequence[Layer], length_ns: int) -> list[_Known]:
    """Return the previews of a pass in pieces, and the events of the loop, in the order of the stream."""
    events = [
        _Known(steps_of_ns(offset_ns), TimedEvent(offset_ns, event, Role.GIVEN))
        for offset_ns, event in loop_events(loop)
        if offset_ns < length_ns
    ]
    previews = [
        _Known(start, None, tuple(tokens[place : place + PIECE]))
        for start, tokens in _previews(loop, length_ns)
        for place in range(0, len(tokens), PIECE)
    ]
    return sorted((*previews, *events), key=lambda known: (known.step, known.event is not None))


def _previews(loop: Sequence[Layer], length_ns: int) -> list[tuple[int, list[int]]]:
    """Return the preview of each window by its first step; beyond the seam the loop is seen to begin again."""
    notes = loop_notes(loop)
    again = notes.copy()
    again["onset_s"] += length_ns / 1e9
    clock = SharedClock(Preview(np.concatenate([notes, again])))
    return [(start, clock.window(start, WINDOW).tolist()) for start in range(0, -(-length_ns // STEP_NS), WINDOW)]
