"""A stream with what is known of it: which of that comes next, and when at the latest. Plain state, no thread."""

from collections.abc import Sequence

from piano.events import Role
from piano.sampling.sampler import SamplingSettings
from piano.solve.constraints import Constraints, ForcedEvent
from piano.solve.limits import LONGEST_HOLD_S, next_release
from piano.solve.must_play import MustPlayState
from piano.solve.score_timing import TempoCurve
from piano.solve.token_buffer import TokenBuffer
from piano.tokens.step_order import FRESH
from piano.tokens.vocabulary import STEP_S, VOCABULARY

LONGEST_SCORE_WAIT_S = 8.0
"""The longest from one key of a score to the next."""

_LONGEST_HOLD, _LONGEST_WAIT = round(LONGEST_HOLD_S / STEP_S), round(LONGEST_SCORE_WAIT_S / STEP_S)


class ForcedStream(TokenBuffer):
    """What `piano.solve.exercise_stream` plays on: it knows what must come, not what may.

    Where a given C4 comes at step 50 and our own E4, pressed at step 10, has to be up by step 40, the release of E4 at
    step 40 comes next; once that stands, C4.
    """

    def __init__(self, head: Sequence[int], known: Constraints, sampling: SamplingSettings | None = None) -> None:
        super().__init__(head, sampling)
        self._known = known
        self._owed = None if known.owed is None else MustPlayState(known.owed)
        self._tempo = None if known.score is None else TempoCurve(known.score)
        self._lifts: dict[int, int] = {}  # at which step each of our keys comes up at the latest
        self._rises: dict[int, int] = {}  # and at the earliest
        self._last_press = 0
        self._event = self._preview = self._announcement = 0  # the next of each
        self._last_strike = known.strikes[-1][1] if known.strikes and known.pitches != () else -1

    @property
    def passed(self) -> int:
        """Return how many known things have come: events, previews, keys of a score."""
        return self._event + self._preview + (0 if self._known.pitches is None else len(self.presses))

    @property
    def follows_order(self) -> bool:
        """Say whether the order of the keys is known, and not their time."""
        return self._known.pitches is not None

    @property
    def _score_key(self) -> int | None:
        """Return the token of the next key of a score."""
        pitches = self._known.pitches
        if pitches is None or len(self.presses) == len(pitches):
            return None
        return VOCABULARY.on(Role.OWN, pitches[len(self.presses)])

    def _press(self, pitch: int) -> None:
        """Take note of a key of our own that has just gone down, with its velocity."""
        self.presses.append((self._step, pitch))
        self._last_press = self._step
        self._lifts[pitch] = self._step + _LONGEST_HOLD
        if self._known.texture is not None and self._known.texture.lengths is not None:
            earliest, latest = self._known.texture.lengths.about(self._step, pitch)
            self._rises[pitch] = earliest
            self._lifts[pitch] = min(latest, self._step + _LONGEST_HOLD)
        if self._tempo is not None:
            self._lifts[pitch] = self._step + self._tempo.hold
            self._tempo.press(self._step)
        if self._owed is not None:
            self._owed.press(self._step, pitch)
        if self._known.pitches is not None and len(self.presses) == len(self._known.pitches):
            self._last_strike = self._step + _LONGEST_HOLD

    def _next_known(self) -> ForcedEvent | None:
        """Return what is forced next: something given, a preview, or what has waited for too long."""
        known = self._known.events[self._event] if self._event < len(self._known.events) else None
        if self._pressed:
            release = self._next_release()
            if known is None or self._place(release) < self._place(known):
                known = release
        if self._score_key is not None:
            latest = self._last_press + _LONGEST_WAIT if self._tempo is None else self._tempo.latest
            press = ForcedEvent(max(latest, self._anchor_step), (self._score_key,))
            if known is None or self._place(press) < self._place(known):
                known = press
        if self._owed is not None:
            known = self._next_owed(self._owed, known)
        preview = self._known.preview(self._preview)
        return preview if preview and (known is None or preview.step <= known.step) else known

    def _next_release(self) -> ForcedEvent:
        """Return which of our keys comes up next, and when at the latest: one that is to go down again, before that."""
        moments = {pitch: self._lifts.get(pitch, pressed + _LONGEST_HOLD) for pitch, pressed in self._pressed.items()}
        if self._tempo is not None and self._score_key is not None:
            pitch = int(VOCABULARY.values[self._score_key])
            if pitch in moments:
                moments[pitch] = max(min(moments[pitch], self._tempo.latest - 1), self._pressed[pitch] + 1)
        step, pitch = next_release(moments, self._anchor_step)
        return ForcedEvent(step, (VOCABULARY.off(Role.OWN, pitch),))

    def _next_owed(self, owed: MustPlayState, known: ForcedEvent | None) -> ForcedEvent | None:
        """Return the key that must go down, or the moment in which one must, if it comes before another known thing."""
        forced, moment = owed.forced(), owed.moment()
        if forced is not None:
            step, pitch = forced
            key = VOCABULARY.off if pitch in self._pressed else VOCABULARY.on
            press = ForcedEvent(step, (key(Role.OWN, pitch),))
            return press if known is None or self._place(press) < self._place(known) else known
        if moment is not None and moment > self._anchor_step and (known is None or moment <= known.step):
            return ForcedEvent(moment, (), is_event=False)
        return known

    def _place(self, known: ForcedEvent) -> tuple[int, int]:
        order = self._order if known.step == self._anchor_step else FRESH
        return known.step, order.place(known.tokens[0])

    def _next_strike(self, step: int) -> int | None:
        """Return the first step from another on at which our own keys may go down."""
        if step > self._last_strike:
            return None
        return next((max(step, first) for first, last in self._known.strikes if step <= last), None)
