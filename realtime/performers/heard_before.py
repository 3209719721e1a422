"""What goes with the player from one way of playing to the next: the memory, and the end of the music as a prompt."""

import numpy as np

from piano.events import Event, NoteOff, NoteOn, Pedal, Role, TimedEvent
from piano.sampling.memory import Memory
from piano.solve.fed_stream import LONGEST_GAP_NS
from piano.tokens.encoding import decode, encode
from piano.tokens.stream import StreamEncoder
from piano.tokens.vocabulary import VOCABULARY
from realtime.performers.reference import with_rest

PROMPT_TOKENS = 400
"""So much of what was played is heard by the next performer: some 80 notes."""


def prompt_of(memory: Memory, *, one_voice: bool) -> tuple[int, ...]:
    """Return the end of what was played as the tokens of whole events, all keys and the pedal up after it, and a rest.

    With `one_voice` both roles have become our own: where only one plays, it is all one music. Empty if nothing was.
    """
    told = decode(np.asarray(memory.tokens[max(len(memory) - PROMPT_TOKENS, memory.learned) :], np.int32))
    if not told.performance.notes.size:
        return ()
    if one_voice:
        events = encode(told.performance)
    else:
        events = encode(told.performance, roles=told.roles, pedal_roles=told.pedal_roles)
    down = dict.fromkeys(Role, False)
    for change, role in zip(told.performance.pedals, told.pedal_roles.tolist(), strict=True):
        down[Role.OWN if one_voice else Role(role)] = bool(change["down"])
    return with_rest(events.tolist(), [role for role in Role if down[role]])


class MemoryWriter:
    """Writes what the player does into a memory, for a performer whose own stream is something else."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._encoder: StreamEncoder | None = None
        self._held: set[int] = set()
        self._pedal_is_down = False

    def hear(self, timed: TimedEvent) -> None:
        """Take what the player did."""
        event = timed.event
        if self._changes_nothing(event):
            return
        if isinstance(event, NoteOn) and event.pitch in self._held:
            self._write(timed.at_ns, NoteOff(event.pitch))
        self._write(timed.at_ns, event)

    def _changes_nothing(self, event: Event) -> bool:
        match event:
            case NoteOff(pitch):
                return pitch not in self._held
            case Pedal(down):
                return down == self._pedal_is_down
        return False

    def _write(self, at_ns: int, event: Event) -> None:
        if self._encoder is None:
            self._memory.push(VOCABULARY.bos)
            self._encoder = StreamEncoder(at_ns)
        self._encoder.shorten_silence(at_ns, LONGEST_GAP_NS)
        edit = self._encoder.push(TimedEvent(at_ns, event, Role.GIVEN))
        self._memory.rollback(len(self._memory) - edit.rewind)
        self._memory.extend(edit.tokens)
        match event:
            case NoteOn(pitch):
                self._held.add(pitch)
            case NoteOff(pitch):
                self._held.discard(pitch)
            case Pedal(down):
                self._pedal_is_down = down
