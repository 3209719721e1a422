"""What a part that is filled into a file is to be like, and what there is to say of it when it is there."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from piano.midi.piano_part import PianoPart
from piano.notes import NoteArray, NoteMask, Performance
from piano.solve.evidence import FillEvidence
from piano.tasks.exercise import Gap
from piano.tasks.voices import outer_lines, right_hand
from realtime.files.long_silences import ShortenedTime

ON_GRID_SHARE = 0.8
"""What stands keeps to the sixteenths of the file if so many of its notes do."""

_OFF_GRID = 1 / 24
"""How far a note on a sixteenth may be from it, in quarter notes."""

FAR_FROM = 10.0
"""So many times as many notes as were asked for, or so many times as few, are worth a warning."""

_MELODY_WORDS = ("melody", "melodie", "lead", "vocal", "vocals", "voice", "solo")


_SHORTEST_SIXTEENTH_S = 0.02
"""Where sixteenths follow each other faster than this, all in all, they are no grid of music."""


def fill_evidence(
    part: PianoPart, own: NoteMask, amount: float, *, replaces: bool, silences: ShortenedTime
) -> FillEvidence:
    """Return how a part is filled in beside what stands, where some notes, (notes,), make room for it.

    Its moments are on the clock of `silences`.
    """
    moments_s = _sixteenths(part, part.performance.notes[~own])
    return FillEvidence(
        follows_own=replaces and bool(own.any()),
        density=amount,
        moments_s=None if moments_s is None else tuple(np.unique(silences.shorten(moments_s)).tolist()),
    )


def _sixteenths(part: PianoPart, given: NoteArray) -> NDArray[np.float64] | None:
    """Return the sixteenths of the file in seconds, where what stands keeps to them and they are no faster than any
    music: a tempo costs a file seven bytes, and may put a thousand million of them into a minute."""
    document = part.document
    if document.clock.tick_s is not None or not given.size:
        return None
    clock = document.clocks[min(track for track, _ in part.slots)]
    quarter = document.clock.ticks_per_quarter
    sixteenth = quarter / 4
    ticks = clock.ticks(given["onset_s"])
    off = np.abs(ticks - np.rint(ticks / sixteenth) * sixteenth)
    if (off <= quarter * _OFF_GRID).mean() < ON_GRID_SHARE:
        return None
    last = int(clock.ticks(np.array([part.performance.end_s]))[0])
    if last / sixteenth > part.performance.end_s / _SHORTEST_SIXTEENTH_S:
        return None
    every = np.arange(0, last + sixteenth, sixteenth)
    return np.asarray(clock.seconds(np.rint(every).astype(np.int64)), np.float64)


def melody(notes: NoteArray) -> NoteMask:
    """Return which notes are the melody, as a musician means it: the top line, where the right hand has it."""
    top = outer_lines(notes, 1, top=True)
    both = top & right_hand(notes)
    return both if both.any() else top


def melody_tracks(names: list[str]) -> set[int]:
    """Return the tracks that say they are the melody; none where every track does."""
    found = {index for index, name in enumerate(names) if set(_words(name)) & set(_MELODY_WORDS)}
    return found if len(found) < len(names) else set()


def _words(name: str) -> list[str]:
    return name.lower().replace("-", " ").replace("_", " ").split()


def says_of_fill(kept: Performance, replaced: int, new: int) -> str:
    """Return what was done, in a few words."""
    if replaced:
        return f"{replaced} notes replaced by {new}"
    return f"{new} notes beside the {kept.notes.size} that were kept, which were all there are"


def warning_of_fill(asked: Sequence[tuple[str, float, int]]) -> str:
    """Return what should be known before the result is kept; nothing where it is as dense as asked.

    `asked` is of each part how it is called, how many notes were asked for, and how many there are.
    """
    far = [
        f"{new} notes{where} are far {'more' if new > expected else 'fewer'} than the {expected:.0f} "
        "that were asked for"
        for where, expected, new in asked
        if expected >= 1 and not expected / FAR_FROM < new < expected * FAR_FROM
    ]
    return f"{'; '.join(far)}: another --seed, more --samples or another --amount may do better" if far else ""


def asked_in_gaps(
    gaps: Sequence[Gap], replaced: NoteArray, new: NoteArray, amount: float
) -> list[tuple[str, float, int]]:
    """Return for `warning_of_fill` what was asked for in each gap: as many notes as were there."""

    def within(notes: NoteArray, gap: Gap) -> int:
        return int(((notes["onset_s"] >= gap.start_s) & (notes["onset_s"] < gap.end_s)).sum())

    return [
        (f" from {gap.start_s:g} to {gap.end_s:g} s", amount * within(replaced, gap), within(new, gap)) for gap in gaps
    ]


def expected_notes(own: int, given: int, usual: float, amount: float) -> float:
    """Return how many notes are asked for: as many as are replaced, or as is usual beside those that are given."""
    return amount * (own or given * usual)
