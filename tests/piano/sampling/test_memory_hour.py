"""An hour of music as dense as it gets: a note costs as much work and as many bytes at its end as in its first minutes.

Work is counted in calls of functions, bytes in the sizes of what is kept. Nothing is timed.
"""

import sys
from array import array
from collections.abc import Iterator
from itertools import islice
from types import FrameType

import numpy as np
import pytest

from piano.events import Role
from piano.sampling.memory import Memory
from piano.tokens.vocabulary import VOCABULARY

NOTES_PER_S = 40
HOUR = 3600 * NOTES_PER_S
COUNTED = 200
"""Notes whose calls are counted, at each place."""

PLACES = (HOUR // 30, HOUR // 2, HOUR)
LOGITS = np.zeros(VOCABULARY.size, np.float32)


def dense_music() -> Iterator[tuple[int, ...]]:
    """Yield notes as tokens: figures of eight keys, most of them from a dozen that come again and again."""
    rng = np.random.default_rng(4)
    known = rng.integers(40, 90, (12, 8)).tolist()
    wait = VOCABULARY.wait(100 // NOTES_PER_S)
    while True:
        figure = known[int(rng.integers(12))] if rng.random() < 0.7 else rng.integers(30, 100, 8).tolist()
        shift = int(rng.integers(-3, 4))
        for key in figure:
            pitch = key + shift
            on, off = VOCABULARY.on(Role.OWN, pitch), VOCABULARY.off(Role.OWN, pitch)
            yield (*wait, on, VOCABULARY.velocity(64), off)


def calls_of(memory: Memory, notes: Iterator[tuple[int, ...]]) -> int:
    """Return how many functions are called for the next notes, each of them asked for before it comes."""
    count = 0

    def note_call(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    chosen = list(islice(notes, COUNTED))
    sys.setprofile(note_call)
    try:
        for tokens in chosen:
            memory.adjust(LOGITS, 1.0)
            memory.extend(tokens)
    finally:
        sys.setprofile(None)
    return count


def size_of(thing: object, seen: set[int]) -> int:
    """Return the bytes of an object and of all that it holds."""
    if id(thing) in seen or thing is None:
        return 0
    seen.add(id(thing))
    size = sys.getsizeof(thing)
    if isinstance(thing, array | np.ndarray | str):
        return size
    if isinstance(thing, dict):
        return size + sum(size_of(part, seen) for entry in thing.items() for part in entry)
    if isinstance(thing, list | tuple | set):
        return size + sum(size_of(part, seen) for part in thing)
    names = [*getattr(thing, "__dict__", ()), *getattr(type(thing), "__slots__", ())]
    return size + sum(size_of(getattr(thing, name), seen) for name in names)


@pytest.fixture(scope="module")
def hour() -> list[tuple[int, int, int]]:
    """Return, at each of `PLACES`, how many notes there were, the calls for some more of them, and the bytes."""
    memory, music, found, done = Memory(), dense_music(), [], 0
    for place in PLACES:
        for tokens in islice(music, place - done - COUNTED):
            memory.extend(tokens)
        calls = calls_of(memory, music)
        done = place
        found.append((done, calls, size_of(memory, set())))
    return found


def test_a_note_takes_as_much_work_after_an_hour(hour: list[tuple[int, int, int]]) -> None:
    early, half, late = (calls for _, calls, _ in hour)
    assert late <= 1.15 * max(early, half)


def test_a_note_takes_as_many_bytes_after_an_hour(hour: list[tuple[int, int, int]]) -> None:
    (first, _, early), (_, _, half), (last, _, late) = hour
    assert (late - half) / (last - hour[1][0]) <= 1.2 * (half - early) / (hour[1][0] - first)
    assert (late - early) / (last - first) < 120, "bytes a note"
