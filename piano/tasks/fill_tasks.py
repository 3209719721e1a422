"""Fill tasks: some notes are given, the model plays the rest. The name of a task says what is the model's own.

A fill is a pure function from notes, a random generator and, where it is known, the true right hand, to a mask of the
notes that are its own. Borders are taken from the notes at hand: a median or a quartile is that of the performance
which is passed. A note on the border counts as above, long or loud, so that `above` and `below` of one border share
nothing and leave nothing out.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from piano.notes import NoteArray, NoteMask, Performance
from piano.tasks.exercise import Exercise, Gap, Preview, roles_of
from piano.tasks.voices import chord_members, outer_lines, right_hand

Rng = np.random.Generator

GAP_S = (1.0, 5.0)
"""The shortest and the longest gap, in seconds."""

BETWEEN_GAPS_S = (3.0, 8.0)
"""The shortest and the longest stretch between two gaps, in seconds."""

LONGEST_STRIDE = 8
BAND_SEMITONES = (6, 24)
RANDOM_SHARE = (0.2, 0.8)

GIVEN_PEDAL_SHARE = 0.75
"""How often, in a fill, the pedal belongs to what is given; else it is the model's own."""


@dataclass(frozen=True, slots=True)
class _Notes:
    """Notes, with which of them the right hand plays where that is known."""

    notes: NoteArray
    right: NoteMask | None

    def right_hand(self) -> NoteMask:
        return right_hand(self.notes) if self.right is None else self.right


_Fill = Callable[[_Notes, Rng], NoteMask]


def _from_border(column: str, share: float) -> _Fill:
    return lambda given, _: given.notes[column] >= _border(given.notes, column, share)


def _below_border(column: str, share: float) -> _Fill:
    return lambda given, _: given.notes[column] < _border(given.notes, column, share)


def _middle(column: str) -> _Fill:
    def own(given: _Notes, _: Rng) -> NoteMask:
        values, low, high = given.notes[column], *(_border(given.notes, column, share) for share in (0.25, 0.75))
        return np.asarray((values >= low) & (values < high), np.bool_)

    return own


def _border(notes: NoteArray, column: str, share: float) -> float:
    return float(np.quantile(notes[column], share)) if notes.size else 0.0


def _not(fill: _Fill) -> _Fill:
    return lambda given, rng: ~fill(given, rng)


def _lines(peels: int, *, top: bool) -> _Fill:
    return lambda given, _: outer_lines(given.notes, peels, top=top)


def _outer_voices(given: _Notes, _: Rng) -> NoteMask:
    return outer_lines(given.notes, 1, top=True) | outer_lines(given.notes, 1, top=False)


def _stride(given: _Notes, rng: Rng) -> NoteMask:
    """N notes are given, the N after them asked, and so on; N and where it begins are drawn."""
    length = int(rng.integers(1, LONGEST_STRIDE + 1))
    place: NoteMask = (np.arange(given.notes.size) + rng.integers(2 * length)) // length % 2 == 1
    return place


def _band(given: _Notes, rng: Rng) -> NoteMask:
    """All notes of a band of the keyboard around one of the notes, from a tritone to two octaves wide."""
    pitch = given.notes["pitch"].astype(np.int64)
    width = int(rng.integers(BAND_SEMITONES[0], BAND_SEMITONES[1] + 1))
    low = int(pitch[rng.integers(pitch.size)]) - int(rng.integers(width + 1)) if pitch.size else 0
    return np.asarray((pitch >= low) & (pitch <= low + width), np.bool_)


def _random(given: _Notes, rng: Rng) -> NoteMask:
    return np.asarray(rng.random(given.notes.size) < rng.uniform(*RANDOM_SHARE), np.bool_)


def _duet(given: _Notes, rng: Rng) -> NoteMask:
    """One of two players: either side of a split point, either hand, or a line against the rest."""
    way, swapped = rng.integers(3), rng.random() < 0.5
    if way == 0:
        own = _from_border("pitch", rng.uniform(0.2, 0.8))(given, rng)
    elif way == 1:
        own = given.right_hand()
    else:
        own = outer_lines(given.notes, int(rng.integers(1, 3)), top=bool(rng.integers(2)))
    return ~own if swapped else own


_LOUD_TASKS: dict[str, _Fill] = {
    "loud": _from_border("velocity", 0.5),
    "soft": _below_border("velocity", 0.5),
    "very_loud": _from_border("velocity", 0.75),
    "very_soft": _below_border("velocity", 0.25),
    "moderate": _middle("velocity"),
    "extreme": _not(_middle("velocity")),
}

_FILLS: dict[str, _Fill] = {
    "above_median": _from_border("pitch", 0.5),
    "below_median": _below_border("pitch", 0.5),
    "above_low_quartile": _from_border("pitch", 0.25),
    "below_low_quartile": _below_border("pitch", 0.25),
    "above_high_quartile": _from_border("pitch", 0.75),
    "below_high_quartile": _below_border("pitch", 0.75),
    "middle_quartiles": _middle("pitch"),
    "extreme_quartiles": _not(_middle("pitch")),
    **{f"top_line_{peels}": _lines(peels, top=True) for peels in (1, 2, 3)},
    **{f"bottom_line_{peels}": _lines(peels, top=False) for peels in (1, 2, 3)},
    "inner_voices": _not(_outer_voices),
    "outer_voices": _outer_voices,
    "left_hand": lambda given, _: ~given.right_hand(),
    "right_hand": lambda given, _: given.right_hand(),
    "short_notes": _below_border("duration_s", 0.5),
    "long_notes": _from_border("duration_s", 0.5),
    "chord_rest": lambda given, _: chord_members(given.notes),
    "stride": _stride,
    "band": _band,
    "random": _random,
    **_LOUD_TASKS,
    "accompaniment": _not(_lines(1, top=True)),
    "duet": _duet,
}


def pose_fill(task: str, performance: Performance, rng: Rng, right: NoteMask | None = None) -> Exercise:
    """Return the exercise of a fill task. A duet has no preview: its player is not known beforehand.

    The pedal belongs to the given part or to the own one as a whole, at random; in a gap, to the gap.
    """
    if task == "gap":
        return _pose_gap(performance, rng)
    own = _FILLS[task](_Notes(performance.notes, right), rng)
    own_pedal = np.full(performance.pedals.size, rng.random() >= GIVEN_PEDAL_SHARE)
    preview = None if task == "duet" else Preview(performance.notes[~own])
    return Exercise(task, performance, roles_of(own), roles_of(own_pedal), preview=preview)


def _pose_gap(performance: Performance, rng: Rng) -> Exercise:
    """Take stretches of one to five seconds out; both sides of each are known, the later one by preview."""
    gaps = []
    onset_s = performance.notes["onset_s"]
    start_s = float(onset_s.min(initial=np.inf)) + rng.uniform(0.0, BETWEEN_GAPS_S[1])
    last_s = float(onset_s.max(initial=-np.inf))
    while start_s < last_s:
        gaps.append(Gap(start_s, start_s + rng.uniform(*GAP_S)))
        start_s = gaps[-1].end_s + rng.uniform(*BETWEEN_GAPS_S)
    edges_s = np.array([edge for gap in gaps for edge in (gap.start_s, gap.end_s)])
    own = np.searchsorted(edges_s, onset_s, side="right") % 2 == 1
    pedals = performance.pedals
    pressed = np.maximum.accumulate(np.where(pedals["down"], np.arange(pedals.size), 0))  # whoever pressed it lifts it
    own_pedal = (np.searchsorted(edges_s, pedals["time_s"], side="right") % 2 == 1)[pressed]
    preview = Preview(performance.notes[~own])
    return Exercise("gap", performance, roles_of(own), roles_of(own_pedal), preview=preview, gaps=tuple(gaps))
