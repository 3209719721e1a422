"""Pieces for the tests of the panel: MIDI files that are made up."""

from pathlib import Path

import numpy as np

from piano.midi.file import MidiTrack, write_performance
from piano.notes import NOTE, PEDAL, Performance

LONG = 1200
"""Notes of a piece that lasts five minutes: it is not over before a slow machine has looked at it."""


def scale(count: int = 24, gap_s: float = 0.25) -> Performance:
    """Return notes one after the other, with chords among them, and a pedal."""
    rows = []
    for index in range(count):
        rows.append((gap_s * index, gap_s * 0.8, 60 + 2 * (index % 5), 40 + 3 * (index % 20), 0))
        if index % 4 == 0:
            rows.append((gap_s * index, gap_s * 2, 40 + index % 7, 70, 0))
    pedals = [(0.1, True), (gap_s * count, False)]
    return Performance(np.array(sorted(rows), NOTE), np.array(pedals, PEDAL))


def write_piece(path: Path, count: int = 24) -> Path:
    """Write a piece of one track."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_performance(path, [MidiTrack("mine", scale(count))])
    return path
