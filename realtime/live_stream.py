"""The stream of one performance: what was played, and ahead of it what the model proposes. The engine's thread owns it.

    hear       append what has happened; it stays
    propose    sample the next event of the model's own, after everything so far
    rollback   take back the proposals that lie after a moment, because something else happened there

Over a session this is exact sampling of one joint model: a proposal holds until something comes before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from piano.events import Event, NoteOff, NoteOn, Role, TimedEvent
from piano.grammar import Grammar, Mask
from piano.sampling import Sampler
from piano.stream import StreamDecoder, StreamEncoder
from piano.vocabulary import KEYS, LONGEST_TIME_STEPS, VOCABULARY, Kind
from realtime.session import Logits, Session

LONGEST_GAP_NS = 5_000_000_000
"""A longer silence is told to the model as one of this length, as in the music that it learned from."""

LONGEST_WAIT_NS = 5_000_000_000
"""The longest that the model may wait before an event of its own."""

_IS_TIME: Mask = VOCABULARY.kinds == Kind.TIME
_IS_ON: Mask = VOCABULARY.kinds == Kind.ON
_STEPS = np.where(_IS_TIME, VOCABULARY.values, 0)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a proposal must keep to. Times are nanoseconds of the clock; `allowed` is (vocab,).

    With `must_play` the event is a key going down, no later than `latest_ns`.
    """

    earliest_ns: int
    allowed: Mask
    latest_ns: int | None = None
    most_keys: int = KEYS
    must_play: bool = False


@dataclass(slots=True)
class _State:
    """The end of the stream. The grammar at the start of the last step goes along, for edits within that step."""

    length: int
    logits: Logits
    encoder: StreamEncoder
    grammar: Grammar
    step_grammar: Grammar
    step_tokens: tuple[int, ...] = ()

    def copy(self) -> "_State":
        """Return the state as it is now; what never changes in place is shared."""
        return _State(
            self.length, self.logits, self.encoder.copy(), self.grammar.copy(), self.step_grammar, self.step_tokens
        )


class LiveStream:
    """A token stream over a session that grows by what is heard and by what is proposed."""

    def __init__(self, session: Session, head: Sequence[int]) -> None:
        self._session = session
        self.reset(head)

    def reset(self, head: Sequence[int]) -> None:
        """Begin a new stream with a head: BOS, a task, styles."""
        self._session.reset()
        logits = self._session.feed(head).copy()
        grammar = Grammar()
        self._head_length = self._session.length
        self._state = _State(self._head_length, logits, StreamEncoder(0), grammar, grammar.copy())
        self._proposals: list[tuple[int, _State]] = []  # when each is to sound, and the state before it

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been heard, and nothing is proposed."""
        return self._state.length == self._head_length

    @property
    def length(self) -> int:
        """Return the length of the stream in tokens, proposals included."""
        return self._state.length

    @property
    def end_ns(self) -> int:
        """Return the moment of the last event, heard or proposed."""
        return self._state.encoder.time_of(self._state.encoder.step)

    def sounding(self, role: Role = Role.OWN) -> frozenset[int]:
        """Return the keys that a role holds down at the end of the stream."""
        return self._state.grammar.sounding(role)

    def pedal_is_down(self, role: Role = Role.OWN) -> bool:
        """Say whether a role holds the sustain pedal at the end of the stream."""
        return self._state.grammar.pedal_is_down(role)

    def hear(self, timed: TimedEvent) -> None:
        """Append what happened. Proposals after it must have been rolled back; those before it have become true.

        What changes nothing is passed over: the release of a key that is up, a pedal that is already there. A key
        that goes down twice is released in between.
        """
        if self._changes_nothing(timed.event, timed.role):
            return
        if isinstance(timed.event, NoteOn) and timed.event.pitch in self.sounding(timed.role):
            self._append(TimedEvent(timed.at_ns, NoteOff(timed.event.pitch), timed.role))
        self._append(timed)
        self._proposals.clear()

    def rollback(self, at_ns: int) -> None:
        """Take back every proposal that lies after a moment."""
        earliest: _State | None = None
        while self._proposals and self._proposals[-1][0] > at_ns:
            earliest = self._proposals.pop()[1]
        if earliest is not None:
            self._session.rollback(earliest.length)
            self._state = earliest

    def settle(self, at_ns: int) -> None:
        """Forget how to take back what lies at or before a moment."""
        self._proposals = [proposal for proposal in self._proposals if proposal[0] > at_ns]

    def propose(self, sampler: Sampler, bounds: Bounds) -> TimedEvent | None:
        """Sample the next event of the model's own and append it; None if the piece ends here instead.

        It does where the model would rather end it, and where the bounds leave it nothing to do. ValueError if the
        model's logits are not numbers.
        """
        before, state = self._state.copy(), self._state
        self._reach(bounds.earliest_ns)
        decoder = StreamDecoder(state.encoder.origin_ns, state.encoder.step)
        tokens: list[int] = []
        proposed: TimedEvent | None = None
        while proposed is None:
            mask = self._mask(decoder.step, bounds)
            token = sampler.draw(state.logits, mask) if mask.any() else VOCABULARY.end
            if token == VOCABULARY.end:
                self._session.rollback(before.length)
                self._state = before
                return None
            state.logits = self._session.feed((token,)).copy()
            state.grammar.push(token)
            tokens.append(token)
            proposed = decoder.push(token)
        if decoder.step > state.encoder.step:
            state.step_grammar, state.step_tokens = before.grammar, ()
        state.step_tokens += tuple(tokens)
        state.encoder.follow(proposed, decoder.step)
        state.length = self._session.length
        self._proposals.append((proposed.at_ns, before))
        return proposed

    def _changes_nothing(self, event: Event, role: Role) -> bool:
        match event:
            case NoteOff(pitch):
                return pitch not in self.sounding(role)
            case NoteOn():
                return False
        return event.down == self.pedal_is_down(role)

    def _reach(self, at_ns: int) -> None:
        """Give time its origin at the first event, and shorten a silence that is too long."""
        if self.is_empty:
            self._state.encoder.origin_ns = at_ns
        self._state.encoder.shorten_silence(at_ns, LONGEST_GAP_NS)

    def _append(self, timed: TimedEvent) -> None:
        self._reach(timed.at_ns)
        state = self._state
        step = state.encoder.step
        edit = state.encoder.push(timed)
        if state.encoder.step > step:
            state.step_grammar, state.step_tokens = state.grammar.copy(), ()
        if edit.rewind:
            self._session.rollback(state.length - edit.rewind)
            state.step_tokens = state.step_tokens[: -edit.rewind]
            state.grammar = state.step_grammar.copy()
            for token in state.step_tokens:
                state.grammar.push(token)
        for token in edit.tokens:
            state.grammar.push(token)
        state.step_tokens += edit.tokens
        state.logits = self._session.feed(edit.tokens).copy()
        state.length = self._session.length

    def _mask(self, step: int, bounds: Bounds) -> Mask:
        """Return what may come next, (vocab,), when the wait has reached a step."""
        encoder, grammar = self._state.encoder, self._state.grammar
        if grammar.in_note:
            return grammar.mask()
        missing = encoder.step_of(bounds.earliest_ns) - step
        if missing > 0:
            return _IS_TIME & (min(missing, LONGEST_TIME_STEPS) <= _STEPS) & self._in_time(step, bounds)
        mask: Mask = grammar.mask() & bounds.allowed & (~_IS_TIME | self._in_time(step, bounds))
        if len(grammar.sounding(Role.OWN)) >= bounds.most_keys:
            mask &= ~_IS_ON
        if bounds.must_play and (mask & _IS_ON).any():
            mask &= _IS_ON | _IS_TIME
        return mask

    def _in_time(self, step: int, bounds: Bounds) -> Mask:
        """Return which TIME tokens do not wait too long from a step on, (vocab,)."""
        encoder = self._state.encoder
        latest_ns = bounds.latest_ns
        if latest_ns is None:
            latest_ns = max(bounds.earliest_ns, self.end_ns) + LONGEST_WAIT_NS
        most = max(encoder.step_of(latest_ns), encoder.step_of(bounds.earliest_ns)) - step
        return np.asarray(_IS_TIME & (most >= _STEPS))
