"""A loop as it goes round: what is planned of it, pass after pass, and how that is taken back. On the engine's thread.

Every pass begins a whole number of loop lengths after the first, in integer nanoseconds: nothing drifts. At each seam
everything is released. The loop's own voices are planned a little ahead; where the answer is still being found they do
not wait for it, and what it finds too late is left out.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Sequence

from piano.events import Event, NoteOn
from realtime.output.event_queue import Release
from realtime.performers.loop.answer import LoopAnswer
from realtime.performers.loop.layers import Cue, Layer, Voices, cue_of, loop_cues
from realtime.performers.performer import Output

AHEAD_NS = 500_000_000
"""How far ahead of the clock the loop is planned."""

TURN_NS = 100_000_000
"""How long before the seam the next pass is begun: what is asked for after that is for the one after it."""

PATIENCE_NS = 50_000_000
"""How long before its moment the loop's own event goes out, even if an answer might still put something before it."""

LATEST_NS = 100_000_000
"""A key of the answer that was not found until this long after its moment is left out."""


class LoopPlayback:
    """Plans a loop from a moment on."""

    def __init__(self, output: Output, from_ns: int, length_ns: int, *, epoch: int, number: int = 0) -> None:
        """Begin pass `number` at a moment, in an epoch that the caller has begun."""
        self._output, self._epoch = output, epoch
        self.start_ns, self.length_ns, self.number = from_ns, length_ns, number
        self._at_ns = -1  # the offset up to which this pass is planned
        self._voices = Voices()
        self._log: deque[tuple[int, Voices]] = deque()  # the voices after each moment, as long as it can be taken back
        self._layers: tuple[Layer, ...] = ()
        self._cues: list[Cue] = []  # of the layers that sound in this pass
        self._answer: LoopAnswer | None = None
        self.last_key_ns: int | None = None
        """From when on no key goes down any more; None while it goes round without an end."""
        self._answers = self._told = 0  # how many answers there were, and how many events of this one are planned

    @property
    def answer(self) -> LoopAnswer | None:
        """Return the answer that is played."""
        return self._answer

    @property
    def end_ns(self) -> int:
        """Return when the pass that is being planned ends."""
        return self.start_ns + self.length_ns

    def set_answer(self, answer: LoopAnswer | None) -> None:
        """Play this answer from where the plan has come to."""
        self._answer = answer
        self._answers += 1
        self._find_place()

    def set_layers(self, layers: Sequence[Layer]) -> None:
        """Play these layers from where the plan has come to."""
        self._layers = tuple(layers)
        self._cues = loop_cues([layer for layer in layers if layer.first_pass <= self.number])

    def skip_to(self, at_ns: int) -> None:
        """Leave out of this pass what lies before a moment, where the pass began before it."""
        if at_ns > self.start_ns:
            self._at_ns = max(self._at_ns, at_ns - self.start_ns)
            self._find_place()

    def due_ns(self) -> int:
        """Return from when on something is to be planned."""
        offset_ns = self._next_ns()
        if offset_ns == self.length_ns:
            return self.end_ns - TURN_NS
        is_known = self._answer is None or self._answer.is_complete or self._answer.known_ns > offset_ns
        return self.start_ns + offset_ns - (AHEAD_NS if is_known else PATIENCE_NS)

    def plan_next(self, now_ns: int) -> bool:
        """Plan what comes next; return whether that was the seam, so that a new pass begins."""
        offset_ns = self._next_ns()
        moment_ns = self.start_ns + offset_ns
        is_seam = offset_ns == self.length_ns
        self._plan(moment_ns, self._voices.release() if is_seam else self._heard_at(offset_ns, now_ns))
        self._at_ns = offset_ns
        if is_seam:
            self.start_ns, self.number, self._at_ns = moment_ns, self.number + 1, -1
            self.set_layers(self._layers)
            self._find_place()
        while len(self._log) > 1 and self._log[1][0] < now_ns - AHEAD_NS:
            self._log.popleft()
        return is_seam

    def rollback(self, at_ns: int) -> int:
        """Take back what is planned for after a moment, or after the beginning of the pass if that comes later.

        Return the epoch in which it goes on.
        """
        at_ns = max(at_ns, self.start_ns)
        self._epoch = self._output.invalidate(release=Release.BY_NEW_EPOCH, after_ns=at_ns)
        while self._log and self._log[-1][0] > at_ns:
            self._log.pop()
        self._voices = self._log[-1][1].copy() if self._log else Voices()
        self._at_ns = min(self._at_ns, at_ns - self.start_ns)
        self._find_place()
        return self._epoch

    def let_go(self, at_ns: int) -> None:
        """Release, at the moment to which was taken back, what voices hold that play no more."""
        staying = {layer.voice for layer in self._layers} | {self._answer_voice}
        self._plan(max(at_ns, self.start_ns), self._voices.release(staying))

    @property
    def _answer_voice(self) -> int:
        return -self._answers

    def _next_ns(self) -> int:
        """Return the offset of what comes next; the loop's length for the seam."""
        index = bisect_right(self._cues, self._at_ns, key=_offset)
        offset_ns = self._cues[index].offset_ns if index < len(self._cues) else self.length_ns
        if self._answer is not None and self._told < len(self._answer.events):
            offset_ns = min(offset_ns, max(self._answer.events[self._told][0], self._at_ns))
        return min(offset_ns, self.length_ns)

    def _heard_at(self, offset_ns: int, now_ns: int) -> list[Event]:
        """Return what is heard of all voices at an offset, what was found too late included where that may be."""
        cues: list[Cue] = []
        if offset_ns > self._at_ns:
            first, end = (bisect(self._cues, offset_ns, key=_offset) for bisect in (bisect_left, bisect_right))
            cues += self._cues[first:end]
        found = [] if self._answer is None else self._answer.events
        while self._told < len(found) and found[self._told][0] <= offset_ns:
            at_ns, event = found[self._told]
            self._told += 1
            late_ns = max(self.start_ns + offset_ns, now_ns) - self.start_ns - at_ns
            if late_ns <= LATEST_NS or not isinstance(event, NoteOn):
                cues.append(cue_of(offset_ns, self._answer_voice, event))
        if self.last_key_ns is not None and self.start_ns + offset_ns >= self.last_key_ns:
            cues = [cue for cue in cues if not isinstance(cue.event, NoteOn)]
        cues.sort(key=_rank)
        heard = (self._voices.play(cue.voice, cue.event) for cue in cues)
        return [event for event in heard if event is not None]

    def _plan(self, moment_ns: int, events: Sequence[Event]) -> None:
        for event in events:
            self._output.schedule(moment_ns, event, self._epoch)
        self._log.append((moment_ns, self._voices.copy()))

    def _find_place(self) -> None:
        """Find the first of the answer's events that is not planned yet."""
        self._told = 0 if self._answer is None else bisect_right(self._answer.events, self._at_ns, key=_first)


def _offset(cue: Cue) -> int:
    return cue.offset_ns


def _rank(cue: Cue) -> int:
    return cue.rank


def _first(event: tuple[int, Event]) -> int:
    return event[0]
