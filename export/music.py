"""Windows of real music to verify an export on: from a note cache, a MIDI file, or, where there is neither, made up."""

import zipfile
from pathlib import Path

import numpy as np

from piano.midi.file import read_performance
from piano.notes import NOTE, Performance, sort_notes
from piano.tokens.encoding import TokenArray, encode
from piano.tokens.vocabulary import VOCABULARY, Kind
from train.corpus.note_cache import NoteCache

MADE_UP = "made-up notes"

_SMALLEST_WINDOW_TOKENS = 64


def music_windows(source: Path | None, *, length: int, count: int, split: str = "validation") -> list[TokenArray]:
    """Return up to `count` windows of at most `length` tokens, each with the head of plain continuation.

    From a note cache they are spread over the pieces of a split (over all, where it has none); from a MIDI file they
    follow each other; without a source they are notes at random, which only serve to compare logits.
    """
    if source is None:
        return [_window(encode(_made_up(seed)), 0, length) for seed in range(count)]
    if not zipfile.is_zipfile(source):
        tokens = encode(read_performance(source, warn=print))
        starts = range(0, max(1, tokens.size - _SMALLEST_WINDOW_TOKENS), length)
        return [_window(tokens, start, length) for start in starts[:count]]
    cache = NoteCache.load(source)
    pieces = cache.select(split=split) or list(range(len(cache)))
    chosen = [pieces[index * len(pieces) // count] for index in range(min(count, len(pieces)))]
    return [_middle(encode(cache.performance(piece)), length) for piece in chosen]


def note_count(tokens: TokenArray) -> int:
    """Return how many notes begin in a row of tokens: each has one velocity."""
    return int((VOCABULARY.kinds[tokens] == Kind.VELOCITY).sum())


def _middle(events: TokenArray, length: int) -> TokenArray:
    return _window(events, max(0, (events.size - length) // 2), length)


def _window(events: TokenArray, start: int, length: int) -> TokenArray:
    head = np.array([VOCABULARY.bos, VOCABULARY.task("continue")], np.int32)
    return np.concatenate([head, events[start:]])[:length]


def _made_up(seed: int, notes: int = 400) -> Performance:
    rng = np.random.default_rng(seed)
    made = np.zeros(notes, NOTE)
    made["onset_s"] = np.cumsum(rng.exponential(0.1, notes))
    made["duration_s"] = rng.uniform(0.05, 1.0, notes)
    made["pitch"] = rng.integers(36, 96, notes)
    made["velocity"] = rng.integers(20, 110, notes)
    return Performance(sort_notes(made))
