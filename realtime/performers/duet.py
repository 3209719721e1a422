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

from inference.onnx_session import Session
from piano.cues import ENDING
from piano.events import NoteOff, NoteOn, Pedal, Role, TimedEvent
from piano.sampling.ending import Ending
from piano.sampling.memory import Memory
from piano.sampling.sampler import Sampler
from piano.solve.bounds import Bounds
from piano.solve.guidance import Guidance
from piano.solve.live_stream import LiveStream
from piano.tokens.vocabulary import STEP_NS
from realtime.output.event_queue import Release
from realtime.performers.coming_to_end import ending_of, toward_end
from realtime.performers.heard_before import prompt_of
from realtime.performers.partner_ear import PartnerEar
from realtime.performers.performer import Activity, Output, PerformerStatus
from realtime.performers.play_limits import PlayLimiter
from realtime.performers.play_settings import DuetSettings, Mode, PlaySettings, WhenAlone

AHEAD_NS = 1_000_000_000
"""How far ahead of the clock the model plays, where the player's next move does not bound it."""

LATEST_KEY_NS = 1_000_000_000
"""A key that is heard later than this after its moment is heard after what was planned until then."""

LATEST_NS = 100_000_000
"""An event that could not be sampled until this long after its moment is left out."""

_PASSED_BITS = 32


class Duet:
    """A performer that plays along. See `realtime.performers.performer.Performer`."""

    def __init__(
        self,
        session: Session,
        head: Sequence[int],
        output: Output,
        settings: DuetSettings,
        memory: Memory | None = None,
    ) -> None:
        """Begin; a `memory` is what was played before, by other performers, and takes what is played."""
        prompt = () if memory is None else prompt_of(memory, one_voice=False)
        self._stream = LiveStream(session, head, memory, prompt)
        self._head = tuple(head)
        self._output = output
        self._ear = PartnerEar()
        self._take_on(settings)
        self._epoch = output.begin_epoch()
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
        self._ending: Ending | None = None
        self._heard_ns: int | None = None
        """When the player did something last, after an ending: the music does not begin again yet."""

    @property
    def mode(self) -> Mode:
        return Mode.DUET

    def on_event(self, timed: TimedEvent) -> None:
        """Take what the player did, and think again about everything after it."""
        self._think_again(timed.at_ns)
        self._stream.hear(TimedEvent(timed.at_ns, timed.event, Role.GIVEN))
        self._ear.hear(timed)
        match timed.event:
            case NoteOn(pitch):
                self._held.add(pitch)
            case NoteOff(pitch):
                self._held.discard(pitch)
        if self._is_enough(timed):
            return
        self._entries += self._last_ns is None
        self._last_ns = timed.at_ns

    def _is_enough(self, timed: TimedEvent) -> bool:
        """Say whether it stays silent after an ending: until the player has stopped, too, and begins anew."""
        before_ns, self._heard_ns = self._heard_ns, None
        if before_ns is None or (
            isinstance(timed.event, NoteOn) and timed.at_ns - before_ns >= self._settings.alone_after_ns
        ):
            return False
        self._heard_ns = timed.at_ns
        return True

    def come_to_end(self, at_ns: int, within_ns: int) -> None:
        """Bring what is played to an end; it begins again with the player's first key after a rest, or when asked."""
        if self._last_ns is None or self._ending is not None:
            return
        self._think_again(at_ns)
        self._ending = ending_of(self._stream, at_ns, at_ns + within_ns)
        self._stream.tell(at_ns, ENDING)

    def guide(self, guidance: Guidance) -> None:
        self._stream.guide(guidance)

    def hand_over(self, at_ns: int) -> None:
        """Play on from this moment even if nothing was played."""
        self._heard_ns = None
        if self._last_ns is None:
            self._think_again(at_ns)
            self._entries += 1
            self._last_ns = at_ns

    def stop(self, at_ns: int) -> None:
        """Stop playing at a moment, until the player plays again."""
        self._stream.rollback(at_ns)
        self._limiter.rollback(at_ns)
        self._new_turn()
        self._epoch = self._output.invalidate(release=Release.AT_ONCE)
        self._release_held(max(at_ns, self._stream.end_ns))
        if self._ending is not None:
            self._heard_ns, self._ending = self._last_ns, None
        self._last_ns = self._waits_until_ns = None

    def retry(self, at_ns: int) -> None:
        """Play on from this moment with other luck."""
        self._think_again(at_ns)

    def change(self, change: PlaySettings, at_ns: int) -> None:
        """Play along as other settings say; what was planned for later is planned anew."""
        self._think_again(at_ns)
        self._take_on(change.duet or DuetSettings())
        self._restart()
        if change.head != self._head:
            self._head = change.head
            self._stream.restyle(change.head)

    def start_afresh(self) -> None:
        self._new_turn()
        self._epoch = self._output.invalidate(release=Release.AT_ONCE)
        self._stream.reset(self._head, forget=True)
        self._last_ns = self._waits_until_ns = self._ending = self._heard_ns = None

    def due_ns(self) -> int | None:
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
        activity = Activity.LISTENING if self._last_ns is None else Activity.PLAYING
        return PerformerStatus(activity, self._entries, 0, self._stream.length)

    @property
    def _decided_ns(self) -> int:
        """Return up to when nothing is left to guess, unless the player does something."""
        return self._known_ns if self._waits_until_ns is None else self._waits_until_ns

    def _guess(self, earliest_ns: int) -> None:
        """Sample the next event from a moment on; plan it if it is our own, else wait for it."""
        limiter, alone_ns = self._limiter, self._holds_ns()
        free_ns = max(limiter.free_ns() or 0, limiter.waits_ns(earliest_ns) or 0)
        last_ns = None if self._ending is None else self._ending.chord_ns
        if last_ns is not None and earliest_ns >= last_ns:  # the last chord is struck however much was before
            free_ns, alone_ns = 0, None
        may_strike = free_ns <= earliest_ns and (alone_ns is None or earliest_ns < alone_ns)
        bounds = Bounds(
            earliest_ns,
            limiter.allowed(self._held, strikes=may_strike),
            most_keys=limiter.limits.most_keys,
            bias=limiter.bias(earliest_ns),
            longest_hold_ns=limiter.limits.longest_hold_ns,
        )
        guess = self._stream.propose(self._sampler, toward_end(bounds, self._ending, self._stream, tells_end=False))
        is_strike = guess is not None and guess.role is Role.OWN and isinstance(guess.event, NoteOn)
        runs_out_ns = limiter.runs_out_ns(earliest_ns, guess.at_ns) if guess is not None and is_strike else None
        changes = (free_ns, alone_ns, runs_out_ns, last_ns)
        changes_ns = min((at_ns for at_ns in changes if at_ns and at_ns > earliest_ns), default=None)
        if changes_ns is not None and (guess is None or guess.at_ns >= changes_ns):
            self._stream.rollback(changes_ns - 1)  # from there on other keys may go down than those it chose from
            self._known_ns = changes_ns
        elif guess is None:  # it has nothing more to do: look again when the player might have stopped
            self._waits_until_ns = earliest_ns + AHEAD_NS
        elif guess.role is Role.GIVEN:
            self._waits_until_ns = max(guess.at_ns, earliest_ns)
        else:
            self._known_ns = max(guess.at_ns, earliest_ns)
            self._output.schedule(guess.at_ns, limiter.soften(guess.event), self._epoch)
            if isinstance(guess.event, NoteOn):
                limiter.strike(guess.at_ns)

    def _holds_ns(self) -> int | None:
        """Return from when on nothing new is struck, unless the player does something more; None if never."""
        return self._alone_ns() if self._settings.when_alone is WhenAlone.HOLD else None

    def _alone_ns(self) -> int | None:
        """Return from when on the player has stopped, unless something more is done; None while a key is held."""
        return None if self._held or self._last_ns is None else self._last_ns + self._settings.alone_after_ns

    def _ends_ns(self) -> int | None:
        """Return when to end unless the player does something more; None if never."""
        alone_ns = self._alone_ns() if self._settings.when_alone is WhenAlone.END else None
        if self._ending is None:
            return alone_ns
        is_silent = not (self._stream.sounding(Role.OWN) or self._stream.pedal_is_down(Role.OWN))
        by_ns = self._ending.by_ns
        if is_silent and self._ending.is_over(self._known_ns):
            by_ns = min(by_ns, self._known_ns)
        return by_ns if alone_ns is None else min(by_ns, alone_ns)

    def _think_again(self, at_ns: int) -> None:
        """Take back what was guessed for after a moment."""
        self._catch_up(at_ns)
        self._stream.rollback(at_ns)
        self._limiter.rollback(at_ns)
        self._new_turn()
        self._epoch = self._output.invalidate(release=Release.BY_NEW_EPOCH, after_ns=at_ns)
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
        self._sampler = Sampler(settings.limits.seed, settings.limits.sampling)
        self._limiter = PlayLimiter(settings.limits, self._ear)

    def _new_turn(self) -> None:
        self._turn += 1
        self._passed = 0
        self._restart()

    def _restart(self) -> None:
        self._sampler.restart(self._turn << _PASSED_BITS | self._passed)

    def _release_held(self, at_ns: int) -> None:
        """Tell the stream that the model's keys and pedal come up."""
        for pitch in sorted(self._stream.sounding(Role.OWN)):
            self._stream.hear(TimedEvent(at_ns, NoteOff(pitch)))
        if self._stream.pedal_is_down(Role.OWN):
            self._stream.hear(TimedEvent(at_ns, Pedal(down=False)))
