"""The vocabulary: one table from which ids, sizes, grammar and fingerprint derive.

    stream   BOS  task  style*  event*
    event    TIME*  ON(role, pitch)  VEL           key down
             TIME*  OFF(role, pitch)               key up
             TIME*  PEDAL(role, down|up)           sustain pedal
             TIME*  CUE                            a beat, a chord, the ending: told, see `piano.cues`
    preview  PREVIEW  ( TIME* ON(role, pitch) [VEL] )*  PLAY

Time is counted in steps of 10 ms. One TIME token stands for 1 to 100 steps; a longer wait is as many full
seconds as fit, then the rest. Key-down and key-up are events of their own, so that a key can be fed to the
model in the moment it moves, whatever is still held. What was added to the table later stands at its end, so that
older ids stay what they were.
"""

import hashlib
from collections.abc import Sequence
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from piano.cues import CUES, cue_name
from piano.events import HIGHEST_PITCH, LOWEST_PITCH, Role
from piano.tokens.styles import COMPOSERS, DENSITIES, LATER_SOURCES, MOODS, SOURCES

if TYPE_CHECKING:  # who asks for no array, loads no numpy
    import numpy as np
    from numpy.typing import NDArray

STEP_NS = 10_000_000
"""One time step in nanoseconds."""

STEP_S = STEP_NS / 1e9
"""One time step in seconds."""

LONGEST_TIME_STEPS = 100
"""The steps in the longest TIME token: one second."""

KEYS = HIGHEST_PITCH - LOWEST_PITCH + 1
VELOCITY_BINS = 32
VELOCITIES_PER_BIN = 4

FILL_TASKS = (
    "above_median",
    "below_median",
    "above_low_quartile",
    "below_low_quartile",
    "above_high_quartile",
    "below_high_quartile",
    "middle_quartiles",
    "extreme_quartiles",
    "top_line_1",
    "top_line_2",
    "top_line_3",
    "bottom_line_1",
    "bottom_line_2",
    "bottom_line_3",
    "inner_voices",
    "outer_voices",
    "left_hand",
    "right_hand",
    "short_notes",
    "long_notes",
    "chord_rest",
    "stride",
    "band",
    "random",
    "loud",
    "soft",
    "very_loud",
    "very_soft",
    "moderate",
    "extreme",
    "gap",
    "accompaniment",
    "duet",
)
"""Tasks in which some notes are given and the rest is the model's own; the name says what is its own."""

REPAIR_TASKS = (
    "velocity",
    "denoise_velocity",
    "clean_pitch",
    "clean_velocity",
    "clean_onset",
    "clean_time",
    "clean_all",
    "perform_flat",
    "perform_score",
)
"""Tasks in which the model's own is a better version of what the preview shows."""

TASKS = ("continue", *FILL_TASKS, *REPAIR_TASKS)


class Kind(IntEnum):
    """What a token is."""

    PAD = 0
    BOS = 1
    END = 2
    PREVIEW = 3
    PLAY = 4
    TASK = 5
    STYLE = 6
    TIME = 7
    ON = 8
    OFF = 9
    PEDAL = 10
    VELOCITY = 11
    CUE = 12


class _Entry(NamedTuple):
    kind: Kind
    name: str
    value: int = 0
    role: Role = Role.OWN


def _table() -> tuple[_Entry, ...]:
    pitches = range(LOWEST_PITCH, HIGHEST_PITCH + 1)
    styles = [f"composer:{name}" for name in COMPOSERS] + [f"source:{name}" for name in SOURCES]
    styles += [f"density:{name}" for name in DENSITIES] + ["opening"]
    later = [f"source:{name}" for name in LATER_SOURCES] + [f"mood:{name}" for name in MOODS]
    return (
        _Entry(Kind.PAD, "PAD"),
        _Entry(Kind.BOS, "BOS"),
        _Entry(Kind.END, "END"),
        _Entry(Kind.PREVIEW, "PREVIEW"),
        _Entry(Kind.PLAY, "PLAY"),
        *(_Entry(Kind.TASK, f"TASK_{name}", index) for index, name in enumerate(TASKS)),
        *(_Entry(Kind.STYLE, f"STYLE_{name}", index) for index, name in enumerate(styles)),
        *(_Entry(Kind.TIME, f"TIME_{steps}", steps) for steps in range(1, LONGEST_TIME_STEPS + 1)),
        *(_Entry(Kind.ON, f"ON_{role.name}_{pitch}", pitch, role) for role in Role for pitch in pitches),
        *(_Entry(Kind.OFF, f"OFF_{role.name}_{pitch}", pitch, role) for role in Role for pitch in pitches),
        *(_Entry(Kind.PEDAL, f"PEDAL_{role.name}_{down}", down, role) for role in Role for down in (0, 1)),
        *(_Entry(Kind.VELOCITY, f"VEL_{bin_}", bin_) for bin_ in range(VELOCITY_BINS)),
        *(_Entry(Kind.STYLE, f"STYLE_{name}", len(styles) + index) for index, name in enumerate(later)),
        *(_Entry(Kind.CUE, cue_name(code), code) for code in range(CUES)),
    )


class Vocabulary:
    """The table of all tokens, with look-ups from meaning to id and arrays from id to meaning.

    The arrays are read-only, of shape (size,).
    """

    def __init__(self) -> None:
        self._table = _table()
        self.names: tuple[str, ...] = tuple(entry.name for entry in self._table)
        self.size = len(self._table)
        self._ids = {name: index for index, name in enumerate(self.names)}
        self.fingerprint = self.fingerprint_of(self.size)
        self.pad, self.bos, self.end = self._ids["PAD"], self._ids["BOS"], self._ids["END"]
        self.preview, self.play = self._ids["PREVIEW"], self._ids["PLAY"]
        self.first_time = self._ids["TIME_1"]
        self.first_on = self._ids[f"ON_{Role.OWN.name}_{LOWEST_PITCH}"]
        self.first_off = self._ids[f"OFF_{Role.OWN.name}_{LOWEST_PITCH}"]
        self.first_pedal = self._ids["PEDAL_OWN_0"]
        self.first_velocity = self._ids["VEL_0"]
        self.first_cue = self._ids["BEAT"]

    @cached_property
    def kinds(self) -> "NDArray[np.uint8]":
        """Return the `Kind` of each token."""
        return _column([entry.kind for entry in self._table], "uint8")

    @cached_property
    def values(self) -> "NDArray[np.int16]":
        """Return the value of each: steps, pitch, velocity bin, 1 for pedal down, index of a task or style, cue."""
        return _column([entry.value for entry in self._table], "int16")

    @cached_property
    def roles(self) -> "NDArray[np.uint8]":
        """Return the `Role` of each."""
        return _column([entry.role for entry in self._table], "uint8")

    def fingerprint_of(self, size: int) -> str:
        """Return the fingerprint of the first `size` tokens: of an earlier table, to which others came later."""
        return hashlib.sha256("\n".join(self.names[:size]).encode()).hexdigest()[:16]

    def task(self, name: str) -> int:
        """Return the id of a task by its name; ValueError lists the tasks there are."""
        return self._named(f"TASK_{name}", "task", name)

    def style(self, name: str) -> int:
        """Return the id of a style such as `composer:chopin`, `source:pop`, `mood:calm`, `density:3` or `opening`."""
        return self._named(f"STYLE_{name}", "style", name)

    def time(self, steps: int) -> int:
        """Return the id that stands for 1 to 100 steps of 10 ms."""
        if not 1 <= steps <= LONGEST_TIME_STEPS:
            raise ValueError(f"a TIME token holds 1 to {LONGEST_TIME_STEPS} steps, not {steps}")
        return self.first_time + steps - 1

    def wait(self, steps: int) -> tuple[int, ...]:
        """Return the TIME tokens for any number of steps from 0 on: full seconds first, then the rest."""
        if steps < 0:
            raise ValueError(f"time never runs backwards: cannot wait {steps} steps")
        seconds, rest = divmod(steps, LONGEST_TIME_STEPS)
        return (self.time(LONGEST_TIME_STEPS),) * seconds + ((self.time(rest),) if rest else ())

    def on(self, role: Role, pitch: int) -> int:
        """Return the id of a key going down."""
        return self.first_on + KEYS * role + _checked_pitch(pitch) - LOWEST_PITCH

    def off(self, role: Role, pitch: int) -> int:
        """Return the id of a key coming up."""
        return self.first_off + KEYS * role + _checked_pitch(pitch) - LOWEST_PITCH

    def pedal(self, role: Role, *, down: bool) -> int:
        """Return the id of a change of the sustain pedal."""
        return self.first_pedal + 2 * role + down

    def velocity(self, velocity: int) -> int:
        """Return the id of the bin that holds a MIDI velocity of 1 to 127."""
        if not 1 <= velocity <= 127:
            raise ValueError(f"a note-on has a velocity of 1 to 127, not {velocity}")
        return self.first_velocity + velocity // VELOCITIES_PER_BIN

    def cue(self, code: int) -> int:
        """Return the id of a cue by its code, see `piano.cues`."""
        if not 0 <= code < CUES:
            raise ValueError(f"there are the cues 0 to {CUES - 1}, not {code}")
        return self.first_cue + code

    def _named(self, label: str, what: str, name: str) -> int:
        if label not in self._ids:
            prefix = label.removesuffix(name)
            known = (other.removeprefix(prefix) for other in self.names if other.startswith(prefix))
            raise ValueError(f"there is no {what} {name!r}; there are: {', '.join(known)}")
        return self._ids[label]


def _column(values: Sequence[int], dtype: str) -> "NDArray[Any]":
    import numpy as np

    column = np.array(values, dtype)
    column.flags.writeable = False
    return column


def _checked_pitch(pitch: int) -> int:
    if not LOWEST_PITCH <= pitch <= HIGHEST_PITCH:
        raise ValueError(f"a piano has the pitches {LOWEST_PITCH} to {HIGHEST_PITCH}, not {pitch}")
    return pitch


def velocity_of_bin(bin_: int) -> int:
    """Return the MIDI velocity at the centre of a bin: at most 2 away from each velocity in it."""
    return VELOCITIES_PER_BIN * bin_ + VELOCITIES_PER_BIN // 2


def steps_of_ns(at_ns: int) -> int:
    """Return the time step nearest to a moment, halves upwards."""
    return (at_ns + STEP_NS // 2) // STEP_NS


VOCABULARY = Vocabulary()
