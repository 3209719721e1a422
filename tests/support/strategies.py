"""Hypothesis strategies for what the ground floor is about: performances, live events, streams of tokens."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from piano.events import HIGHEST_PITCH, LOWEST_PITCH, NoteOff, NoteOn, Pedal, Role, TimedEvent
from piano.notes import NOTE, PEDAL, Performance
from piano.tokens.encoding import RoleArray
from piano.tokens.vocabulary import VOCABULARY

MS_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class TwoRoles:
    """A performance with the role of each note and pedal change."""

    performance: Performance
    roles: RoleArray
    pedal_roles: RoleArray

    def events(self) -> list[TimedEvent]:
        """Return the events as a keyboard would send them: by time; at one moment releases, pedal, then presses."""
        timed: list[tuple[int, int, TimedEvent]] = []
        for note, role in zip(self.performance.notes, map(Role, self.roles.tolist()), strict=True):
            on_ns = round(float(note["onset_s"]) * 1e9)
            off_ns = max(round(float(note["onset_s"] + note["duration_s"]) * 1e9), on_ns + 1)
            pitch = int(note["pitch"])
            timed.append((on_ns, 3, TimedEvent(on_ns, NoteOn(pitch, int(note["velocity"])), role)))
            timed.append((off_ns, 0, TimedEvent(off_ns, NoteOff(pitch), role)))
        for pedal, role in zip(self.performance.pedals, map(Role, self.pedal_roles.tolist()), strict=True):
            at_ns, down = round(float(pedal["time_s"]) * 1e9), bool(pedal["down"])
            timed.append((at_ns, 1 + down, TimedEvent(at_ns, Pedal(down), role)))
        return [event for _, _, event in sorted(timed, key=lambda entry: entry[:2])]


# Few keys and short distances, so that keys are struck again within one step of 10 ms and steps are crossed narrowly.
_gaps_ns = st.one_of(
    st.integers(0, 3 * MS_NS),
    st.sampled_from([0, 1, 4_999_999, 5 * MS_NS, 5_000_001, 10 * MS_NS]),
    st.integers(0, 400 * MS_NS),
    st.integers(0, 4_000 * MS_NS),
)
_pitches = st.one_of(st.integers(60, 62), st.sampled_from([LOWEST_PITCH, HIGHEST_PITCH]), st.integers(40, 80))
_velocities = st.integers(1, 127)


@st.composite
def duets(draw: st.DrawFn, *, one_role: bool = False, most_keys: int = 4) -> TwoRoles:
    """Draw what two players can do at one piano each: no key is pressed while it is down."""
    roles = st.just(0) if one_role else st.integers(0, 1)
    notes, note_roles = [], []
    for role, pitch in draw(st.lists(st.tuples(roles, _pitches), max_size=most_keys, unique=True)):
        at_ns = 0
        for wait_ns, held_ns, velocity in draw(st.lists(st.tuples(_gaps_ns, _gaps_ns, _velocities), max_size=6)):
            on_ns = at_ns + wait_ns
            notes.append((on_ns / 1e9, held_ns / 1e9, pitch, velocity, 0))
            note_roles.append(role)
            at_ns = on_ns + max(held_ns, 1)
    pedals, pedal_roles = [], []
    for role in draw(st.lists(roles, max_size=2, unique=True)):
        at_ns, down = -1, False
        for wait_ns in draw(st.lists(_gaps_ns, max_size=6)):
            at_ns, down = at_ns + 1 + wait_ns, not down
            pedals.append((at_ns / 1e9, down))
            pedal_roles.append(role)
    note_array, pedal_array = np.array(notes, NOTE), np.array(pedals, PEDAL)
    order = np.lexsort((note_array["pitch"], note_array["onset_s"]))
    pedal_order = np.argsort(pedal_array["time_s"], kind="stable")
    return TwoRoles(
        Performance(note_array[order], pedal_array[pedal_order]),
        np.array(note_roles, np.uint8)[order],
        np.array(pedal_roles, np.uint8)[pedal_order],
    )


@st.composite
def any_notes(draw: st.DrawFn) -> Performance:
    """Draw notes of any kind, overlapping and doubled ones and such outside the piano included."""
    times = st.integers(0, 60).map(lambda steps: steps / 400)
    pitches = st.sampled_from([LOWEST_PITCH - 1, 60, 61, HIGHEST_PITCH])
    notes = draw(st.lists(st.tuples(times, times, pitches, _velocities, st.just(0)), max_size=12))
    return Performance(np.array(sorted(notes), NOTE))


tokens = st.integers(0, VOCABULARY.size - 1)
"""Any token."""

_crowded = st.sampled_from(
    [
        index
        for index, name in enumerate(VOCABULARY.names)
        if name.endswith(("_60", "_61")) or name in ("TIME_1", "TIME_3", "VEL_9", "PAD", "PREVIEW", "PLAY", "END")
    ]
)


def streams(max_size: int = 60) -> st.SearchStrategy[list[int]]:
    """Return the strategy for sequences of tokens without rhyme or reason, often about the same few keys."""
    return st.lists(st.one_of(_crowded, _crowded, tokens), max_size=max_size)
