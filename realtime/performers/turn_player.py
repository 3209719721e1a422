"""What performers that take turns with the player share: one stream, what the player holds, and the epoch of the plan.

The engine's thread owns it, as every performer.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np

from piano.events import NoteOff, Pedal, Role, TimedEvent
from piano.sampling.density_guard import PIANISTS_NOTES_PER_S
from piano.sampling.memory import Memory
from piano.sampling.sampler import Sampler
from piano.session import Session
from piano.solve.bounds import Bounds, under_a_hand
from piano.solve.guidance import Guidance
from piano.solve.live_stream import LiveStream
from piano.tokens.grammar import Mask, tokens_of_role
from piano.tokens.vocabulary import VOCABULARY
from realtime.output.event_queue import Release
from realtime.performers.answer_plan import Answer, Solo
from realtime.performers.heard_before import prompt_of
from realtime.performers.performer import Output
from realtime.performers.phrase_detector import PhraseDetector
from realtime.performers.play_settings import AnswerSettings, Mode, PauseSettings, PlaySettings

_OWN: Mask = tokens_of_role(Role.OWN)
_ENDLESS: Mask = _OWN & (np.arange(VOCABULARY.size) != VOCABULARY.end)

AHEAD_NS = 1_000_000_000
"""How far ahead of the clock the model plays."""

LATEST_NS = 100_000_000
"""An event that could not be sampled until this long after its moment is left out: the music goes on from now."""

CHANGE_AFTER_NS = 30_000_000
"""What is planned within this stands when something changes."""

T = TypeVar("T", Answer, Solo)


class TurnPlayer(ABC, Generic[T]):
    """The part of a performer that is the same whose turn it ever is. `memory` is what was played before, by others."""

    def __init__(
        self,
        session: Session,
        head: Sequence[int],
        output: Output,
        settings: AnswerSettings,
        pause: PauseSettings,
        memory: Memory | None,
    ) -> None:
        prompt = () if memory is None else prompt_of(memory, one_voice=True)
        self._stream = LiveStream(session, head, memory, prompt)
        self._head, self._output, self._settings = tuple(head), output, settings
        self._sampler = Sampler(settings.seed, settings.sampling)
        self._phrase = PhraseDetector(pause)
        self._epoch = output.begin_epoch()
        self._answers = self._turn = 0
        """`_turn` counts what the player has done: which generator is drawn from, however often an answer is begun."""

    @property
    def mode(self) -> Mode:
        return Mode.ANSWER

    def guide(self, guidance: Guidance) -> None:
        self._stream.guide(guidance)

    @abstractmethod
    def _play_next(self, turn: T, earliest_ns: int) -> None:
        """Sample one event, from a moment on at the earliest, and plan it."""

    @abstractmethod
    def _end(self, turn: T) -> None:
        """Listen again after a turn that came to its own end."""

    @staticmethod
    def _due_ns(turn: T) -> int:
        """Return when the next event of a turn is to be sampled."""
        return turn.planned_ns - AHEAD_NS

    def _go_on(self, turn: T, now_ns: int) -> None:
        """Play the next event of a turn, or end it."""
        if turn.is_complete:
            self._end(turn)
        else:
            self._stream.settle(now_ns - AHEAD_NS)
            self._play_next(turn, now_ns - LATEST_NS)

    def _adopt(self, change: PlaySettings) -> None:
        """Play as other settings say from the next event on."""
        self._settings = change.answers
        self._sampler = Sampler(self._settings.seed, self._settings.sampling)
        self._sampler.restart(self._turn)
        if change.head != self._head:
            self._head = change.head
            self._stream.restyle(change.head)

    def _allowed_now(self, *, endless: bool) -> Mask:
        """Return what may be played, (vocab,): not what is under the player's hand or foot, nor an end if `endless`."""
        kept = under_a_hand(self._phrase.held, pedal=self._phrase.pedal_is_down)
        return np.asarray((_ENDLESS if endless else _OWN) & ~kept, np.bool_)

    def _bounds(
        self, earliest_ns: int, latest_ns: int | None, allowed: Mask, *, must_play: bool, notes_per_s: float
    ) -> Bounds:
        """Return what the next event is held to; keys that the player holds too count as none of ours."""
        players = self._stream.sounding() & self._phrase.held
        return Bounds(
            earliest_ns,
            allowed,
            latest_ns,
            self._settings.most_keys + len(players),
            must_play=must_play,
            notes_per_s=notes_per_s,
            longest_hold_ns=self._settings.longest_hold_ns,
        )

    def _busy_at(self, at_ns: int) -> float:
        """Return how many notes a second are to be played from a moment on."""
        return self._settings.notes_per_s or self._stream.notes_per_s(at_ns) or PIANISTS_NOTES_PER_S

    @property
    def _own_keys(self) -> frozenset[int]:
        return self._stream.sounding() - self._phrase.held

    @property
    def _own_pedal_is_down(self) -> bool:
        return self._stream.pedal_is_down() and not self._phrase.pedal_is_down

    @property
    def _is_silent(self) -> bool:
        return not (self._own_keys or self._own_pedal_is_down)

    def _release_held(self, at_ns: int) -> None:
        """Tell the stream that the own keys and the own pedal come up at a moment."""
        at_ns = max(at_ns, self._stream.end_ns)
        for pitch in sorted(self._own_keys):
            self._stream.hear(TimedEvent(at_ns, NoteOff(pitch)))
        if self._own_pedal_is_down:
            self._stream.hear(TimedEvent(at_ns, Pedal(down=False)))

    def _invalidate(self, release: Release, after_ns: int | None = None) -> None:
        """Let what was planned for after a moment not be played, and draw anew."""
        self._sampler.restart(self._turn)
        self._epoch = self._output.invalidate(release=release, after_ns=after_ns)
