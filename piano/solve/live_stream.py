"""The stream of one performance: what was played, and ahead of it what the model proposes. The engine's thread owns it.

    hear       append what has happened; it stays
    propose    sample the next event of the model's own, after everything so far
    rollback   take back the proposals that lie after a moment, because something else happened there

Over a session this is exact sampling of one joint model: a proposal holds until something comes before it.
"""

from array import array
from collections.abc import Callable, Sequence

import numpy as np

from piano.events import Event, NoteOff, NoteOn, Role, TimedEvent
from piano.sampling.logit_guards import LogitGuards
from piano.sampling.memory import Memory
from piano.sampling.sampler import Sampler
from piano.session import Logits, Session, keep_passage, knows_cues, pin_head
from piano.solve.bounds import Bounds, first_step, mask_of
from piano.solve.expectation import survival
from piano.solve.guidance import CueSource, Guidance
from piano.solve.limits import IS_EVENT, STEPS
from piano.solve.stream_state import Mark, StreamState, guessed, overdue
from piano.tokens.grammar import Grammar, Mask
from piano.tokens.stream import Edit, StreamDecoder, StreamEncoder
from piano.tokens.vocabulary import LONGEST_TIME_STEPS, VELOCITY_BINS, VOCABULARY, Kind

LONGEST_GAP_NS = 5_000_000_000
"""A longer silence is told to the model as one of this length, as in the music that it learned from."""

_IS_HEAD: Mask = np.isin(VOCABULARY.kinds, (Kind.BOS, Kind.TASK, Kind.STYLE))
_SHORT_WAITS = frozenset(VOCABULARY.time(steps) for steps in range(1, LONGEST_TIME_STEPS))


class LiveStream:
    """A token stream over a session that grows by what is heard and by what is proposed.

    A head may end with music to be played like: the model hears it before all else, as long as the stream lasts.

    `memory` is what was played before, in other streams, and takes what is played in this one; one of its own if not
    given. `prompt` is the end of that in tokens, whole events: the model hears it before this stream's first event.
    """

    def __init__(
        self, session: Session, head: Sequence[int], memory: Memory | None = None, prompt: Sequence[int] = ()
    ) -> None:
        self._session, self._guards = session, LogitGuards(memory)
        self._memory = self._guards.memory
        self._before = len(self._memory)
        self._guidance = Guidance()
        self._begin(head, prompt)

    def reset(self, head: Sequence[int], *, forget: bool = False) -> None:
        """Begin a new stream with a head: BOS, a task, styles. What was played in this one is not remembered.

        With `forget` nothing of the session is.
        """
        if forget:
            self._memory.forget()
            self._before = len(self._memory)
        self._begin(head, ())

    def _begin(self, head: Sequence[int], prompt: Sequence[int]) -> None:
        self._session.reset()
        pin_head(self._session, len(head))
        logits = self._session.feed((*head, *prompt)).copy()
        grammar = Grammar()
        self._head_length = len(head)
        self._prompted = self._session.length
        self._body = array("i", prompt)  # the tokens after the head; those beyond the length were taken back
        self._memory.rollback(self._before)
        self._memory.extend(token for token in head if _IS_HEAD[token])
        self._remembered = len(self._memory) - self._session.length  # what it holds beyond this stream
        self._state = StreamState(self._prompted, logits, StreamEncoder(0), grammar, grammar.copy())
        self._guards.restart()
        self._proposals: list[tuple[int, StreamState]] = []  # when each is to sound, and the state before it

    def guide(self, guidance: Guidance) -> None:
        """Be guided from the next event on: cues for a model that knows them, and a bias towards the chord."""
        self._guidance = guidance

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been heard, and nothing is proposed."""
        return self._state.length == self._prompted

    @property
    def length(self) -> int:
        """Return the length of the stream in tokens, proposals included."""
        return self._state.length

    @property
    def tokens(self) -> "array[int]":
        """Return the tokens after the head, proposals included."""
        return self._body[: self._state.length - self._head_length]

    @property
    def end_ns(self) -> int:
        """Return the moment of the last event, heard or proposed."""
        return self._state.encoder.time_of(self._state.encoder.step)

    def next_moment_ns(self, earliest_ns: int) -> int:
        """Return the first moment from another on at which something can be proposed."""
        if self.is_empty or earliest_ns - self.end_ns > LONGEST_GAP_NS:
            return earliest_ns
        state = self._state
        return state.encoder.time_of(first_step(state.encoder, len(state.step_tokens), earliest_ns))

    def sounding(self, role: Role = Role.OWN) -> frozenset[int]:
        """Return the keys that a role holds down at the end of the stream."""
        return self._state.grammar.sounding(role)

    def notes_per_s(self, at_ns: int) -> float | None:
        """Return how busy our role was before a moment; None if it has hardly played."""
        return self._guards.notes_per_s(self._state.encoder.step_of(at_ns))

    def survival(self) -> Sequence[float]:
        """Return how likely the model thinks it that nothing happens for tenths of a second, up to one, (10,)."""
        return tuple(map(float, survival(self._state.logits)))

    def pedal_is_down(self, role: Role = Role.OWN) -> bool:
        """Say whether a role holds the sustain pedal at the end of the stream."""
        return self._state.grammar.pedal_is_down(role)

    def hear(self, timed: TimedEvent, judge: Callable[[Logits], int] | None = None) -> None:
        """Append what happened. Proposals after it must have been rolled back; those before it have become true.

        What changes nothing is passed over: the release of a key that is up, a pedal that is already there. A key
        that goes down twice is released in between. With `judge` a key goes down with the velocity that it returns
        for the model's logits of the velocity bins, (bins,), given all that happened and this key.
        """
        if self._changes_nothing(timed.event, timed.role):
            return
        if isinstance(timed.event, NoteOn) and timed.event.pitch in self.sounding(timed.role):
            self._append(TimedEvent(timed.at_ns, NoteOff(timed.event.pitch), timed.role))
        self._tell_chord(timed.at_ns)
        self._append(timed, judge)
        self._proposals.clear()

    def show(self, at_ns: int, tokens: Sequence[int]) -> None:
        """Append what is nobody's music, a preview or a piece of one, at a moment. Proposals have then become true."""
        self._reach(at_ns)
        state = self._state
        wait = state.encoder.pass_time(state.encoder.step_of(at_ns))
        self._session.rollback(state.length)
        state.logits = self._session.feed((*wait, *tokens)).copy()
        self._keep((*wait, *tokens))
        for token in (*wait, *tokens):
            state.grammar.push(token)
        state.step_grammar, state.step_tokens = state.grammar.copy(), ()
        state.length = self._session.length
        self._proposals.clear()

    def tell(self, at_ns: int, code: int) -> None:
        """Append a cue for a model that knows cues; another is not told. Proposals have then become true."""
        if not knows_cues(self._session):
            return
        self._reach(at_ns)
        self._push_beside(at_ns, code)
        self._proposals.clear()

    def rollback(self, at_ns: int) -> None:
        """Take back every proposal that lies after a moment."""
        earliest: StreamState | None = None
        while self._proposals and self._proposals[-1][0] > at_ns:
            earliest = self._proposals.pop()[1]
        if earliest is not None:
            self._restore(earliest)

    def keep_heard(self) -> None:
        """Have the model bear in mind what was heard last, however long what is proposed from here on becomes."""
        keep_passage(self._session, self._head_length, self._state.length)

    def mark(self) -> "Mark":
        """Return this place in the stream, to come back to."""
        return Mark(self._state.copy(), self._head_length)

    def return_to(self, mark: "Mark", shift_ns: int) -> None:
        """Forget all that came after a mark, as if what came before it had been that much later."""
        state = mark.state.copy()
        state.length += self._head_length - mark.head_length
        state.encoder.origin_ns += shift_ns
        self._restore(state)
        self._proposals.clear()

    def restyle(self, head: Sequence[int]) -> None:
        """Put another head before all that was played. Proposals can then no longer be taken back."""
        played = self.tokens
        self._session.reset()
        pin_head(self._session, len(head))
        self._state.logits = self._session.feed((*head, *played)).copy()
        remembered = self._remembered + self._state.length
        self._state.length = self._session.length
        self._remembered = remembered - self._session.length
        self._prompted += len(head) - self._head_length
        self._head_length = len(head)
        self._proposals.clear()

    def settle(self, at_ns: int) -> None:
        """Forget how to take back what lies at or before a moment."""
        self._proposals = [proposal for proposal in self._proposals if proposal[0] > at_ns]

    def propose(self, sampler: Sampler, bounds: Bounds) -> TimedEvent | None:
        """Sample the next event; append it if it is the model's own. None if the piece ends here instead.

        An event of the other role, where the bounds allow those, is only the model's guess at what the player will do
        next: it is returned (a key without its velocity, as loud as any) and not appended. The piece ends where the
        model would rather end it, and where the bounds leave it nothing to do. ValueError if the model's logits are
        not numbers.
        """
        before = self._state.copy()
        self._reach(bounds.earliest_ns)
        self._tell_chord(bounds.earliest_ns)
        release = overdue(bounds, self._state)
        proposed = self._sample(sampler, bounds)
        if release is not None and (proposed is None or proposed.at_ns > release.at_ns):
            self._restore(before.copy())
            self._append(release)
            proposed = release
        if proposed is None or proposed.role is not Role.OWN:
            self._restore(before)
        else:
            self._proposals.append((proposed.at_ns, before))
        return proposed

    def _sample(self, sampler: Sampler, bounds: Bounds) -> TimedEvent | None:
        """Sample an event, and append it if it is the model's own; else what was fed is left to be taken back."""
        state, before = self._state, self._state.grammar.copy()
        decoder = StreamDecoder(state.encoder.origin_ns, state.encoder.step)
        tokens: list[int] = []
        proposed: TimedEvent | None = None
        while proposed is None:
            has_waited = bool(tokens) and tokens[-1] in _SHORT_WAITS
            mask = mask_of(
                bounds, state.grammar, state.encoder, len(state.step_tokens), decoder.step, has_waited=has_waited
            )
            pressed = None if state.grammar.in_note else state.pressed
            logits = self._guards.adjust(
                state.logits, mask, sampler.settings, decoder.step, pressed, notes_per_s=bounds.notes_per_s
            )
            logits = logits if bounds.bias is None else logits + bounds.bias
            if not state.grammar.in_note:
                logits = self._guidance.lean(logits, mask, state.encoder.time_of(decoder.step))
            token = sampler.draw(logits, mask) if mask.any() else VOCABULARY.end
            if token == VOCABULARY.end:
                return None
            if IS_EVENT[token] and VOCABULARY.roles[token] != Role.OWN:
                return guessed(token, state.encoder.time_of(decoder.step))
            cue = state.cue_within(self._cues, decoder.step, int(STEPS[token]))
            if cue is not None:  # the wait would pass it: up to there nothing happens, and from there it is drawn anew
                self._push_cue(*cue, waited=len(tokens))
                before, tokens = state.grammar.copy(), []
                decoder = StreamDecoder(state.encoder.origin_ns, state.encoder.step)
                continue
            state.logits = self._session.feed((token,)).copy()
            self._keep((token,))
            state.grammar.push(token)
            tokens.append(token)
            proposed = decoder.push(token)
        if decoder.step > state.encoder.step:
            state.step_grammar, state.step_tokens = before, ()
        state.step_tokens += tuple(tokens)
        state.encoder.follow(proposed, decoder.step)
        self._note(proposed.event, proposed.role)
        state.length = self._session.length
        return proposed

    def _restore(self, state: StreamState) -> None:
        self._session.rollback(state.length)
        self._memory.rollback(state.length + self._remembered)
        self._guards.rollback(state.notes)
        self._state = state

    def _changes_nothing(self, event: Event, role: Role) -> bool:
        match event:
            case NoteOff(pitch):
                return pitch not in self.sounding(role)
            case NoteOn():
                return False
        return event.down == self.pedal_is_down(role)

    def _reach(self, at_ns: int) -> None:
        """Give time its origin at the first event, and shorten a silence that is too long."""
        state = self._state
        if self.is_empty:
            state.encoder.origin_ns, state.told = at_ns, (at_ns - 1, -1)
        state.encoder.shorten_silence(at_ns, LONGEST_GAP_NS)
        if state.told[0] < at_ns - LONGEST_GAP_NS:  # beats of a silence that is shortened are not told
            state.told = (at_ns - LONGEST_GAP_NS, state.told[1])

    def _append(self, timed: TimedEvent, judge: Callable[[Logits], int] | None = None) -> None:
        """Append an event; a key with the velocity that is found for it."""
        self._reach(timed.at_ns)
        while (cue := self._state.next_cue(self._cues)) is not None and cue[0] <= timed.at_ns:
            self._push_cue(*cue)
        state, fed = self._state, 0
        if judge is not None and isinstance(timed.event, NoteOn):
            logits, fed = self._velocity_logits(timed, timed.event.pitch)
            timed = TimedEvent(timed.at_ns, NoteOn(timed.event.pitch, judge(logits)), timed.role)
        step = state.encoder.step
        self._apply(state.encoder.push(timed), step, fed)
        self._note(timed.event, timed.role)

    def _apply(self, edit: Edit, step: int, fed: int = 0) -> None:
        """Change the end of the stream; `step` is its last step before, and so many of the tokens were fed already."""
        state = self._state
        state.rewrite(edit, step)
        self._session.rollback(state.length - edit.rewind + fed)
        state.logits = self._session.feed(edit.tokens[fed:]).copy()
        self._keep(edit.tokens)
        state.length = self._session.length

    @property
    def _tells_cues(self) -> bool:
        return self._guidance.cues is not None and knows_cues(self._session)

    @property
    def _cues(self) -> CueSource | None:
        """Return what tells cues, where the model knows them."""
        return self._guidance.cues if self._tells_cues else None

    def _push_cue(self, at_ns: int, code: int, waited: int = 0) -> None:
        """Append a cue; so many tokens of the wait before it were sampled and fed already."""
        state = self._state
        step = state.encoder.step
        self._apply(state.encoder.push_cue(at_ns, code), step, waited)
        state.told = (at_ns, code)

    def _push_beside(self, at_ns: int, code: int) -> None:
        """Append a cue that is none of the beats', at a moment or soon after."""
        state = self._state
        told, earliest = state.told, state.encoder.step + bool(state.step_tokens)  # it comes before all of its step
        self._push_cue(max(at_ns, state.encoder.time_of(earliest)), code)
        state.told = told

    def _tell_chord(self, at_ns: int) -> None:
        """Tell the chord that the player holds, where it is another one than was told."""
        guidance = self._guidance
        if self.is_empty or not guidance.is_held or guidance.chords is None or not knows_cues(self._session):
            return
        code = guidance.chords.chord_at(at_ns)
        if code != self._state.chord:
            self._push_beside(self.end_ns, code)
            self._state.chord = code

    def _note(self, event: Event, role: Role) -> None:
        """Take note of what was just appended."""
        self._state.note(event, role)
        if role is Role.OWN and isinstance(event, NoteOn):
            self._guards.strike(event.pitch, self._state.encoder.step)

    def _velocity_logits(self, timed: TimedEvent, pitch: int) -> tuple[Logits, int]:
        """Feed a key without its velocity; return the logits of that, (bins,), and how many tokens were fed."""
        edit = self._state.encoder.copy().push(timed)
        fed = edit.tokens.index(VOCABULARY.on(timed.role, pitch)) + 1
        self._session.rollback(self._state.length - edit.rewind)
        logits = self._session.feed(edit.tokens[:fed])
        return logits[VOCABULARY.first_velocity : VOCABULARY.first_velocity + VELOCITY_BINS].copy(), fed

    def _keep(self, tokens: Sequence[int]) -> None:
        """Write down what the session was just fed."""
        fed_from = self._session.length - len(tokens)
        del self._body[fed_from - self._head_length :]
        self._body.extend(tokens)
        self._memory.rollback(fed_from + self._remembered)
        self._memory.extend(tokens)
