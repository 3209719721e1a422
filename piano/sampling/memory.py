"""What was played in a session, as far back as it goes, mixed into what the model expects to come next.

A model's context holds some two hundred notes, and within it the model does not copy. The memory follows the whole
stream, token by token; `adjust` mixes a distribution with what the pointers into the past expect. It obeys the same
rollback as the session, costs the same after an hour, and is plain state of whoever feeds it: one thread.
"""

from array import array
from collections.abc import Iterable, Sequence

from piano.sampling.forecast import (
    Curves,
    Forecast,
    Logits,
    Mask,
    adjust_keys,
    adjust_releases,
    adjust_velocity,
    adjust_waits,
    forecast,
    mix_keys,
    odds_of,
    waits_for_keys,
)
from piano.sampling.note_log import HELD, NoteLog
from piano.sampling.pointers import NO_POINTERS, Pointers, follow, weight_of_repeating
from piano.sampling.rhythm import NO_RHYTHM, Rhythm
from piano.tokens.vocabulary import VOCABULARY, Kind

RECENT_NOTES = 256
"""So many notes, or up to twice as many, are taken back at once; for more some of what stays is followed again."""

NEW_STREAM_STEPS = 300
"""A stream that begins anew comes so long after the one before."""

_KINDS = [int(kind) for kind in VOCABULARY.kinds]
_VALUES = [int(value) for value in VOCABULARY.values]
_ROLES = [int(role) for role in VOCABULARY.roles]
_ON, _OFF, _TIME, _VELOCITY = int(Kind.ON), int(Kind.OFF), int(Kind.TIME), int(Kind.VELOCITY)
_BOS, _PREVIEW, _PLAY = int(Kind.BOS), int(Kind.PREVIEW), int(Kind.PLAY)
_NOTHING = -2

_State = tuple[Pointers, Pointers, Rhythm]
"""The pointers of both roles, and the rhythm."""
_FRESH: _State = (NO_POINTERS, NO_POINTERS, NO_RHYTHM)


class Memory:
    """All that was played, by either role. Its length is counted in tokens, heads and previews included."""

    def __init__(self) -> None:
        self.tokens = array("h")
        self._undo = array("i")
        """What each token changed: the note that a key held, or whether there was a preview."""
        self._log = NoteLog()
        self._followed = _FRESH
        self._before: list[_State] = []
        """What was followed before each of the last notes."""
        self._checkpoints: list[tuple[int, _State]] = []
        """After every so many notes: how many tokens there were before the next, and what was followed."""
        self._forecasts: dict[int, Forecast | None] = {}
        """What each role's pointers expect, once it was asked for."""
        self._notes = self._step = 0
        self._in_preview = False
        self._model: tuple[int, ...] = ()
        self.learned = 0
        """The length up to which it is not what was played, but music to be played like, or older than that."""

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.tokens)

    def push(self, token: int) -> None:
        """Take the next token of the stream, heard or sampled."""
        kind, value = _KINDS[token], _VALUES[token]
        undo = _NOTHING
        if kind in (_PREVIEW, _PLAY):
            undo = int(self._in_preview)
            self._in_preview = kind == _PREVIEW
        elif self._in_preview:
            pass
        elif kind == _TIME:
            self._step += value
        elif kind == _ON:
            undo = self._strike(_ROLES[token], value)
        elif kind == _OFF:
            undo = self._log.release(_ROLES[token], value, self._step)
        elif kind == _VELOCITY:
            self._set_velocity(value)
        elif kind == _BOS:
            self._step += NEW_STREAM_STEPS
        self.tokens.append(token)
        self._undo.append(undo)

    def extend(self, tokens: Iterable[int]) -> None:
        """Take the next tokens."""
        for token in tokens:
            self.push(token)

    def learn(self, tokens: Sequence[int]) -> None:
        """Take music that is to be played like: it is looked up as if it had been played, and never forgotten."""
        self.extend(tokens)
        self._model, self.learned = tuple(tokens), len(self)

    def forget(self) -> None:
        """Forget all that was played; what is to be played like is known still."""
        self.rollback(0)
        self.learn(self._model)

    def rollback(self, length: int) -> None:
        """Forget all but the first `length` tokens: what is left is as if no more had ever come."""
        if not 0 <= length <= len(self.tokens):
            raise ValueError(f"{len(self.tokens)} tokens roll back to 0 to {len(self.tokens)}, not {length}")
        while len(self.tokens) > length:
            if _KINDS[self.tokens[-1]] == _ON and self._undo[-1] != _NOTHING and not self._before:
                self._follow_again(length)
                return
            self._pop()

    def adjust(
        self, logits: Logits, recall: float, mask: Mask | None = None, pulse: float = 0.0, *, tells_when: bool = True
    ) -> Logits:
        """Return logits, (vocab,), mixed with what the past lets expect; of the tokens that a mask allows, if given.

        `recall` multiplies the odds for the past: 1 is what fits real music, 0 leaves the logits as they are. `pulse`
        is how strongly the rhythm of our own keys that is going on is leant on. Without `tells_when` the past says
        which of our own keys goes down, and how loud, but not when one does. The logits are never changed in place.
        """
        if (recall == 0 and pulse == 0) or self._in_preview:
            return logits
        mixed = logits.copy()
        if self.tokens and _KINDS[self.tokens[-1]] == _ON:
            role = _ROLES[self.tokens[-1]]
            if recall:
                adjust_velocity(mixed, self._pointers(role), self._log, role, recall)
            return mixed
        waits: Curves | None = None
        for role in (0, 1):
            expected = self._forecast(role) if recall else None
            if pulse and role == 0:
                odds = 0.0 if expected is None else expected.odds * recall
                self._followed[2].adjust(mixed, self._step, pulse / (1 + odds))
            if expected is not None:
                mix_keys(mixed, mask, expected, role, recall)
            if expected is not None and tells_when:
                waits = _times(waits, waits_for_keys(expected, self._step, recall))
                adjust_keys(mixed, expected, role, self._step, recall)
            if recall and tells_when:
                waits = _times(waits, adjust_releases(mixed, self._log, role, self._step, recall))
        if waits is not None:
            adjust_waits(mixed, waits)
        return mixed

    def repetition(self, role: int) -> float:
        """Return how surely the last note of a role repeats something, 0 to 1."""
        return weight_of_repeating(self._pointers(role), len(self._log.voices[role].pitches) - 1)

    def copy(self) -> "Memory":
        """Return an independent memory of the same."""
        other = Memory.__new__(Memory)
        other.tokens, other._undo = self.tokens[:], self._undo[:]
        other._log, other._followed = self._log.copy(), self._followed
        other._before, other._checkpoints = self._before[:], self._checkpoints[:]
        other._forecasts = dict(self._forecasts)
        other._notes, other._step, other._in_preview = self._notes, self._step, self._in_preview
        other._model, other.learned = self._model, self.learned
        return other

    def _strike(self, role: int, pitch: int) -> int:
        """Take a key that goes down; return the note that held it, or -1."""
        if self._notes % RECENT_NOTES == 0 and self._notes:
            self._checkpoints.append((len(self.tokens), self._followed))
            del self._before[:-RECENT_NOTES]
        self._before.append(self._followed)
        held_by = self._log.push(role, pitch, self._step)
        own, given, rhythm = self._followed
        after = follow(given if role else own, self._log, role)
        rhythm = rhythm.after(self._step)
        self._followed = (after, given, rhythm) if role == 0 else (own, after, rhythm)
        self._forecasts = {}
        self._notes += 1
        self._expect_end(role, after)
        return held_by

    def _expect_end(self, role: int, pointers: Pointers) -> None:
        """Note when the last note of a role is to end, if it repeats one that did."""
        voice = self._log.voices[role]
        now = len(voice.pitches) - 1
        heaviest = next((pointer for pointer in pointers if pointer.now == now), None)
        if heaviest is not None:
            repeated = self._log.voices[heaviest.role]
            release = repeated.releases[heaviest.then]
            if release != HELD:
                voice.ends[now] = self._step + round((release - repeated.steps[heaviest.then]) * heaviest.tempo)
        voice.end_odds[now] = odds_of(weight_of_repeating(pointers, now))

    def _set_velocity(self, velocity: int) -> None:
        if self.tokens and _KINDS[self.tokens[-1]] == _ON:
            self._log.voices[_ROLES[self.tokens[-1]]].velocities[-1] = velocity

    def _pointers(self, role: int) -> Pointers:
        own, given, _ = self._followed
        return given if role else own

    def _forecast(self, role: int) -> Forecast | None:
        if role not in self._forecasts:
            pointers = self._pointers(role)
            self._forecasts[role] = forecast(pointers, self._log, role) if pointers else None
        return self._forecasts[role]

    def _pop(self) -> None:
        """Take the last token back."""
        token, undo = self.tokens.pop(), self._undo.pop()
        kind = _KINDS[token]
        if kind in (_PREVIEW, _PLAY):
            self._in_preview = bool(undo)
        elif self._in_preview:
            pass
        elif kind == _TIME:
            self._step -= _VALUES[token]
        elif kind == _ON:
            self._unstrike(_ROLES[token], undo)
        elif kind == _OFF:
            self._log.hold_again(_ROLES[token], undo)
        elif kind == _VELOCITY:
            self._set_velocity(0)
        elif kind == _BOS:
            self._step -= NEW_STREAM_STEPS

    def _unstrike(self, role: int, held_by: int) -> None:
        self._log.pop(role, held_by)
        self._followed = self._before.pop() if self._before else _FRESH
        self._forecasts = {}
        self._notes -= 1
        if self._checkpoints and self._checkpoints[-1][0] >= len(self.tokens):
            self._checkpoints.pop()

    def _follow_again(self, length: int) -> None:
        """Go back beyond the pointers that are kept: to the checkpoint before a length, and on from there."""
        earlier = [checkpoint for checkpoint in self._checkpoints if checkpoint[0] <= length]
        start, followed = earlier[-1] if earlier else (0, _FRESH)
        again = self.tokens[start:length]
        while len(self.tokens) > start:
            self._pop()
        self._followed = followed
        self.extend(again)


def _times(first: Curves | None, second: Curves | None) -> Curves | None:
    if first is None or second is None:
        return second if first is None else first
    return first * second
