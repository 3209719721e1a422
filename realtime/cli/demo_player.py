"""The player of the demo: phrases that are played into a port in real time, and what is heard of the answers.

Runs on the main thread, as a person at the keyboard would: it knows the far ends of two cables and nothing else.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from piano.events import NoteOn
from piano.notes import Performance
from piano.tokens.vocabulary import STEP_NS
from realtime.midi.message import event_of
from realtime.midi.performance_messages import messages_of
from realtime.midi.ports import InputPort, OutputPort
from realtime.threads.clock import Clock

_NS_PER_S = 1_000_000_000
_LOOK_NS = 5_000_000
_QUARTER_STEP_NS = STEP_NS // 4
"""The player's moments lie this far after the model's steps, so that no small delay moves one to another step."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A phrase, and for how long its answer is listened to before the next one, or before the end."""

    phrase: Performance
    listen_s: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of a passage: when its last key came up, when the answer's first note came (None: it did not)."""

    end_ns: int
    answer_ns: int | None


class DemoPlayer:
    """Play passages, each when the answer to the one before it has been listened to."""

    def __init__(
        self,
        clock: Clock,
        keys: OutputPort,
        ears: InputPort,
        *,
        patience_s: float = 4.0,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Take the far ends of the cables; wait so long for an answer; `report` is told, often, what goes on."""
        self._clock, self._keys, self._ears = clock, keys, ears
        self._patience_ns = round(patience_s * _NS_PER_S)
        self._report = report
        self._condition = threading.Condition()
        self._origin_ns: int | None = None

    def play(self, passages: Sequence[Passage]) -> list[Heard]:
        """Play all passages and return what became of them."""
        return [self._play(passage) for passage in passages]

    def _play(self, passage: Passage) -> Heard:
        start_ns = self._next_start_ns()
        at_ns = start_ns
        is_first_key = True
        for message_ns, data in messages_of(passage.phrase):
            late_ns = 0 if is_first_key and self._origin_ns == start_ns else _QUARTER_STEP_NS
            at_ns = start_ns + message_ns + late_ns
            self._wait_until(at_ns, "the player plays")
            self._keys.send(data)
            is_first_key = False
        end_ns = at_ns
        answer_ns = self._wait_for_an_answer(end_ns + self._patience_ns)
        if answer_ns is not None:
            self._wait_until(answer_ns + round(passage.listen_s * _NS_PER_S), "pianod answers")
        return Heard(end_ns, answer_ns)

    def _next_start_ns(self) -> int:
        """Return the next step of the time that began with the first key."""
        now_ns = self._clock.now_ns()
        if self._origin_ns is None:
            self._origin_ns = now_ns + STEP_NS
            return self._origin_ns
        return self._origin_ns - (self._origin_ns - now_ns) // STEP_NS * STEP_NS

    def _wait_for_an_answer(self, until_ns: int) -> int | None:
        while (now_ns := self._clock.now_ns()) < until_ns:
            if self._hears_a_note():
                return now_ns
            self._sleep_until(now_ns + _LOOK_NS)
            self._report("pianod listens")
        return None

    def _wait_until(self, at_ns: int, what: str) -> None:
        """Wait, listening all the while."""
        while (now_ns := self._clock.now_ns()) < at_ns:
            self._sleep_until(min(at_ns, now_ns + 10 * _LOOK_NS))
            self._hears_a_note()
            self._report(what)

    def _hears_a_note(self) -> bool:
        """Take all that has come, and say whether a key went down in it."""
        is_note = False
        while (data := self._ears.poll()) is not None:
            is_note = is_note or isinstance(event_of(data), NoteOn)
        return is_note

    def _sleep_until(self, at_ns: int) -> None:
        with self._condition:
            self._clock.wait(self._condition, at_ns)
