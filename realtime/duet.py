"""Duet: the player plays one voice, the model the other, both at once. Runs on the engine's thread.

It is exact sampling of one joint model of two players. The model guesses the next event of either. If it is the model's
own, it is planned. If it is the player's, it says only that nothing of our own comes before that moment: wait. When
the player does something first, what was planned for later is taken back, what was done is fed, and the guessing
begins anew; when the guessed moment passes and nothing came, that too is known: guess on from there.

What is played depends on what was heard, on its moments and on the seed, not on the speed of the machine: every guess
after a thing that happened (a key, or a moment that passed) is drawn from a generator of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from piano.events import NoteOff, NoteOn, Pedal, Role, TimedEvent
from piano.grammar import Mask
from piano.notes import HIGHEST_PITCH, LOWEST_PITCH
from piano.sampling import Sampler, SamplingSettings
from piano.vocabulary import KEYS, STEP_NS, VELOCITIES_PER_BIN, VOCABULARY, Kind
from realtime.commands import ChangePlaying, Mode
from realtime.live_stream import LONGEST_HOLD_NS, Bounds, LiveStream
from realtime.outbox import Release
from realtime.performer import Activity, Output, PerformerStatus
from realtime.session import Session

AHEAD_NS = 1_000_000_000
"""How far ahead of the clock the model plays, where the player's next move does not bound it."""

LATEST_NS = 100_000_000
"""An event that could not be sampled until this long after its moment is left out."""


class WhenAlone(StrEnum):
    """What the model does when the player has stopped."""

    END = "end"
    """Release what sounds and wait for the player."""
    HOLD = "hold"
    """Strike nothing new; what sounds ends as it would."""
    CONTINUE = "continue"
    """Play on."""


@dataclass(frozen=True, slots=True)
class DuetSettings:
    """How the model plays along; pitches and velocities as in MIDI, both ends included."""

    sampling: SamplingSettings = field(default_factory=SamplingSettings)
    seed: int = 0
    lowest_pitch: int = LOWEST_PITCH
    highest_pitch: int = HIGHEST_PITCH
    loudest: int = 127
    restraint: float = 0.0
    """How much less likely each key of the model's own is than the model thinks, in nats."""
    most_keys: int = KEYS
    longest_hold_ns: int = LONGEST_HOLD_NS
    when_alone: WhenAlone = WhenAlone.END
    alone_after_ns: int = 4_000_000_000
    """The player has stopped when nothing was done for so long and no key is held."""


class Duet:
    """A performer that plays along. See `realtime.performer.Performer`."""

    def __init__(self, session: Session, head: Sequence[int], output: Output, settings: DuetSettings) -> None:
        self._stream = LiveStream(session, head)
        self._head = tuple(head)
        self._output, self._settings = output, settings
        self._sampler = Sampler(settings.seed, settings.sampling)
        self._allow(settings)
        self._epoch = self._turn = 0
        self._held: set[int] = set()
        self._last_ns: int | None = None
        """When the player last did something; None while nobody plays."""
        self._known_ns = 0
        """Up to here it is known what happened, or what the model will do."""
        self._waits_until_ns: int | None = None
        """The moment at which the player is expected to do something."""
        self._entries = 0

    @property
    def mode(self) -> Mode:
        """Return which way of playing this is."""
        return Mode.DUET

    def hear(self, timed: TimedEvent) -> None:
        """Take what the player did, and think again about everything after it."""
        if self._last_ns is None:
            self._entries += 1
        self._think_again(timed.at_ns)
        self._stream.hear(TimedEvent(timed.at_ns, timed.event, Role.GIVEN))
        match timed.event:
            case NoteOn(pitch):
                self._held.add(pitch)
            case NoteOff(pitch):
                self._held.discard(pitch)
        self._last_ns = timed.at_ns

    def hand_over(self, at_ns: int) -> None:
        """Play on from this moment even if nothing was played."""
        if self._last_ns is None:
            self._last_ns = self._known_ns = at_ns

    def stop(self, at_ns: int) -> None:
        """Stop playing at a moment, until the player plays again."""
        self._stream.rollback(at_ns)
        self._new_turn()
        self._output.invalidate(self._epoch, release=Release.AT_ONCE)
        self._let_go(max(at_ns, self._stream.end_ns))
        self._last_ns = self._waits_until_ns = None

    def retry(self, at_ns: int) -> None:
        """Play on from this moment with other luck."""
        self._think_again(at_ns)

    def change(self, change: ChangePlaying, at_ns: int) -> None:
        """Play along as other settings say; what was planned for later is planned anew."""
        self._settings = settings = change.duet or DuetSettings()
        self._sampler = Sampler(settings.seed, settings.sampling)
        self._allow(settings)
        self._think_again(at_ns)
        if change.head != self._head:
            self._head = change.head
            self._stream.restyle(change.head)

    def start_afresh(self) -> None:
        """Stop, and forget all that was played."""
        self._new_turn()
        self._output.invalidate(self._epoch, release=Release.AT_ONCE)
        self._stream.reset(self._head)
        self._last_ns = self._waits_until_ns = None

    def due_ns(self) -> int | None:
        """Return from when on there is work."""
        if self._last_ns is None:
            return None
        if self._waits_until_ns is not None:
            return self._waits_until_ns
        return self._known_ns - AHEAD_NS

    def work(self, now_ns: int) -> None:
        """Guess the next event of either player."""
        if self._waits_until_ns is not None:
            self._known_ns, self._waits_until_ns = self._waits_until_ns + STEP_NS, None
            self._turn += 1
            self._sampler.restart(self._turn)
        if self._is_alone(self._known_ns) and self._settings.when_alone is WhenAlone.END:
            self.stop(now_ns)
            return
        self._stream.settle(now_ns - AHEAD_NS)
        self._guess(max(self._known_ns, now_ns - LATEST_NS))

    def status(self) -> PerformerStatus:
        """Return how it stands."""
        activity = Activity.LISTENING if self._last_ns is None else Activity.PLAYING
        return PerformerStatus(activity, self._entries, 0, self._stream.length)

    def _guess(self, earliest_ns: int) -> None:
        holds = self._is_alone(earliest_ns) and self._settings.when_alone is WhenAlone.HOLD
        allowed = self._silent if holds else self._allowed
        settings = self._settings
        bounds = Bounds(
            earliest_ns,
            allowed,
            most_keys=settings.most_keys,
            bias=self._bias,
            longest_hold_ns=settings.longest_hold_ns,
        )
        guess = self._stream.propose(self._sampler, bounds)
        if guess is None:  # it has nothing more to do: look again when the player might have stopped
            self._waits_until_ns = earliest_ns + AHEAD_NS
        elif guess.role is Role.GIVEN:
            self._waits_until_ns = max(guess.at_ns, earliest_ns)
        else:
            self._known_ns = max(guess.at_ns, earliest_ns)
            self._output.schedule(guess.at_ns, guess.event, self._epoch)

    def _is_alone(self, at_ns: int) -> bool:
        return not self._held and self._last_ns is not None and at_ns - self._last_ns >= self._settings.alone_after_ns

    def _think_again(self, at_ns: int) -> None:
        """Take back what was guessed for after a moment."""
        self._stream.rollback(at_ns)
        self._new_turn()
        self._output.invalidate(self._epoch, release=Release.AT_TIME, after_ns=at_ns)
        self._known_ns, self._waits_until_ns = at_ns, None

    def _allow(self, settings: DuetSettings) -> None:
        self._allowed, self._silent = _allowed(settings), _allowed(settings) & ~_own(Kind.ON)
        self._bias = np.where(_own(Kind.ON), -settings.restraint, 0.0).astype(np.float32)

    def _new_turn(self) -> None:
        self._epoch += 1
        self._turn += 1
        self._sampler.restart(self._turn)

    def _let_go(self, at_ns: int) -> None:
        """Tell the stream that the model's keys and pedal come up."""
        for pitch in sorted(self._stream.sounding(Role.OWN)):
            self._stream.hear(TimedEvent(at_ns, NoteOff(pitch)))
        if self._stream.pedal_is_down(Role.OWN):
            self._stream.hear(TimedEvent(at_ns, Pedal(down=False)))


def _own(kind: Kind) -> Mask:
    return np.asarray((VOCABULARY.kinds == kind) & (VOCABULARY.roles == Role.OWN), np.bool_)


def _allowed(settings: DuetSettings) -> Mask:
    """Return what may be guessed, (vocab,): all of the player's, and of our own what lies within range and loudness."""
    mask = np.ones(VOCABULARY.size, np.bool_)
    mask[VOCABULARY.end] = False
    out_of_range = (VOCABULARY.values < settings.lowest_pitch) | (VOCABULARY.values > settings.highest_pitch)
    mask &= ~(_own(Kind.ON) & out_of_range)
    loudest_bin = settings.loudest // VELOCITIES_PER_BIN
    mask &= ~((VOCABULARY.kinds == Kind.VELOCITY) & (loudest_bin < VOCABULARY.values))
    return mask
