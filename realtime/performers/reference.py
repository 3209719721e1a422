"""Music that is played like: a file that the model hears first, and whose figures the memory knows. Plain data.

Its opening stands at the beginning of each stream and stays in every window of the context, so that register and
manner are at hand however long it plays; all of it goes into the memory, where its figures are looked up.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from piano.errors import MidiFileError
from piano.events import Role
from piano.notes import Performance
from piano.tokens.encoding import decode, encode
from piano.tokens.vocabulary import LONGEST_TIME_STEPS, VOCABULARY

OPENING_TOKENS = 220
"""So much of it stands at the beginning of a stream: some 45 notes. A window keeps a quarter of its context."""

MOST_NOTES = 8_000
"""So much of it is remembered."""

FEWEST_NOTES = 8
"""With fewer notes it does not say how busy to be."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Music to be played like, in tokens of one voice, all keys and the pedal up at the end and a rest after it."""

    name: str
    opening: tuple[int, ...]
    """Its first notes, whole."""
    tokens: tuple[int, ...]
    """All of it, as a stream of its own."""
    notes_per_s: float | None
    """How busy it is; None if it has too few notes to tell."""


def reference_of(performance: Performance, name: str) -> Reference:
    """Return a performance as music to be played like; MidiFileError if there is no note in it."""
    notes = performance.notes[:MOST_NOTES]
    if not notes.size:
        raise MidiFileError(f"{name}: there is no note in this file to play like; choose another one")
    first_s, last_s = float(notes["onset_s"].min()), float(notes["onset_s"].max())
    is_telling = notes.size >= FEWEST_NOTES and last_s > first_s
    pedals = performance.pedals[performance.pedals["time_s"] <= last_s]
    tokens = encode(Performance(notes, pedals), origin_s=first_s)
    return Reference(
        name,
        _lifted(decode(tokens[:OPENING_TOKENS]).performance),
        (VOCABULARY.bos, *_lifted(Performance(notes, pedals))),
        (notes.size - 1) / (last_s - first_s) if is_telling else None,
    )


def _lifted(performance: Performance) -> tuple[int, ...]:
    """Return a performance in tokens of one voice, with the pedal up after it and a rest."""
    origin_s = float(performance.notes["onset_s"].min())
    events = np.asarray(encode(performance, origin_s=origin_s), np.int32)
    is_down = bool(performance.pedals["down"][-1:].any())
    return with_rest(events.tolist(), [Role.OWN] if is_down else [])


def with_rest(events: Sequence[int], pedals_down: Sequence[Role]) -> tuple[int, ...]:
    """Return tokens with a rest after them, before which the pedals of some roles come up."""
    rest = (VOCABULARY.time(LONGEST_TIME_STEPS),)
    lifted = [VOCABULARY.pedal(role, down=False) for role in pedals_down]
    return (*events, *(rest if lifted else ()), *lifted, *rest)
