"""What a part that is filled into a file is to be like, and what there is to say of it when it is there."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from piano.midi.piano_part import PianoPart
from piano.notes import NoteArray, NoteMask, Performance
from piano.solve.beat_places import TWELFTHS
from piano.solve.evidence import FillEvidence
from piano.tasks.exercise import Gap
from piano.tasks.voices import outer_lines, right_hand
from realtime.files.long_silences import ShortenedTime

FAR_FROM = 10.0
"""So many times as many notes as were asked for, or so many times as few, are worth a warning."""

_MELODY_WORDS = ("melody", "melodie", "lead", "vocal", "vocals", "voice", "solo")


_SHORTEST_QUARTER_S = 0.1
"""Where quarter notes follow each other faster than this, all in all, they are no beats of music."""


def fill_evidence(
    part: PianoPart, own: NoteMask, amount: float, *, replaces: bool, silences: ShortenedTime
) -> FillEvidence:
    """Return how a part is filled in beside what stands, where some notes, (notes,), make room for it.

    Its moments are on the clock of `silences`.
    """
    twelfths_s = _twelfths(part)
    return FillEvidence(
        follows_own=replaces and bool(own.any()),
        density=amount,
        twelfths_s=None if twelfths_s is None else tuple(_left(silences.shorten(twelfths_s)).tolist()),
    )


def _twelfths(part: PianoPart) -> NDArray[np.float64] | None:
    """Return the twelfths of the file's quarter notes in seconds, where it tells of any and they are no faster than
    in music: a tempo costs a file seven bytes, and may put a thousand million of them into a minute."""
    document = part.document
    if document.clock.tick_s is not None:
        return None
    clock = document.clocks[min(track for track, _ in part.slots)]
    quarter = document.clock.ticks_per_quarter
    last = int(clock.ticks(np.array([part.performance.end_s]))[0])
    if last / quarter > part.performance.end_s / _SHORTEST_QUARTER_S:
        return None
    ticks = np.arange((last // quarter + 1) * TWELFTHS + 1) * (quarter / TWELFTHS)
    return np.asarray(clock.seconds(np.rint(ticks).astype(np.int64)), np.float64)


def _left(twelfths_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return twelfths without the quarter notes that take no time: those amid a silence that is shortened."""
    quarters_s = twelfths_s[:-1].reshape(-1, TWELFTHS)
    lasts = np.append(quarters_s[1:, 0], twelfths_s[-1]) > quarters_s[:, 0]
    return np.append(quarters_s[lasts].ravel(), twelfths_s[-1])


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
