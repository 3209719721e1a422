"""Pieces that a bundle plays side by side, token by token in one batch: many of them, in a fraction of the time.

As the daemon plays: under the grammar, no wait longer than 5 s, a key up after 5 s at the latest, a full context
exchanged for its recent half. Two things are simpler here: all rows exchange at once, and not at the end of an event.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.bundle import Bundle
from inference.equal_rows import EqualRows
from piano.events import Role
from piano.sampling.density_guard import PIANISTS_NOTES_PER_S, DensityGuard
from piano.sampling.key_releases import with_releases
from piano.sampling.memory import Memory
from piano.sampling.repetition_guard import RepetitionGuard
from piano.sampling.sampler import Sampler, SamplingSettings
from piano.solve.limits import LONGEST_HOLD_S
from piano.tokens.grammar import Grammar, tokens_of_role
from piano.tokens.vocabulary import LONGEST_TIME_STEPS, STEP_S, VOCABULARY, Kind

Logits = NDArray[np.float32]

LONGEST_STEPS = round(LONGEST_HOLD_S / STEP_S)
"""The longest wait, and the longest that a key is held, in steps of 10 ms."""

_IS_TIME = VOCABULARY.kinds == Kind.TIME
_STEPS = np.where(_IS_TIME, VOCABULARY.values, 0)
_ALLOWED = tokens_of_role(Role.OWN) & (np.arange(VOCABULARY.size) != VOCABULARY.end)
_UP = VOCABULARY.first_off - VOCABULARY.first_on


class GrowingPiece:
    """One piece that grows: what was played, and the sampler that draws on.

    `notes_per_s` is how busy it is to be; None for as busy as what is pushed before the first draw.
    """

    def __init__(self, seed: int, sampling: SamplingSettings, notes_per_s: float | None = None) -> None:
        self.tokens: list[int] = []
        self._sampler = Sampler(seed, sampling)
        self._grammar, self._figures, self._pace = Grammar(), RepetitionGuard(), DensityGuard()
        self._memory = Memory() if sampling.recall or sampling.pulse_guard else None
        self._aim = notes_per_s
        self._step = self._last_event = 0
        self._has_waited = False
        self._pressed: dict[int, int] = {}

    def push(self, token: int) -> None:
        """Take the next token."""
        self.tokens.append(token)
        self._grammar.push(token)
        if self._memory is not None:
            self._memory.push(token)
        kind, value = VOCABULARY.kinds[token], int(VOCABULARY.values[token])
        self._has_waited = bool(kind == Kind.TIME and value < LONGEST_TIME_STEPS)
        if kind == Kind.TIME:
            self._step += value
        elif kind != Kind.VELOCITY:
            self._last_event = self._step
        if kind == Kind.ON:
            self._pressed[token] = self._step
            self._figures.push(value)
            self._pace.push(self._step)
        elif kind == Kind.OFF:
            self._pressed.pop(token - _UP, None)

    def draw(self, logits: Logits) -> int:
        """Draw the next token, take it and return it."""
        token = self._overdue()
        if self._aim is None:
            self._aim = self._pace.notes_per_s(self._step) or PIANISTS_NOTES_PER_S
        if token is None:
            settings, mask = self._sampler.settings, self._mask()
            if self._memory is not None:
                logits = self._memory.adjust(logits, settings.recall, mask, settings.pulse_guard)
            if not self._grammar.in_note:
                pressed = {int(VOCABULARY.values[key]): since for key, since in self._pressed.items()}
                logits = with_releases(logits, pressed, self._step, mask)
            logits = self._figures.penalise(logits, settings.repetition_guard)
            logits = self._pace.penalise(logits, self._step, self._aim, settings.pace_guard)
            token = self._sampler.draw(logits, mask)
        self.push(token)
        return token

    def _overdue(self) -> int | None:
        """Return the release of the key that was held for too long, if there is one."""
        if self._grammar.in_note or not self._pressed:
            return None
        key, since = next(iter(self._pressed.items()))
        return key + _UP if self._step - since >= LONGEST_STEPS else None

    def _mask(self) -> NDArray[np.bool_]:
        mask = self._grammar.mask() & _ALLOWED
        if not self._grammar.in_note:
            most = 0 if self._has_waited else LONGEST_STEPS - (self._step - self._last_event)
            mask &= most >= _STEPS
        return np.asarray(mask)


def play_side_by_side(folder: Path, rows: Sequence[GrowingPiece], count: int, styles: Sequence[str] = ()) -> None:
    """Let each row go on by so many tokens; what they hold already must be equally long, and is heard first.

    BundleError if the bundle is damaged or foreign.
    """
    batch = EqualRows(Bundle.load(folder), len(rows))
    head = [VOCABULARY.bos, VOCABULARY.task("continue"), *(VOCABULARY.style(style) for style in styles)]
    half = batch.context // 2
    is_long = len(head) + max(len(row.tokens) for row in rows) > batch.context
    logits = batch.feed(np.array([head + row.tokens[-half if is_long else 0 :] for row in rows], np.int32))
    for _ in range(count):
        if batch.length == batch.context:
            batch.reset()
            logits = batch.feed(np.array([head + row.tokens[-half:] for row in rows], np.int32))
        drawn = [[row.draw(own)] for row, own in zip(rows, logits, strict=True)]
        logits = batch.feed(np.array(drawn, np.int32))
