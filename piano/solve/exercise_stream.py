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

from piano.events import LOWEST_PITCH, Role
from piano.sampling.sampler import SamplingSettings
from piano.session import Logits
from piano.solve.biases import NO_PEDAL_DOWN, in_tempo, in_texture
from piano.solve.constraints import FOREVER, Constraints, ForcedEvent
from piano.solve.forced_stream import ForcedStream
from piano.solve.limits import (
    IS_GIVEN,
    IS_OWN,
    IS_OWN_ON,
    IS_TIME,
    NOTHING,
    STEPS,
    Options,
    in_time,
    open_step,
)
from piano.solve.pedal_habit import STEADY, STEADY_IN_FILLS, change_of_pedal
from piano.tokens.grammar import Mask
from piano.tokens.step_order import FRESH, StepOrder
from piano.tokens.vocabulary import LONGEST_TIME_STEPS, VOCABULARY, Kind

_IMPOSSIBLE = -6.0
"""What is so much rarer, in nats, by all that is known of the music does not come."""

_IS_OWN_OFF: Mask = (VOCABULARY.kinds == Kind.OFF) & (VOCABULARY.roles == Role.OWN)
_OWN_PEDAL_DOWN = VOCABULARY.pedal(Role.OWN, down=True)
_FIRST_OWN_ON = VOCABULARY.on(Role.OWN, LOWEST_PITCH) - LOWEST_PITCH


class ExerciseStream(ForcedStream):
    """The stream of one exercise. It wants logits (`is_due`), offers options, and takes a token; until it is done.

    Of `sampling` it takes what the logits go through before a token is drawn, as live; none of it if not given.
    """

    def __init__(self, head: Sequence[int], known: Constraints, sampling: SamplingSettings | None = None) -> None:
        super().__init__(head, known, sampling)
        self.score, self.decisions = 0.0, 0
        """The log-probability of all that was decided, in nats, and how many decisions that were."""
        self.is_done = False
        self._allowed = _static(known)
        self._pedal_since = -FOREVER  # the step of the last change of our own pedal
        self._logits: Logits | None = None
        self._at_anchor: tuple[Logits | None, float, int] = (None, 0.0, 0)  # logits, score, decisions
        self._earliest = 0
        self._announce()

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

    def accept_logits(self, logits: Logits) -> None:
        """Take the logits of what follows the last token, which was fed."""
        self.fed, self._logits = len(self.tokens), logits
        if self.fed == self.anchor:
            self._at_anchor = logits, self.score, self.decisions

    def copy(self) -> "ExerciseStream":
        """Return an independent one in the same state."""
        other = ExerciseStream.__new__(ExerciseStream)
        other.__dict__.update(self.__dict__)
        other.tokens, other._grammar, other._order = self.tokens[:], self._grammar.copy(), self._order.copy()
        other._pressed, other.presses = dict(self._pressed), self.presses[:]
        other._owed = None if self._owed is None else self._owed.copy()
        other._tempo = None if self._tempo is None else self._tempo.copy()
        other._lifts, other._rises, other._guards = dict(self._lifts), dict(self._rises), self._guards.copy()
        return other

    def options(self) -> Options | None:
        """Return what may be drawn now; None if nothing: then the stream is due to be fed, or done."""
        while not self.is_done:
            if self._grammar.in_note:
                return None if self.is_due else self._offered(Options(self._grammar.mask()), None)
            known = self._next_known()
            if self._ends_in_silence():
                break
            if known is not None and self._earliest > known.step - (not known.is_event):
                self._force(known)
                continue
            if self.is_due:
                break
            options, bias = self._possible(known), self._evidence(known)
            if options.allowed.any() and (bias is None or bias[options.allowed].max() > _IMPOSSIBLE):
                return self._offered(options, bias)
            self.pass_over()
        return None

    def _offered(self, options: Options, bias: Logits | None) -> Options:
        """Offer some options, with what is known of the music in nats for each token; return them."""
        self._recall_all()
        pressed = None if self._grammar.in_note else self._pressed
        chooses = self._owed is None and not self.follows_order
        texture = self._known.texture
        recalls_when = texture is None or texture.moments is None
        return self._offer(
            options, self._heard, self._step, pressed, bias=bias, chooses_keys=chooses, recalls_when=recalls_when
        )

    @property
    def _heard(self) -> Logits:
        """Return the logits of what follows; RuntimeError before there are any."""
        if self._logits is None:
            raise RuntimeError("the stream has not been fed yet")
        return self._logits

    def _recall_all(self) -> None:
        """Have the memory hold the stream as far as it stands, where it is asked."""
        if self._sampling.recall:
            self._remember(self._recalled, self.tokens[self._recalled :])
            self._recalled = len(self.tokens)

    def take(self, token: int, log_probability: float | None = None) -> None:
        """Take the token that was drawn from the options, and how probable that was, in nats, where it is known."""
        if log_probability is None:
            log_probability = self.log_probability(token)
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
            self._press(int(VOCABULARY.values[self.tokens[-2]]))
            self._recall_all()
            down = self._grammar.pedal_is_down(Role.OWN)
            self._guards.strike(self.presses[-1][1], self._step, pedal_is_down=down)
            self._announce()
        self._anchor_here(open_step(self._step, len(self.tokens) - self._step_began))

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

    def _possible(self, known: ForcedEvent | None) -> Options:
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
            bias = in_texture(self._known.texture, self._step, self.presses, rises, self._heard)
            steady = STEADY_IN_FILLS
        elif self._tempo is None:
            return None
        elif self._score_key is None:
            return NO_PEDAL_DOWN  # all has been played
        else:
            bias, steady = in_tempo(self._tempo, self._step, known.step if known is not None else None), STEADY
        is_down = self._grammar.pedal_is_down(Role.OWN)
        stands = self._step - self._pedal_since
        bias[VOCABULARY.pedal(Role.OWN, down=not is_down)] += change_of_pedal(is_down, stands, steady)
        return bias

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
