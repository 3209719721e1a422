"""A live stream as far as it stands: laid out event by event, fed to a session as it grows, and taken back from there.

Plain state of whoever plays on it; the session may be fed by nobody else meanwhile.
"""

from array import array
from collections.abc import Callable, Sequence

import numpy as np

from piano.events import Event, NoteOff, NoteOn, Role, TimedEvent
from piano.sampling.memory import Memory
from piano.session import Logits, Session, knows_cues, pin_head
from piano.solve.constrained_decoder import ConstrainedDecoder
from piano.solve.guidance import CueSource, Guidance
from piano.solve.stream_state import StreamState
from piano.tokens.grammar import Grammar, Mask
from piano.tokens.stream import Edit, StreamEncoder
from piano.tokens.vocabulary import VELOCITY_BINS, VOCABULARY, Kind

LONGEST_GAP_NS = 5_000_000_000
"""A longer silence is told to the model as one of this length, as in the music that it learned from."""

_IS_HEAD: Mask = np.isin(VOCABULARY.kinds, (Kind.BOS, Kind.TASK, Kind.STYLE))


class FedStream(ConstrainedDecoder):
    """What `piano.solve.live_stream` plays on: a head, a prompt, and what is appended to them.

    It knows what stands there, not what may come; model, memory and guards follow each token of it.
    """

    def __init__(self, session: Session, head: Sequence[int], memory: Memory | None, prompt: Sequence[int]) -> None:
        super().__init__(memory=memory)
        self._session, self._memory = session, self._guards.memory
        self._before = len(self._memory)
        self._guidance = Guidance()
        self._begin(head, prompt)

    def _begin(self, head: Sequence[int], prompt: Sequence[int]) -> None:
        self._session.reset()
        pin_head(self._session, len(head))
        logits = self._session.feed((*head, *prompt)).copy()
        grammar = Grammar()
        self._head_length = len(head)
        self._prompted = self._session.length
        self._body = array("i", prompt)  # the tokens after the head; those beyond the length were taken back
        self._remember(self._before, (token for token in head if _IS_HEAD[token]))
        self._remembered = len(self._memory) - self._session.length  # what it holds beyond this stream
        self._state = StreamState(self._prompted, logits, StreamEncoder(0), grammar, grammar.copy())
        self._guards.restart(head)

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

    def sounding(self, role: Role = Role.OWN) -> frozenset[int]:
        """Return the keys that a role holds down at the end of the stream."""
        return self._state.grammar.sounding(role)

    def pedal_is_down(self, role: Role = Role.OWN) -> bool:
        """Say whether a role holds the sustain pedal at the end of the stream."""
        return self._state.grammar.pedal_is_down(role)

    @property
    def _cues(self) -> CueSource | None:
        """Return what tells cues, where the model knows them."""
        return self._guidance.cues if knows_cues(self._session) else None

    def _restore(self, state: StreamState) -> None:
        self._session.rollback(state.length)
        self._memory.rollback(state.length + self._remembered)
        self._guards.rollback(state.notes)
        self._state = state

    def _changes_nothing(self, event: Event, role: Role) -> bool:
        match event:
            case NoteOff(pitch):
                return not self._state.grammar.is_down(role, pitch)
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
        self._feed(edit.tokens, fed)
        state.length = self._session.length

    def _feed(self, tokens: Sequence[int], fed: int = 0) -> None:
        """Feed what is appended, save the first tokens that were fed already, and write all of it down."""
        self._state.logits = self._session.feed(tokens[fed:]).copy()
        begins = self._session.length - len(tokens)
        del self._body[begins - self._head_length :]
        self._body.extend(tokens)
        self._remember(begins + self._remembered, tokens)

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
            self._guards.strike(event.pitch, self._state.encoder.step, pedal_is_down=self.pedal_is_down())

    def _velocity_logits(self, timed: TimedEvent, pitch: int) -> tuple[Logits, int]:
        """Feed a key without its velocity; return the logits of that, (bins,), and how many tokens were fed."""
        edit = self._state.encoder.copy().push(timed)
        fed = edit.tokens.index(VOCABULARY.on(timed.role, pitch)) + 1
        self._session.rollback(self._state.length - edit.rewind)
        logits = self._session.feed(edit.tokens[:fed])
        return logits[VOCABULARY.first_velocity : VOCABULARY.first_velocity + VELOCITY_BINS].copy(), fed
