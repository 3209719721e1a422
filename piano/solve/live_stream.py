"""The stream of one performance: what was played, and ahead of it what the model proposes. The engine's thread owns it.

    hear       append what has happened; it stays
    propose    sample the next event of the model's own, after everything so far
    rollback   take back the proposals that lie after a moment, because something else happened there

Over a session this is exact sampling of one joint model: a proposal holds until something comes before it.
"""

from array import array
from collections.abc import Callable, Sequence

from piano.events import NoteOff, NoteOn, Role, TimedEvent
from piano.sampling.memory import Memory
from piano.sampling.sampler import Sampler
from piano.session import Logits, Session, keep_passage, knows_cues, pin_head
from piano.solve.bounds import Bounds, first_step, mask_of
from piano.solve.expectation import survival
from piano.solve.fed_stream import LONGEST_GAP_NS, FedStream
from piano.solve.guidance import Guidance
from piano.solve.limits import IS_EVENT, STEPS, Options
from piano.solve.stream_state import Draft, StreamPlace, StreamState, guessed, overdue
from piano.tokens.vocabulary import STEP_NS, VOCABULARY

LOOKED_BACK = 2000
"""Tokens: some four hundred notes."""


class LiveStream(FedStream):
    """A token stream over a session that grows by what is heard and by what is proposed.

    A head may end with music to be played like: the model hears it before all else, as long as the stream lasts.

    `memory` is what was played before, in other streams, and takes what is played in this one; one of its own if not
    given. `prompt` is the end of that in tokens, whole events: the model hears it before this stream's first event.
    """

    def __init__(
        self, session: Session, head: Sequence[int], memory: Memory | None = None, prompt: Sequence[int] = ()
    ) -> None:
        super().__init__(session, head, memory, prompt)
        self._draft: Draft | None = None

    def reset(self, head: Sequence[int], *, forget: bool = False) -> None:
        """Begin a new stream with a head: BOS, a task, styles. What was played in this one is not remembered.

        With `forget` nothing of the session is.
        """
        if forget:
            self._memory.forget()
            self._before = len(self._memory)
        self._begin(head, ())

    def _begin(self, head: Sequence[int], prompt: Sequence[int]) -> None:
        super()._begin(head, prompt)
        self._proposals: list[tuple[int, StreamState]] = []  # when each is to sound, and the state before it

    def guide(self, guidance: Guidance) -> None:
        """Be guided from the next event on: cues for a model that knows them, and a bias towards the chord."""
        self._guidance = guidance

    def next_moment_ns(self, earliest_ns: int) -> int:
        """Return the first moment from another on at which something can be proposed."""
        if self.is_empty or earliest_ns - self.end_ns > LONGEST_GAP_NS:
            return earliest_ns
        state = self._state
        return state.encoder.time_of(first_step(state.encoder, len(state.step_tokens), earliest_ns))

    def tokens_before(self, at_ns: int) -> "array[int]":
        """Return the last tokens of what came before a moment, up to its last event."""
        encoder = self._state.encoder
        step, first = encoder.step, -((encoder.origin_ns - at_ns) // STEP_NS)
        end = self._state.length - self._head_length
        while end and (step >= first or STEPS[self._body[end - 1]]):
            end -= 1
            step -= int(STEPS[self._body[end]])
        return self._body[max(0, end - LOOKED_BACK) : end]

    def pressed_ns(self) -> dict[int, int]:
        """Return the keys that our role holds down at the end of the stream, each with when it went down."""
        return {pitch: self._state.encoder.time_of(step) for pitch, step in self._state.pressed.items()}

    def notes_per_s(self, at_ns: int) -> float | None:
        """Return how busy our role was before a moment; None if it has hardly played."""
        return self._guards.notes_per_s(self._state.encoder.step_of(at_ns))

    def survival(self) -> Sequence[float]:
        """Return how likely the model thinks it that nothing happens for tenths of a second, up to one, (10,)."""
        return tuple(map(float, survival(self._state.logits)))

    def hear(self, timed: TimedEvent, judge: Callable[[Logits], int] | None = None) -> None:
        """Append what happened. Proposals after it must have been rolled back; those before it have become true.

        What changes nothing is passed over: the release of a key that is up, a pedal that is already there. A key
        that goes down twice is released in between. With `judge` a key goes down with the velocity that it returns
        for the model's logits of the velocity bins, (bins,), given all that happened and this key.
        """
        if self._changes_nothing(timed.event, timed.role):
            return
        if isinstance(timed.event, NoteOn) and self._state.grammar.is_down(timed.role, timed.event.pitch):
            self._append(TimedEvent(timed.at_ns, NoteOff(timed.event.pitch), timed.role))
        self._tell_chord(timed.at_ns)
        if isinstance(timed.event, NoteOn) and timed.role is Role.OWN:
            self._guards.hear(timed.event.pitch)
        self._append(timed, judge)
        self._proposals.clear()

    def show(self, at_ns: int, tokens: Sequence[int]) -> None:
        """Append what is nobody's music, a preview or a piece of one, at a moment. Proposals have then become true."""
        self._reach(at_ns)
        state = self._state
        wait = state.encoder.pass_time(state.encoder.step_of(at_ns))
        self._session.rollback(state.length)
        self._feed((*wait, *tokens))
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

    def mark(self) -> "StreamPlace":
        """Return this place in the stream, to come back to."""
        return StreamPlace(self._state.copy(), self._head_length)

    def return_to(self, mark: "StreamPlace", shift_ns: int) -> None:
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

    def options(self) -> Options | None:
        """Return what may be drawn next of the event that is being drawn; None if it is whole, or the piece ends."""
        draft, state = self._draft, self._state
        if draft is None or draft.is_over:
            return None
        step, bounds, grammar = draft.step, draft.bounds, state.grammar
        mask = mask_of(bounds, grammar, state.encoder, len(state.step_tokens), step, has_waited=draft.has_waited)
        if not mask.any():
            return None
        pressed = None if grammar.in_note else state.pressed
        options = Options(mask)
        under_pedal = state.notes - state.pedal_at if self.pedal_is_down() else 0
        self._offer(options, state.logits, step, pressed, under_pedal, bias=bounds.bias, notes_per_s=bounds.notes_per_s)
        if not grammar.in_note:
            self._drawn_from = self._guidance.adjust(self._drawn_from, mask, state.encoder.time_of(step))
        return options

    def take(self, token: int) -> None:
        """Take the next token of the event that is being drawn."""
        draft, state = self._draft, self._state
        if draft is None:
            raise RuntimeError("nothing is being drawn: a stream is asked for its next event by `propose`")
        if token == VOCABULARY.end:
            draft.is_over = True
        elif IS_EVENT[token] and VOCABULARY.roles[token] != Role.OWN:
            draft.finish(guessed(token, state.encoder.time_of(draft.step)))
        elif (cue := state.cue_within(self._cues, draft.step, int(STEPS[token]))) is not None:
            # the wait would pass it: up to there nothing happens, and from there it is drawn anew
            self._push_cue(*cue, waited=len(draft.tokens))
            self._draft = Draft(draft.bounds, state)
        else:
            self._feed((token,))
            state.grammar.push(token)
            draft.push(token)

    def _sample(self, sampler: Sampler, bounds: Bounds) -> TimedEvent | None:
        """Sample an event, and append it if it is the model's own; else what was fed is left to be taken back."""
        self._sampling, self._draft = sampler.settings, Draft(bounds, self._state)
        self.draw(sampler)
        draft, self._draft, state = self._draft, None, self._state
        if draft.event is not None and draft.event.role is Role.OWN:
            if draft.step > state.encoder.step:
                state.step_grammar, state.step_tokens = draft.grammar, ()
            state.step_tokens += tuple(draft.tokens)
            state.encoder.follow(draft.event, draft.step)
            self._note(draft.event.event, draft.event.role)
            state.length = self._session.length
        return draft.event
