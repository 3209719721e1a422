"""How the phrases of the demo were made: scores of our own, and a touch that makes them sound played.

    python -m realtime.cli.demo_phrases.compose

writes the MIDI files beside this one. Composed for this project and free of conditions (CC0-1.0). The touch is
deterministic: time bends with the phrase, the melody stands out, chords are rolled from below, and the
pedal changes just after the bass.
"""

import math
from dataclasses import dataclass

import numpy as np

from piano.midi.file import MidiTrack, write_performance
from piano.notes import NOTE, PEDAL, Performance, sort_notes
from realtime.cli.demo_phrases import QUESTION, SECOND_THOUGHT, phrase_path

_PITCH_OF = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_GRID_S = 0.01
"""Moments lie on the model's steps, so that a player who is a millisecond late still plays the same phrase."""


@dataclass(frozen=True, slots=True)
class PhraseScore:
    """A phrase: `melody` and `bass` as words of pitch:beats, the beats at which the pedal changes, beats a minute."""

    melody: str
    bass: str
    pedal: tuple[float, ...]
    tempo: float
    loudest: float
    """The share of the phrase at which it is loudest."""


SCORES = {
    QUESTION: PhraseScore(
        melody="B4:1.5 A4:.5 G4:1 D5:1 C5:1.5 B4:.5 A4:2 G4:.5 A4:.5 B4:.5 D5:.5 G5:1.5 F#5:.5 E5:1 D5:.5 C5:.5 A4:1",
        bass="G2:.5 D3:.5 B3:.5 D3:.5 B2:.5 G3:.5 D4:.5 G3:.5 C3:.5 G3:.5 E4:.5 G3:.5 A2:.5 E3:.5 C4:.5 E3:.5 "
        "E2:.5 B2:.5 G3:.5 B2:.5 C3:.5 G3:.5 E4:.5 G3:.5 A2:.5 E3:.5 C4:.5 D3:.5 F#3:1",
        pedal=(0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0),
        tempo=92.0,
        loudest=0.66,
    ),
    SECOND_THOUGHT: PhraseScore(
        melody="D5:.5 E5:.5 F#5:1 E5:.5 D5:.5 B4:1 C5:.5 A4:.5 F#4:1",
        bass="B2:.5 F#3:.5 D4:.5 F#3:.5 E3:.5 B3:.5 G3:.5 B3:.5 A2:.5 E3:.5 D3:1",
        pedal=(0.0, 2.0, 4.0, 5.0),
        tempo=104.0,
        loudest=0.35,
    ),
}


def perform(score: PhraseScore) -> Performance:
    """Return a score as it is played."""
    melody, bass = _read(score.melody), _read(score.bass)
    beats = max(start + length for start, length, _ in melody)
    notes = []
    for is_melody, voice in ((True, melody), (False, bass)):
        for start, length, pitch in voice:
            onset_s = _moment_s(score, beats, start) + (0.02 if is_melody and start % 1 == 0 else 0.0)
            end_s = _moment_s(score, beats, start + length) + (0.03 if is_melody else -0.02)
            velocity = _velocity(score, start / beats, pitch, is_melody=is_melody)
            notes.append((_on_grid(onset_s), _on_grid(end_s) - _on_grid(onset_s), pitch, velocity, 0))
    pedals: list[tuple[float, bool]] = []
    for change in score.pedal:
        at_s = _moment_s(score, beats, change)
        if pedals:
            pedals.append((_on_grid(at_s - 0.01), False))
        pedals.append((_on_grid(at_s + 0.06), True))
    pedals.append((_on_grid(_moment_s(score, beats, beats)), False))
    return Performance(sort_notes(np.array(notes, NOTE)), np.array(pedals, PEDAL))


def _read(words: str) -> list[tuple[float, float, int]]:
    """Return start, length (both in beats) and pitch of each word such as F#3:.5."""
    start, notes = 0.0, []
    for word in words.split():
        name, length = word.split(":")
        pitch = _PITCH_OF[name[0]] + ("#" in name) + 12 * (int(name[-1]) + 1)
        notes.append((start, float(length), pitch))
        start += float(length)
    return notes


def _moment_s(score: PhraseScore, beats: float, beat: float) -> float:
    """Return when a beat falls: a little late at the start and at the end, pressing on between."""
    share = min(beat / beats, 1.0)
    broadening = 0.5 * max(share - 0.8, 0.0) ** 2 / 0.2
    rubato = 0.012 * math.sin(2 * math.pi * share)
    return (share + rubato + broadening) * beats * 60.0 / score.tempo


def _velocity(score: PhraseScore, share: float, pitch: int, *, is_melody: bool) -> int:
    """Return how hard a key is struck: an arch over the phrase, the melody above, high notes a little louder."""
    arch = math.exp(-(((share - score.loudest) / 0.38) ** 2))
    return round((54 if is_melody else 36) + (30 if is_melody else 16) * arch + 0.25 * (pitch - 60))


def _on_grid(at_s: float) -> float:
    return round(at_s / _GRID_S) * _GRID_S


def main() -> None:
    """Write the files."""
    for name, score in SCORES.items():
        write_performance(phrase_path(name), [MidiTrack(name, perform(score))])


if __name__ == "__main__":
    main()
