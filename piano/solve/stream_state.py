"""The end of a live stream as it stands, a place in it to come back to, and what a token of the other role means."""

from dataclasses import dataclass, field

from piano.cues import NO_CHORD
from piano.events import Event, NoteOff, NoteOn, Pedal, Role, TimedEvent
from piano.session import Logits
from piano.solve.bounds import Bounds
from piano.solve.guidance import CueSource
from piano.solve.limits import next_release
from piano.tokens.grammar import Grammar
from piano.tokens.stream import Edit, StreamDecoder, StreamEncoder
from piano.tokens.vocabulary import LONGEST_TIME_STEPS, VOCABULARY, Kind, steps_of_ns

_ANY_VELOCITY = 64
_SHORT_WAITS = frozenset(VOCABULARY.time(steps) for steps in range(1, LONGEST_TIME_STEPS))


@dataclass(slots=True)
class StreamState:
    """The end of the stream. The grammar at the start of the last step goes along, for edits within that step."""

    length: int
    logits: Logits
    encoder: StreamEncoder
    grammar: Grammar
    step_grammar: Grammar
    step_tokens: tuple[int, ...] = ()
    pressed: dict[int, int] = field(default_factory=dict)
    """The step at which each key that our role holds went down, in the order in which they did."""
    notes: int = 0
    """How many keys our role has struck."""
    pedal_at: int = 0
    """How many keys our role had struck when it moved the pedal last."""
    chord: int = NO_CHORD
    """The chord that was told last, of those that the player holds."""
    told: tuple[int, int] = (0, -1)
    """When the last cue stood, and its code; below 0 while none was told."""

    def note(self, event: Event, role: Role) -> None:
        """Take note of a key that went down or came up at the last step, or of the pedal."""
        if role is not Role.OWN:
            return
        if isinstance(event, Pedal):
            self.pedal_at = self.notes
        else:
            self.pressed.pop(event.pitch, None)
            if isinstance(event, NoteOn):
                self.pressed[event.pitch] = self.encoder.step
                self.notes += 1

    def rewrite(self, edit: Edit, step: int) -> None:
        """Take note of a change at the end of the stream, whose last step was `step` before it."""
        if self.encoder.step > step:
            self.step_grammar, self.step_tokens = self.grammar.copy(), ()
        if edit.rewind:
            self.step_tokens = self.step_tokens[: -edit.rewind]
            self.grammar = self.step_grammar.copy()
            for token in self.step_tokens:
                self.grammar.push(token)
        for token in edit.tokens:
            self.grammar.push(token)
        self.step_tokens += edit.tokens

    def next_cue(self, cues: CueSource | None) -> tuple[int, int] | None:
        """Return the moment and the code of the cue that is to be told next."""
        return None if cues is None else cues.after(*self.told)

    def cue_within(self, cues: CueSource | None, step: int, wait: int) -> tuple[int, int] | None:
        """Return the cue that a wait from a step on would reach; one that came before that is not told."""
        while wait and (cue := self.next_cue(cues)) is not None:
            is_cue = bool(self.step_tokens) and VOCABULARY.kinds[self.step_tokens[-1]] == Kind.CUE
            earliest = self.encoder.step + (bool(self.step_tokens) and not is_cue)  # it comes before all of its step
            cue_step = max(steps_of_ns(cue[0] - self.encoder.origin_ns), earliest)
            if cue_step >= step:
                return (self.encoder.time_of(cue_step), cue[1]) if cue_step <= step + wait else None
            self.told = cue
        return None

    def copy(self) -> "StreamState":
        """Return the state as it is now; what never changes in place is shared."""
        return StreamState(
            self.length,
            self.logits,
            self.encoder.copy(),
            self.grammar.copy(),
            self.step_grammar,
            self.step_tokens,
            dict(self.pressed),
            self.notes,
            self.pedal_at,
            self.chord,
            self.told,
        )


@dataclass(frozen=True, slots=True)
class StreamPlace:
    """A place in a stream to come back to."""

    state: StreamState
    head_length: int


class Draft:
    """An event that is being drawn at the end of a stream: its tokens so far, and the step that they reach."""

    def __init__(self, bounds: Bounds, state: StreamState) -> None:
        self.bounds, self.grammar = bounds, state.grammar.copy()
        """What it keeps to, and the grammar as it was before."""
        self.tokens: list[int] = []
        self.event: TimedEvent | None = None
        """What it has become; None while it is not whole, and where the piece ends instead."""
        self.is_over = False
        self._decoder = StreamDecoder(state.encoder.origin_ns, state.encoder.step)

    @property
    def step(self) -> int:
        """Return the step that has been reached."""
        return self._decoder.step

    @property
    def has_waited(self) -> bool:
        """Say whether a wait has come to its end: full seconds, and then the rest."""
        return bool(self.tokens) and self.tokens[-1] in _SHORT_WAITS

    def push(self, token: int) -> None:
        """Take the next token."""
        self.tokens.append(token)
        event = self._decoder.push(token)
        if event is not None:
            self.finish(event)

    def finish(self, event: TimedEvent) -> None:
        """Take it that an event has been drawn."""
        self.event, self.is_over = event, True


def guessed(token: int, at_ns: int) -> TimedEvent:
    """Return the event that a token of the other role begins."""
    value, role = int(VOCABULARY.values[token]), Role(int(VOCABULARY.roles[token]))
    match VOCABULARY.kinds[token]:
        case Kind.ON:
            return TimedEvent(at_ns, NoteOn(value, _ANY_VELOCITY), role)
        case Kind.OFF:
            return TimedEvent(at_ns, NoteOff(value), role)
    return TimedEvent(at_ns, Pedal(bool(value)), role)


def overdue(bounds: Bounds, state: StreamState) -> TimedEvent | None:
    """Return the release of the key that will have been held too long first, if the bounds allow to lift one.

    Where it would stand before what the last step holds it comes a step later: a proposal is taken back from the
    end of the stream, and must not change what stood before it.
    """
    due_ns = {
        pitch: state.encoder.time_of(step) + bounds.longest_hold_ns
        for pitch, step in state.pressed.items()
        if bounds.allowed[VOCABULARY.off(Role.OWN, pitch)]
    }
    if not due_ns:
        return None
    at_ns, pitch = next_release(due_ns, bounds.earliest_ns)
    release = TimedEvent(at_ns, NoteOff(pitch), Role.OWN)
    if state.encoder.copy().push(release).rewind:
        return TimedEvent(state.encoder.time_of(state.encoder.step + 1), NoteOff(pitch), Role.OWN)
    return release
