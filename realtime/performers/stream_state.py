"""The end of a live stream, as it can be kept and come back to. The engine's thread owns it."""

from dataclasses import dataclass, field

from inference.onnx_session import Logits
from piano.events import Event, NoteOn, Pedal, Role
from piano.tokens.grammar import Grammar
from piano.tokens.stream import StreamEncoder


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
        )


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a stream to come back to."""

    state: StreamState
    head_length: int
