"""Chords are found from notes."""

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from piano.chords import _UNITS, _viterbi, label_chords
from piano.cues import NO_CHORD, chord, cue_name
from piano.notes import NOTE, NoteArray, no_notes


def _notes(*struck: tuple[float, float, int]) -> NoteArray:
    return np.array(sorted((at, length, pitch, 64, 0) for at, length, pitch in struck), NOTE)


def _names(notes: NoteArray, beats_s: list[float] | None = None) -> list[str]:
    cues = label_chords(notes, None if beats_s is None else np.array(beats_s))
    return [cue_name(int(code)) for code in cues["code"]]


def test_block_chords_have_their_names_and_begin_where_they_sound() -> None:
    bars = [(0.0, (48, 64, 67)), (2.0, (53, 65, 69, 72)), (4.0, (55, 65, 71, 74)), (6.0, (48, 64, 67))]
    notes = _notes(*((at, 2.0, pitch) for at, pitches in bars for pitch in pitches))
    cues = label_chords(notes, np.arange(0.0, 8.5, 0.5))
    assert [cue_name(int(code)) for code in cues["code"]] == ["CHORD_C:maj", "CHORD_F:maj", "CHORD_G:7", "CHORD_C:maj"]
    assert cues["time_s"].tolist() == [0.0, 2.0, 4.0, 6.0]


def test_a_passing_note_is_no_change_of_harmony() -> None:
    chords = [(at, 2.0, pitch) for at in (0.0, 2.0) for pitch in (45, 60, 64)]
    melody = [(0.5 * index, 0.5, pitch) for index, pitch in enumerate((69, 71, 72, 74, 76, 74, 72, 69))]
    assert _names(_notes(*chords, *melody), [0.5 * index for index in range(9)]) == ["CHORD_A:min"]


def test_broken_chords_without_known_beats_are_found_too() -> None:
    arpeggio = [(0.25 * index, 0.25, (48, 60, 64, 67)[index % 4]) for index in range(16)]
    arpeggio += [(4 + 0.25 * index, 0.25, (45, 57, 60, 64)[index % 4]) for index in range(16)]
    assert _names(_notes(*arpeggio)) == ["CHORD_C:maj", "CHORD_A:min"]


def test_silence_is_no_chord_and_no_notes_have_none() -> None:
    notes = _notes(*((0.0, 1.0, pitch) for pitch in (48, 64, 67)), *((6.0, 1.0, pitch) for pitch in (48, 64, 67)))
    assert label_chords(notes)["code"].tolist() == [chord(0, "maj"), NO_CHORD, chord(0, "maj")]
    assert label_chords(no_notes()).size == 0


@given(st.integers(1, 120), st.integers(0, 3), st.randoms(use_true_random=False))
def test_the_sequence_that_is_found_side_by_side_is_the_best_there_is(frames: int, cost: int, rng: Random) -> None:
    fit = np.array([[rng.randrange(-2, 3) for _ in range(frames)] for _ in range(4)], np.int16)

    def worth(path: NDArray[np.int64]) -> int:
        return int(fit[path, np.arange(frames)].sum()) - cost * int((path[1:] != path[:-1]).sum())

    score = fit[:, 0].astype(np.int64)  # the same, frame by frame
    for frame in range(1, frames):
        score = np.maximum(score, score.max() - cost) + fit[:, frame]
    found = _viterbi(fit, cost / _UNITS).astype(np.int64) - NO_CHORD
    assert worth(found) == score.max()
