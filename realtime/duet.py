"""Duet: the player plays one voice, the model the other, both at once. Runs on the engine's thread.

It is exact sampling of one joint model of two players. The model guesses the next event of either. If it is the model's
own, it is planned. If it is the player's, it says only that nothing of our own comes before that moment: wait. When
the player does something first, what was planned for later is taken back, what was done is fed, and the guessing
begins anew; when the guessed moment passes and nothing came, that too is known: guess on from there.

What is played depends on what was heard, on its moments and on the seed, not on the speed of the machine: every guess
after a thing that happened (a key, or a moment that passed) is drawn from a generator of its own, and what comes before
a thing that happened is guessed before that is heard. A key that the player holds is not struck.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from piano.events import Event, NoteOff, NoteOn, Pedal, Role, TimedEvent
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

LATEST_KEY_NS = 1_000_000_000
"""A key that is heard later than this after its moment is heard after what was planned until then."""

LATEST_NS = 100_000_000
"""An event that could not be sampled until this long after its moment is left out."""


_OWN_ON: Mask = np.asarray((VOCABULARY.kinds == Kind.ON) & (VOCABULARY.roles == Role.OWN), np.bool_)
_PASSED_BITS = 32


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
        self._output = output
        self._take_on(settings)
        self._epoch = 0
        self._turn = self._passed = 0
        """How many things happened, and how many expected moments passed since: which generator is drawn from."""
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
        self._think_again(timed.at_ns)
        self._entries += self._last_ns is None
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
            self._think_again(at_ns)
            self._entries += 1
            self._last_ns = at_ns

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
        self._think_again(at_ns)
        self._take_on(change.duet or DuetSettings())
        self._restart()
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
        ends_ns = self._ends_ns()
        if ends_ns is not None and self._decided_ns >= ends_ns:
            return ends_ns
        return self._known_ns - AHEAD_NS if self._waits_until_ns is None else self._waits_until_ns

    def work(self, now_ns: int) -> None:
        """Guess the next event of either player, or end."""
        if self._last_ns is None:
            return
        ends_ns = self._ends_ns()
        if ends_ns is not None and self._decided_ns >= ends_ns:
            self.stop(ends_ns)
            return
        if self._waits_until_ns is not None:
            self._known_ns, self._waits_until_ns = self._waits_until_ns + STEP_NS, None
            self._passed += 1
            self._restart()
            return
        self._stream.settle(now_ns - LATEST_KEY_NS)
        self._guess(max(self._known_ns, now_ns - LATEST_NS))

    def status(self) -> PerformerStatus:
        """Return how it stands."""
        activity = Activity.LISTENING if self._last_ns is None else Activity.PLAYING
        return PerformerStatus(activity, self._entries, 0, self._stream.length)

    @property
    def _decided_ns(self) -> int:
        """Return up to when nothing is left to guess, unless the player does something."""
        return self._known_ns if self._waits_until_ns is None else self._waits_until_ns

    def _guess(self, earliest_ns: int) -> None:
        """Sample the next event from a moment on; plan it if it is our own, else wait for it."""
        settings, alone_ns = self._settings, self._alone_ns()
        strikes_until_ns = alone_ns if settings.when_alone is WhenAlone.HOLD else None
        is_held = strikes_until_ns is not None and earliest_ns >= strikes_until_ns
        bounds = Bounds(
            earliest_ns,
            self._allowed & ~(_OWN_ON if is_held else self._under_a_hand()),
            most_keys=settings.most_keys,
            bias=self._bias,
            longest_hold_ns=settings.longest_hold_ns,
        )
        guess = self._stream.propose(self._sampler, bounds)
        if guess is None:  # it has nothing more to do: look again when the player might have stopped
            self._waits_until_ns = earliest_ns + AHEAD_NS
        elif guess.role is Role.GIVEN:
            self._waits_until_ns = max(guess.at_ns, earliest_ns)
        elif not is_held and strikes_until_ns is not None and guess.at_ns >= strikes_until_ns:
            self._stream.rollback(strikes_until_ns - 1)
            self._known_ns = strikes_until_ns
        else:
            self._known_ns = max(guess.at_ns, earliest_ns)
            self._output.schedule(guess.at_ns, self._softened(guess.event), self._epoch)

    def _softened(self, event: Event) -> Event:
        """Return an event no louder than it may be: a velocity of the model's stands for the bin around it."""
        if isinstance(event, NoteOn) and event.velocity > self._settings.loudest:
            return NoteOn(event.pitch, self._settings.loudest)
        return event

    def _under_a_hand(self) -> Mask:
        """Return the keys that the player holds, as tokens that would strike them, (vocab,)."""
        mask = np.zeros(VOCABULARY.size, np.bool_)
        mask[[VOCABULARY.on(Role.OWN, pitch) for pitch in self._held]] = True
        return mask

    def _alone_ns(self) -> int | None:
        """Return from when on the player has stopped, unless something more is done; None while a key is held."""
        return None if self._held or self._last_ns is None else self._last_ns + self._settings.alone_after_ns

    def _ends_ns(self) -> int | None:
        """Return when to end unless the player does something more; None if never."""
        return self._alone_ns() if self._settings.when_alone is WhenAlone.END else None

    def _think_again(self, at_ns: int) -> None:
        """Take back what was guessed for after a moment."""
        self._catch_up(at_ns)
        self._stream.rollback(at_ns)
        self._new_turn()
        self._output.invalidate(self._epoch, release=Release.BY_NEW_EPOCH, after_ns=at_ns)
        self._known_ns, self._waits_until_ns = at_ns, None

    def _catch_up(self, at_ns: int) -> None:
        """Guess what comes before a moment, where two things happen so soon after each other that it was not yet."""
        while self._last_ns is not None:
            ends_ns = self._ends_ns()
            if ends_ns is not None and self._decided_ns >= ends_ns:
                is_due = ends_ns < at_ns
            elif self._waits_until_ns is not None:
                is_due = self._waits_until_ns < at_ns
            else:
                is_due = self._stream.next_moment_ns(self._known_ns) <= at_ns
            if not is_due:
                return
            self.work(at_ns)

    def _take_on(self, settings: DuetSettings) -> None:
        self._settings = settings
        self._sampler = Sampler(settings.seed, settings.sampling)
        self._allowed = _allowed(settings)
        self._bias = np.where(_OWN_ON, -settings.restraint, 0.0).astype(np.float32) if settings.restraint else None

    def _new_turn(self) -> None:
        self._epoch += 1
        self._turn += 1
        self._passed = 0
        self._restart()

    def _restart(self) -> None:
        self._sampler.restart(self._turn << _PASSED_BITS | self._passed)

    def _let_go(self, at_ns: int) -> None:
        """Tell the stream that the model's keys and pedal come up."""
        for pitch in sorted(self._stream.sounding(Role.OWN)):
            self._stream.hear(TimedEvent(at_ns, NoteOff(pitch)))
        if self._stream.pedal_is_down(Role.OWN):
            self._stream.hear(TimedEvent(at_ns, Pedal(down=False)))


def _allowed(settings: DuetSettings) -> Mask:
    """Return what may be guessed, (vocab,): all of the player's, and of our own what lies within range and loudness."""
    mask = np.ones(VOCABULARY.size, np.bool_)
    mask[VOCABULARY.end] = False
    out_of_range = (VOCABULARY.values < settings.lowest_pitch) | (VOCABULARY.values > settings.highest_pitch)
    mask &= ~(_OWN_ON & out_of_range)
    loudest_bin = settings.loudest // VELOCITIES_PER_BIN
    mask &= ~((VOCABULARY.kinds == Kind.VELOCITY) & (loudest_bin < VOCABULARY.values))
    return mask
