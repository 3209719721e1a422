"""How what is played on lies to what was heard before it, in a few numbers: what a listener hears wander.

`excerpt_statistics` looks at an excerpt for itself. A continuation may pass there with every number a pianist's, and
have left the key, the register and the figures of the phrase that it answers. Pianists leave them too: the two-sample
test asks how far, and how soon.
"""

import numpy as np

from piano.notes import NoteArray, Performance
from train.sampling_study.excerpt_statistics import Vector, chords_of, correlation, top_line

PARTS = (("soon", 0.0, 1 / 3), ("late", 2 / 3, 1.0))
"""Which parts of what is played on are held against what was heard, as shares of its length."""

_FEWEST = 4


def phrase_statistics(heard: Performance, played: Performance, length_s: float) -> dict[str, float]:
    """Return all statistics by name, each a finite number; the time of what was played is from 0 to `length_s`."""
    found: dict[str, float] = {}
    for name, first, end in PARTS:
        onsets = played.notes["onset_s"]
        part = played.notes[(onsets >= first * length_s) & (onsets < end * length_s)]
        found |= {f"{what} {name}": value for what, value in _held_against(heard.notes, part).items()}
    return found | _figures(heard.notes, played.notes)


def _held_against(heard: NoteArray, played: NoteArray) -> dict[str, float]:
    if min(heard.size, played.size) < _FEWEST:
        return dict.fromkeys(("pitch moved", "range moved", "loudness moved", "lengths moved", "key kept"), 0.0)
    pitches = [notes["pitch"].astype(float) for notes in (heard, played)]
    loud = [float(notes["velocity"].astype(float).mean()) for notes in (heard, played)]
    lengths = [float(np.log(np.maximum(notes["duration_s"], 0.01)).mean()) for notes in (heard, played)]
    classes = [np.bincount(notes["pitch"] % 12, minlength=12).astype(np.float64) for notes in (heard, played)]
    return {
        "pitch moved": abs(float(pitches[1].mean() - pitches[0].mean())),
        "range moved": abs(float(pitches[1].std() - pitches[0].std())),
        "loudness moved": abs(loud[1] - loud[0]),
        "lengths moved": abs(lengths[1] - lengths[0]),
        "key kept": correlation(*classes),
    }


def _figures(heard: NoteArray, played: NoteArray) -> dict[str, float]:
    before, after = ([line[1:] - line[:-1] for line in _lines(notes)] for notes in (heard, played))
    return {
        "figures of the phrase": share_known(after[0], before[0], 4),
        "top line of the phrase": share_known(after[1], before[1], 3),
    }


def _lines(notes: NoteArray) -> tuple[Vector, Vector]:
    return notes["pitch"].astype(np.float64), top_line(notes, chords_of(notes)).astype(np.float64)


def share_known(values: Vector, known: Vector, length: int) -> float:
    """Return the share of the runs of so many values that stand among the known ones too; 0 of none.

    >>> share_known(np.array([1, 2, 3, 9]), np.array([1, 2, 3]), 2)
    0.6666666666666666
    """
    runs, there = (
        [tuple(line[index : index + length].tolist()) for index in range(len(line) - length + 1)]
        for line in (values, known)
    )
    return sum(map(set(there).__contains__, runs)) / len(runs) if runs else 0.0
