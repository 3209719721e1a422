"""An exercise while it is played: its stream so far, what may come next, and what is forced. Plain state, no thread.

It is exact sampling of one joint model of two roles, as in a duet, on a clock that does not wait. A token is drawn from
what may come next:

- our own event, or time that passes before it: it stands;
- more time than until the next thing that is known, or an event that belongs behind it: nothing of our own comes
  before that. It is forced at its step, and what was drawn is forgotten;
- an event of the other role before one is known: a guess that is wrong. Nothing comes up to that moment: the next
  token is drawn from after it.

Where the order of the keys is known, any key of our own that is drawn says that the next of them goes down now.

The tokens are laid out as `piano.tasks.task_stream` does it, within a step in the canonical order.
"""

from collections.abc import Sequence

import numpy as np

from piano.events import Role
from piano.notes import LOWEST_PITCH
from piano.session import Logits
from piano.solve.constraints import FOREVER, Constraints, ForcedEvent
from piano.solve.leanings import NO_PEDAL_DOWN, in_tempo, in_texture
from piano.solve.limits import (
    IS_GIVEN,
    IS_OWN,
    IS_OWN_ON,
    IS_TIME,
    LONGEST_HOLD_S,
    MOST_STEP_TOKENS,
    NOTHING,
    STEPS,
    Options,
    in_time,
    next_release,
)
from piano.solve.must_play import MustPlayState
from piano.solve.score_timing import TempoCurve
from piano.solve.token_buffer import TokenBuffer
from piano.tokens.grammar import Mask
from piano.tokens.step_order import FRESH, StepOrder
from piano.tokens.vocabulary import LONGEST_TIME_STEPS, STEP_S, VOCABULARY, Kind

LONGEST_SCORE_WAIT_S = 8.0
"""The longest from one key of a score to the next."""

_LONGEST_HOLD, _LONGEST_WAIT = round(LONGEST_HOLD_S / STEP_S), round(LONGEST_SCORE_WAIT_S / STEP_S)
_IMPOSSIBLE = -6.0
"""What is so much rarer, in nats, by all that is known of the music does not come."""

_IS_OWN_OFF: Mask = (VOCABULARY.kinds == Kind.OFF) & (VOCABULARY.roles == Role.OWN)
_OWN_PEDAL_DOWN = VOCABULARY.pedal(Role.OWN, down=True)
_FIRST_OWN_ON = VOCABULARY.on(Role.OWN, LOWEST_PITCH) - LOWEST_PITCH


class ConstrainedDecoder(TokenBuffer):
    """The stream of one exercise. It wants logits (`is_due`), offers options, and takes a token; until it is done."""

    def __init__(self, head: Sequence[int], known: Constraints) -> None:
        super().__init__(head)
        self.score, self.decisions = 0.0, 0
        """The log-probability of all that was decided, in nats, and how many decisions that were."""
        self.is_done = False
        self._known = known
        self._allowed = _static(known)
        self._owed = None if known.owed is None else MustPlayState(known.owed)
        self._tempo = None if known.score is None else TempoCurve(known.score)
        self._pedal_since = -FOREVER  # the step of the last change of our own pedal
        self._lifts: dict[int, int] = {}  # at which step each of our keys comes up at the latest
        self._rises: dict[int, int] = {}  # and at the earliest
        self._logits: Logits | None = None
        self._lean: Logits | None = None  # what is known of the music says, in nats for each token
        self._at_anchor: tuple[Logits | None, float, int] = (None, 0.0, 0)  # logits, score, decisions
        self._earliest = self._last_press = 0
        self._event = self._preview = self._announcement = 0  # the next of each
        self._last_strike = known.strikes[-1][1] if known.strikes and known.pitches != () else -1
        self._announce()

    @property
    def passed(self) -> int:
        """Return how many known things have come: events, previews, keys of a score."""
        return self._event + self._preview + (0 if self._known.pitches is None else len(self.presses))

    @property
    def follows_order(self) -> bool:
        """Say whether the order of the keys is known, and not their time."""
        return self._known.pitches is not None

    @property
    def moment(self) -> int:
        """Return how far it has come for good: in steps, or in keys where it follows their order."""
        return len(self.presses) if self.follows_order else self._anchor_step

    @property
    def share(self) -> float:
        """Return how much of the music has been played, 0 to 1."""
        if self._known.pitches is not None:
            return len(self.presses) / max(1, len(self._known.pitches))
        return min(1.0, self._anchor_step / max(1, self._last_strike))

    @property
    def logits(self) -> Logits:
        """Return the logits of what follows, with the evidence for it; RuntimeError where they are due."""
        if self._logits is None:
            raise RuntimeError("the stream has not been fed yet")
        return self._logits if self._lean is None else self._logits + self._lean

    def accept_logits(self, logits: Logits) -> None:
        """Take the logits of what follows the last token, which was fed."""
        self.fed, self._logits = len(self.tokens), logits
        if self.fed == self.anchor:
            self._at_anchor = logits, self.score, self.decisions

    def copy(self) -> "ConstrainedDecoder":
        """Return an independent one in the same state."""
        other = ConstrainedDecoder.__new__(ConstrainedDecoder)
        other.__dict__.update(self.__dict__)
        other.tokens, other._grammar, other._order = self.tokens[:], self._grammar.copy(), self._order.copy()
        other._pressed, other.presses = dict(self._pressed), self.presses[:]
        other._owed = None if self._owed is None else self._owed.copy()
        other._tempo = None if self._tempo is None else self._tempo.copy()
        other._lifts, other._rises = dict(self._lifts), dict(self._rises)
        return other

    def options(self) -> Options | None:
        """Return what may be drawn now; None if nothing: then the stream is due to be fed, or done."""
        while not self.is_done:
            if self._grammar.in_note:
                self._lean = None
                return None if self.is_due else Options(self._grammar.mask())
            known = self._next_known()
            if self._ends_in_silence():
                break
            if known is not None and self._earliest > known.step - (not known.is_event):
                self._force(known)
                continue
            if self.is_due:
                break
            options = self._options(known)
            self._lean = self._evidence(known)
            if options.allowed.any() and (self._lean is None or self._lean[options.allowed].max() > _IMPOSSIBLE):
                return options
            self.pass_over()
        return None

    def take(self, token: int, log_probability: float) -> None:
        """Take the token that was drawn from the options, and how probable that was, in nats."""
        known = None if self._grammar.in_note else self._next_known()
        if known is not None and self._lets_come(known)[token]:
            self._decided(log_probability)
            self._force(known)
        elif IS_GIVEN[token]:
            self.pass_over()
        else:
            self._decided(log_probability)
            self._append(token if self._score_key is None or not IS_OWN_ON[token] else self._score_key)

    def pass_over(self) -> None:
        """Go back to the anchor: nothing comes up to the step that has been reached."""
        self._earliest = self._step + 1
        if self._owed is not None:
            self._owed.skip(self._earliest)
        self._step = self._anchor_step
        self._return_to_anchor()
        self._logits, self.score, self.decisions = self._at_anchor

    @property
    def _score_key(self) -> int | None:
        """Return the token of the next key of a score."""
        pitches = self._known.pitches
        if pitches is None or len(self.presses) == len(pitches):
            return None
        return VOCABULARY.on(Role.OWN, pitches[len(self.presses)])

    def _decided(self, log_probability: float) -> None:
        self.score += log_probability
        self.decisions += 1

    def _append(self, token: int) -> None:
        """Append a token of our own."""
        kind = VOCABULARY.kinds[token]
        if kind == Kind.END:
            self._finish()
            return
        self.tokens.append(token)
        self._logits = None
        self._grammar.push(token)
        if kind == Kind.TIME:
            self._step += int(STEPS[token])
        elif kind == Kind.VELOCITY:
            self._settle()
        else:
            self._note(token)
            if kind == Kind.PEDAL:
                self._pedal_since = self._step
            if kind != Kind.ON:
                self._settle()

    def _settle(self) -> None:
        """Make an event that is complete the anchor."""
        if VOCABULARY.kinds[self.tokens[-1]] == Kind.VELOCITY and VOCABULARY.roles[self.tokens[-2]] == Role.OWN:
            self.presses.append((self._step, int(VOCABULARY.values[self.tokens[-2]])))
            self._last_press = self._step
            self._lifts[self.presses[-1][1]] = self._step + _LONGEST_HOLD
            if self._known.texture is not None and self._known.texture.lengths is not None:
                earliest, latest = self._known.texture.lengths.about(*self.presses[-1])
                self._rises[self.presses[-1][1]] = earliest
                self._lifts[self.presses[-1][1]] = min(latest, self._step + _LONGEST_HOLD)
            if self._tempo is not None:
                self._lifts[self.presses[-1][1]] = self._step + self._tempo.hold
                self._tempo.press(self._step)
            if self._owed is not None:
                self._owed.press(*self.presses[-1])
            if self._known.pitches is not None and len(self.presses) == len(self._known.pitches):
                self._last_strike = self._step + _LONGEST_HOLD
            self._announce()
        is_full = len(self.tokens) - self._step_began >= MOST_STEP_TOKENS
        self._anchor_here(self._step + is_full)

    def _anchor_here(self, earliest: int) -> None:
        self.anchor, self._anchor_step, self._earliest = len(self.tokens), self._step, earliest
        self._logits = None
        if self._owed is not None:
            self._owed.skip(earliest)

    def _announce(self) -> None:
        """Show what is shown when so many keys have been pressed."""
        told = self._known.announcements
        if self._announcement < len(told) and told[self._announcement].before == len(self.presses):
            self._put(told[self._announcement].tokens.tolist())
            self._announcement += 1
            self._anchor_here(self._step)

    def _force(self, known: ForcedEvent) -> None:
        """Let a known thing come at its step: what was appended since the anchor is taken back, but for the wait."""
        self._return_to_anchor((*VOCABULARY.wait(known.step - self._anchor_step), *known.tokens))
        for token in self.tokens[self.anchor :]:
            self._grammar.push(token)
        self._step = known.step
        if not known.is_event:
            self._preview += bool(known.tokens)
            if self._step > self._anchor_step:
                self._order = StepOrder()
                self._step_began = len(self.tokens)
        else:
            self._event += VOCABULARY.roles[known.tokens[0]] == Role.GIVEN
            self._note(known.tokens[0])
        self._anchor_here(self._step)

    def _finish(self) -> None:
        """End here, with our keys and pedal up."""
        self._return_to_anchor()
        self._step = self._anchor_step
        self._put([VOCABULARY.off(Role.OWN, pitch) for pitch in sorted(self._grammar.sounding(Role.OWN))])
        if self._grammar.pedal_is_down(Role.OWN):
            self._put([VOCABULARY.pedal(Role.OWN, down=False)])
        self.is_done = True

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

    def _ends_in_silence(self) -> bool:
        """Where nothing of ours sounds and nothing may be struck, go on to where it may; or end, and say so."""
        now = max(self._step, self._earliest)
        strike = self._next_strike(now)
        is_over = self._event == len(self._known.events) and (self._owed is None or self._owed.is_over)
        if strike is None and not self._pressed and is_over:
            self._finish()
            return True
        if strike != now and not self._pressed and not self._grammar.pedal_is_down(Role.OWN):
            if self._step > self._anchor_step:
                self.pass_over()
            self._earliest = FOREVER if strike is None else strike
        return False

    def _may_end(self) -> bool:
        known = self._known
        return (
            self._event == len(known.events)
            and self._preview >= known.needed
            and (known.pitches is None or len(self.presses) == len(known.pitches))
            and (self._owed is None or self._owed.is_over)
        )

    def _options(self, known: ForcedEvent | None) -> Options:
        missing = self._earliest - self._step
        has_waited = (self._step - self._anchor_step) % LONGEST_TIME_STEPS > 0
        allowed = in_time(NOTHING if missing > 0 else self._events(), missing, has_waited=has_waited)
        lets_come = allowed & self._lets_come(known) if known else NOTHING
        presses = NOTHING if self._known.pitches is None else allowed & IS_OWN_ON & ~lets_come
        return Options(allowed, lets_come, allowed & IS_GIVEN & ~lets_come, presses)

    def _evidence(self, known: ForcedEvent | None) -> Logits | None:
        """Return by how many nats what is known of the music makes each token likelier, (vocab,); None: by nothing."""
        if self._known.texture is not None:
            rises = min((self._rises.get(pitch, 0) for pitch in self._pressed), default=FOREVER)
            return in_texture(self._known.texture, self._step, self.presses, rises)
        if self._tempo is None:
            return None
        if self._score_key is None:
            return NO_PEDAL_DOWN  # all has been played
        is_down = self._grammar.pedal_is_down(Role.OWN)
        until = known.step if known is not None else None
        return in_tempo(self._tempo, self._step, until, is_down=is_down, pedal_steps=self._step - self._pedal_since)

    def _events(self) -> Mask:
        """Return which events may come at the step that has been reached, and any time, (vocab,)."""
        known, grammar = self._known, self._grammar
        allowed = grammar.mask() & self._allowed
        allowed &= (self._order if self._step == self._anchor_step else FRESH).following()
        allowed[VOCABULARY.end] &= self._may_end()
        if self._event == len(known.events):
            allowed &= ~IS_GIVEN
        if self._next_strike(self._step) != self._step:
            allowed &= ~IS_OWN_ON
            allowed[_OWN_PEDAL_DOWN] = False
        elif known.pitches is not None:
            if self._score_key is None or not allowed[self._score_key]:
                allowed &= ~IS_OWN_ON
            if self._tempo is not None:
                allowed &= ~_IS_OWN_OFF  # each key is held for its written length
        else:
            allowed[[_FIRST_OWN_ON + pitch for pitch in grammar.sounding(Role.GIVEN)]] = False
            held = [pitch for pitch in self._pressed if self._rises.get(pitch, 0) > self._step]
            allowed[[VOCABULARY.off(Role.OWN, pitch) for pitch in held]] = False
        if self._owed is not None:
            allowed &= ~IS_OWN_ON | self._owed.keys(self._step)
            allowed = self._owed.only(allowed, self._step)
        return allowed

    def _lets_come(self, known: ForcedEvent) -> Mask:
        """Return what would come behind a known thing, (vocab,)."""
        if not known.is_event:
            return IS_TIME & (self._step + STEPS >= known.step)
        if self._step < known.step:
            return IS_TIME & (self._step + STEPS > known.step)
        order = self._order if self._step == self._anchor_step else FRESH
        return IS_TIME | IS_GIVEN | (IS_OWN & order.behind(known.tokens[0]))


def _static(known: Constraints) -> Mask:
    """Return what may come in an exercise at any time, (vocab,)."""
    mask = np.ones(VOCABULARY.size, np.bool_)
    if not known.allows_pedal:
        for down in (False, True):
            mask[VOCABULARY.pedal(Role.OWN, down=down)] = False
    return mask
