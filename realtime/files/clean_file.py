"""`clean` on one file: which noise its notes are taken to have, and what is found put back note for note."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from piano.midi.document import MidiDocument
from piano.midi.file import MidiTrack
from piano.midi.piano_part import PianoPart
from piano.notes import NoteArray, Performance, sort_notes
from piano.solve.cleaning import cleaned
from piano.solve.evidence import Evidence
from piano.solve.slips import SLIPS
from piano.solve.solver import Solution, SolveRequest
from piano.solve.velocity_answers import velocity_exercise
from piano.tasks.exercise import Exercise, Preview, roles_of
from piano.tasks.note_noise import NoteNoise
from piano.tasks.onset_noise import estimated_noise_s
from realtime.files.posed import BEFORE_NAME, NEW_NAME, Posed, TaskOutcome, says_of_doubles
from realtime.files.task_requests import CleanRequest

LARGEST_NOISE_S = 0.33
"""The largest noise of onsets that is looked for."""

_ANY_KEYBOARD = "clean_velocity"


def pose_cleaning(document: MidiDocument, wish: CleanRequest, request: SolveRequest, strength: float) -> Posed:
    """Return what cleans a file. At a strength of 0 it stays as it is, at one half its notes are believed to be as far
    off as the noise says, and beyond it farther."""
    part = PianoPart.of(document, wish.track).on_the_keys()
    read = part.performance.notes
    factor = _factor(strength)
    noise = _noise(read, wish, factor)
    moved = cleaned(read, noise)
    exercises: dict[str, Exercise] = {}
    if factor and wish.what in ("pitch", "all") and wish.noise_semitones is None:
        exercises["pitch"] = _slips(moved)
        request = replace(request, evidence=Evidence(seed=request.seed, slips=_slipped(wish, factor)))
    if factor and wish.what == "all":
        exercises["velocity"] = velocity_exercise(_ANY_KEYBOARD, part.performance)

    def outcome(answers: Sequence[Solution]) -> TaskOutcome:
        found = moved.copy()
        for name, answer in zip(exercises, answers, strict=True):
            if name == "pitch":
                found["pitch"] = answer.performance.notes["pitch"]
            else:
                share = min(2 * strength, 1.0)
                mixed = read["velocity"] * (1 - share) + share * answer.performance.notes["velocity"]
                found["velocity"] = np.clip(np.rint(mixed), 1, 127)
        changed = part.with_notes(found)
        whole = Performance(sort_notes(found), part.performance.pedals)
        picture = MidiTrack(BEFORE_NAME, part.performance), MidiTrack(NEW_NAME, whole)
        said = (_says(read, found, noise, wish), says_of_doubles(part, found))
        return TaskOutcome(changed, picture, found.size, says=", ".join(filter(None, said)))

    return Posed(tuple(exercises.values()), request, outcome)


def _factor(strength: float) -> float:
    """Return how many times as large the noise is taken to be."""
    return min(strength / (1 - strength), 4.0) if strength < 1 else 4.0


def _noise(read: NoteArray, wish: CleanRequest, factor: float) -> NoteNoise:
    moves, all_of_it = wish.what in ("onset", "time", "all"), wish.what in ("time", "all")
    told_s = estimated_noise_s(read["onset_s"]) if wish.noise_ms is None else wish.noise_ms / 1000
    onset_s = min(told_s * factor, LARGEST_NOISE_S) if moves else 0.0
    pitch = 0.0 if wish.noise_semitones is None or wish.what not in ("pitch", "all") else wish.noise_semitones * factor
    return NoteNoise(onset_s, onset_s if all_of_it else 0.0, min(pitch, 6.0))


def _slipped(wish: CleanRequest, factor: float) -> float:
    share = SLIPS if wish.slips is None else wish.slips / 100
    odds = factor * share / (1 - share)
    return odds / (1 + odds)


def _slips(read: NoteArray) -> Exercise:
    own = roles_of(np.ones(read.size, np.bool_))
    return Exercise("clean_pitch", Performance(read), own, own[:0], preview=Preview(read))


def _says(read: NoteArray, found: NoteArray, noise: NoteNoise, wish: CleanRequest) -> str:
    """Return what was found, in a few words."""
    words = []
    if wish.what in ("onset", "time", "all"):
        if noise.onset_s:
            source = "as it seems" if wish.noise_ms is None else "as told"
            by_ms = 1000 * float(np.median(np.abs(found["onset_s"] - read["onset_s"])))
            words.append(f"onsets off by {1000 * noise.onset_s:.0f} ms, {source}: moved by {by_ms:.0f} ms, the median")
        elif wish.noise_ms is None:
            words.append("onsets lie as pianists play them and stay; --noise-ms N says that they are off by N")
    if wish.what in ("pitch", "all"):
        words.append(f"{int((found['pitch'] != read['pitch']).sum())} pitches changed")
    if wish.what == "all":
        words.append(f"{int((found['velocity'] != read['velocity']).sum())} velocities changed")
    return ", ".join(words)
