"""Pointers into the past: where in it the notes of now may be a repetition, and how much each place is believed.

The copying model of Li & Stephens (Genetics 165, 2003) over notes: whoever plays follows some place of the past with
some probability, note by note and perhaps in another key, slips now and then, and lets go. `follow` is the forward
filter: what each pointer weighs after one more note. Only the heaviest are kept, so that a note costs the same after
an hour. The keys of a chord may come in any order. The figures below were fitted on eight pieces of MAESTRO's
validation split by the bits for which key goes down; docs/sampling.md tells how.
"""

from operator import attrgetter
from typing import NamedTuple

from piano.sampling.note_log import NoteLog, Voice

MOST_POINTERS = 8

WINDOW = 4
"""A pointer looks at so many notes from the first that has not come yet."""

TAKEN_UP = 0.012
"""The probability with which each place is taken up at which the last two pitches, or intervals, stood before."""

_LET_GO = 0.1
_SLIP = 0.1
_ANY_KEY = 0.12
"""How probable a key is in music that follows nothing; a guess for all."""

_CHORD_STEPS = 2
_CHORD_MATE, _LATER = 0.6, 0.03
"""How likely a key is that is to come with the first that has not come yet, and one after it, against that one."""

_OVER_STEPS = 6
"""A note is passed over when one has come that stood so much later than it."""

_LIGHTEST = 1e-3
_FARTHEST = 12
"""Semitones: no farther than this is a figure looked for in another key."""

_USUAL_STEPS = 10.0
_LONGEST_STEPS = 200
_FADES = 0.8
_LOUDNESS_FADES = 0.7
_MOST_TEMPO = 2.0


class Pointer(NamedTuple):
    """A place that may be followed. `then` is the note of the past that was last repeated, `now` the one repeating it.

    `place` is the first note that has not come, of the voice of a role; bit k of `played` says that place + k has come.
    `now_steps` and `then_steps` are what the last stretches from note to note took, now and then; `louder` is by how
    many velocity bins the notes are louder now.
    """

    role: int
    place: int
    played: int
    shift: int
    weight: float
    then: int
    now: int
    now_steps: float
    then_steps: float
    louder: float

    @property
    def tempo(self) -> float:
        """Return how many times as long things take now as then."""
        tempo = (self.now_steps + _USUAL_STEPS) / (self.then_steps + _USUAL_STEPS)
        return min(max(tempo, 1 / _MOST_TEMPO), _MOST_TEMPO)

    def coming(self, voice: Voice, end: int) -> list[tuple[int, float, int]]:
        """Return what may come next of a voice, before the note number `end`: pitch, probability, and its number."""
        steps, pitches = voice.steps, voice.pitches
        found: list[tuple[int, float, int]] = []
        whole, first = 0.0, -1
        for offset in range(min(WINDOW, end - self.place)):
            if self.played >> offset & 1:
                continue
            note = self.place + offset
            if first < 0:
                first, share = steps[note], 1.0
            else:
                share = _CHORD_MATE if steps[note] - first <= _CHORD_STEPS else _LATER
            found.append((pitches[note] + self.shift, share, note))
            whole += share
        return [(pitch, share / whole, note) for pitch, share, note in found]

    def chance_of(self, pitch: int, voice: Voice, end: int) -> tuple[float, int]:
        """Return what `coming` has first for a pitch: probability and number; 0 and -1 where it does not come."""
        steps, pitches, place, played = voice.steps, voice.pitches, self.place, self.played
        sought = pitch - self.shift
        whole, first, found, found_share = 0.0, -1, -1, 0.0
        for note in range(place, min(place + WINDOW, end)):
            if played >> note - place & 1:
                continue
            if first < 0:
                first, share = steps[note], 1.0
            else:
                share = _CHORD_MATE if steps[note] - first <= _CHORD_STEPS else _LATER
            if found < 0 and pitches[note] == sought:
                found, found_share = note, share
            whole += share
        return (found_share / whole, found) if found >= 0 else (0.0, -1)


Pointers = tuple[Pointer, ...]
NO_POINTERS: Pointers = ()


def follow(pointers: Pointers, log: NoteLog, role: int) -> Pointers:
    """Return the pointers of a role after its last note, which has just been pushed. The heaviest stand first."""
    moved = _moved(pointers, log, role)
    free = 1.0 - sum(pointer.weight for pointer in moved.values())
    voice = log.voices[role]
    for same, number in log.same_pitches(role):
        _take_up(moved, log, role, same, number, 0, TAKEN_UP * free)
    for same, number in log.same_intervals(role):
        shift = voice.pitches[-1] - log.voices[same].pitches[number]
        if abs(shift) <= _FARTHEST:
            _take_up(moved, log, role, same, number, shift, TAKEN_UP * free)
    return tuple(sorted(moved.values(), key=_weight, reverse=True)[:MOST_POINTERS])


def weight_of_repeating(pointers: Pointers, note: int) -> float:
    """Return how much the pointers weigh that have a role's note of a number repeat something, 0 to 1."""
    return sum(pointer.weight for pointer in pointers if pointer.now == note)


_weight = attrgetter("weight")


_Place = tuple[int, int, int, int]


def _moved(pointers: Pointers, log: NoteLog, role: int) -> dict[_Place, Pointer]:
    """Return where the pointers stand after the last note, by place, and what each then weighs."""
    pitch = log.voices[role].pitches[-1]
    found = []
    whole, followed = 0.0, 0.0
    for pointer in pointers:
        voice = log.voices[pointer.role]
        share, note = pointer.chance_of(pitch, voice, len(voice.pitches) - (pointer.role == role))
        likely = pointer.weight * ((1 - _SLIP) * share + _SLIP * _ANY_KEY)
        followed += pointer.weight
        whole += likely
        found.append((pointer, likely, note))
    whole += (1 - followed) * _ANY_KEY
    moved: dict[_Place, Pointer] = {}
    for pointer, likely, note in found:
        weight = likely / whole * (1 - _LET_GO)
        if weight < _LIGHTEST:
            continue
        after = _passed(pointer, weight) if note < 0 else _repeated(pointer, log, role, note, weight)
        key = after.role, after.place, after.played, after.shift
        other = moved.get(key)
        if other is not None:
            heavier = after if after.weight > other.weight else other
            after = heavier._replace(weight=after.weight + other.weight)
        moved[key] = after
    return moved


def _passed(pointer: Pointer, weight: float) -> Pointer:
    """Return a pointer after a note that was none of its window."""
    role, place, played, shift, _, then, now, now_steps, then_steps, louder = pointer
    return Pointer(role, place, played, shift, weight, then, now, now_steps, then_steps, louder)


def _repeated(pointer: Pointer, log: NoteLog, role: int, note: int, weight: float) -> Pointer:
    """Return a pointer after the last note of a role has repeated a note of its window."""
    voice, own = log.voices[pointer.role], log.voices[role]
    steps = voice.steps
    now = len(own.pitches) - 1
    place, played = pointer.place, pointer.played | 1 << note - pointer.place
    for passed in range(place, note):
        if steps[note] - steps[passed] > _OVER_STEPS:
            played |= 1 << passed - place
    while played & 1:
        place += 1
        played >>= 1
    took, took_then = own.steps[now] - own.steps[pointer.now], steps[note] - steps[pointer.then]
    now_steps, then_steps = pointer.now_steps, pointer.then_steps
    if took > _CHORD_STEPS and took_then > _CHORD_STEPS:
        now_steps = _FADES * now_steps + min(took, _LONGEST_STEPS)
        then_steps = _FADES * then_steps + min(took_then, _LONGEST_STEPS)
    louder_last = own.velocities[pointer.now] - voice.velocities[pointer.then]
    louder = _LOUDNESS_FADES * pointer.louder + (1 - _LOUDNESS_FADES) * louder_last
    return Pointer(pointer.role, place, played, pointer.shift, weight, note, now, now_steps, then_steps, louder)


def _take_up(
    moved: dict[_Place, Pointer], log: NoteLog, role: int, other: int, number: int, shift: int, weight: float
) -> None:
    """Take up the place after an earlier note, unless it is followed already."""
    place = number + 1
    for is_role, is_place, _, is_shift in moved:
        if is_place == place and is_role == other and is_shift == shift:
            return
    own, voice = log.voices[role], log.voices[other]
    now = len(own.pitches) - 1
    moved[other, place, 0, shift] = Pointer(
        other,
        place,
        0,
        shift,
        weight,
        number,
        now,
        min(own.steps[now] - own.steps[now - 1], _LONGEST_STEPS),
        min(voice.steps[number] - voice.steps[number - 1], _LONGEST_STEPS),
        float(own.velocities[now - 1] - voice.velocities[number - 1]),
    )
