"""The end of a live stream as it stands, a place in it to come back to, and what a token of the other role means."""

from dataclasses import dataclass, field

from piano.events import Event, NoteOff, NoteOn, Pedal, Role, TimedEvent
from piano.session import Logits
from piano.solve.bounds import Bounds
from piano.solve.limits import next_release
from piano.tokens.grammar import Grammar
from piano.tokens.stream import StreamEncoder
from piano.tokens.vocabulary import VOCABULARY, Kind

_ANY_VELOCITY = 64


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
    told: tuple[int, int] = (0, -1)
    """When the last cue stood, and its code; below 0 while none was told."""

    def note(self, event: Event, role: Role) -> None:
        """Take note of a key that went down or came up at the last step."""
        if role is Role.OWN and not isinstance(event, Pedal):
            self.pressed.pop(event.pitch, None)
            if isinstance(event, NoteOn):
                self.pressed[event.pitch] = self.encoder.step
                self.notes += 1

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
            self.told,
        )


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a stream to come back to."""

    state: StreamState
    head_length: int


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
    """Return the release of the key that will have been held too long first, if the bounds allow to lift one."""
    due_ns = {
        pitch: state.encoder.time_of(step) + bounds.longest_hold_ns
        for pitch, step in state.pressed.items()
        if bounds.allowed[VOCABULARY.off(Role.OWN, pitch)]
    }
    if not due_ns:
        return None
    at_ns, pitch = next_release(due_ns, bounds.earliest_ns)
    return TimedEvent(at_ns, NoteOff(pitch), Role.OWN)
