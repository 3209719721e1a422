"""A stream of tokens as it is laid out: what has been played, how far it stands for good, and which keys are down."""

from array import array
from collections.abc import Sequence

import numpy as np

from piano.events import Role
from piano.notes import Performance
from piano.sampling.sampler import SamplingSettings
from piano.solve.constrained_decoder import ConstrainedDecoder
from piano.tokens.encoding import decode
from piano.tokens.grammar import Grammar
from piano.tokens.step_order import StepOrder
from piano.tokens.vocabulary import VOCABULARY, Kind


class TokenBuffer(ConstrainedDecoder):
    """What `piano.solve.exercise_stream` appends to and takes back from.

    It knows what stands there, not what may come.
    """

    def __init__(self, head: Sequence[int], sampling: SamplingSettings | None = None) -> None:
        super().__init__(sampling)
        self.tokens = array("i", head)
        self.fed = 0
        """How many of the tokens the model has been fed."""
        self.anchor = len(head)
        """The length of the stream up to its last event, or preview; what follows may be taken back."""
        self.presses: list[tuple[int, int]] = []
        """At which step each of our notes began, and its pitch."""
        self._grammar, self._order = Grammar(), StepOrder()
        self._step = self._anchor_step = 0
        self._step_began = self.anchor  # the length of the stream where its last step began
        self._recalled = 0  # how many of the tokens stand as they did when the memory was last told
        self._pressed: dict[int, int] = {}  # at which step each of our keys went down, in that order

    @property
    def is_due(self) -> bool:
        """Say whether there are tokens that the model has not been fed."""
        return self.fed < len(self.tokens)

    def own_part(self) -> Performance:
        """Return our own notes and pedal changes, as far as they have been played."""
        told = decode(np.asarray(self.tokens, np.int32))
        own, own_pedal = told.roles == Role.OWN, told.pedal_roles == Role.OWN
        return Performance(told.performance.notes[own], told.performance.pedals[own_pedal])

    def unfeed(self, length: int) -> None:
        """Take it that the model holds no more than so many of the tokens."""
        self.fed = min(self.fed, length)

    def _note(self, token: int) -> None:
        """Take note of the token of an event at the step that has been reached."""
        if self._step > self._anchor_step:
            self._order, self._anchor_step = StepOrder(), self._step
            self._step_began = len(self.tokens) - 1
        self._order.push(token)
        if VOCABULARY.roles[token] == Role.OWN and VOCABULARY.kinds[token] != Kind.PEDAL:
            pitch = int(VOCABULARY.values[token])
            self._pressed.pop(pitch, None)
            if VOCABULARY.kinds[token] == Kind.ON:
                self._pressed[pitch] = self._step

    def _put(self, tokens: Sequence[int]) -> None:
        self.tokens.extend(tokens)
        for token in tokens:
            self._grammar.push(token)

    def _return_to_anchor(self, then: Sequence[int] = ()) -> None:
        """Take back what was appended since the anchor and append other tokens; what they share stays fed."""
        shared = 0
        for have, want in zip(self.tokens[self.anchor :], then, strict=False):
            if have != want:
                break
            shared += 1
        del self.tokens[self.anchor + shared :]
        self.fed, self._recalled = min(self.fed, len(self.tokens)), min(self._recalled, len(self.tokens))
        self.tokens.extend(then[shared:])
