"""All notes of a session as they went down, each role's in a row of its own, and where a figure stood before.

Plain state without a thread: notes are pushed, and taken back from the end exactly. Two short figures are looked up:
the last two pitches, and the last two intervals in any key. Every note keeps the place before it at which its figure
stood, so that a look-up walks back from the latest such place: the time for it does not grow with the session, and a
note takes some 50 bytes.
"""

from array import array
from dataclasses import dataclass, field

_PITCHES = 128
_INTERVALS = 256
_NOWHERE = -1

SAME_PLACES = 4
"""So many earlier places of a figure are looked at, the latest first."""

HELD = -1
"""The release of a key that is still down, or that never came up."""


@dataclass(slots=True)
class Voice:
    """The notes of one role in the order in which the keys went down; times are steps of 10 ms."""

    pitches: "array[int]" = field(default_factory=lambda: array("b"))
    steps: "array[int]" = field(default_factory=lambda: array("q"))
    velocities: "array[int]" = field(default_factory=lambda: array("b"))
    """Velocity bins; 0 until it is known."""
    releases: "array[int]" = field(default_factory=lambda: array("q"))
    pairs: "array[int]" = field(default_factory=lambda: array("i"))
    """For each note where the two pitches that end with it stood before."""
    turns: "array[int]" = field(default_factory=lambda: array("i"))
    """For each note where the two intervals that end with it stood before."""
    ends: "array[int]" = field(default_factory=lambda: array("q"))
    """When each note is to end if it is as long as the one that it repeats; `HELD` if it repeats none."""
    end_odds: "array[float]" = field(default_factory=lambda: array("d"))
    """The odds for that."""
    down: dict[int, int] = field(default_factory=dict)
    """The note that sounds on each key that is down."""


class NoteLog:
    """The notes of both roles, and an index of their figures. A place in it is 2 x the note's number + its role."""

    def __init__(self) -> None:
        self.voices = (Voice(), Voice())
        self._pairs = array("i", (_NOWHERE,)) * (_PITCHES * _PITCHES)
        self._turns = array("i", (_NOWHERE,)) * (_INTERVALS * _INTERVALS)

    def push(self, role: int, pitch: int, step: int) -> int:
        """Append a note whose velocity is not known yet; return the note that its key was held by, or -1."""
        voice = self.voices[role]
        number = len(voice.pitches)
        voice.pitches.append(pitch)
        voice.steps.append(step)
        voice.velocities.append(0)
        voice.releases.append(HELD)
        voice.ends.append(HELD)
        voice.end_odds.append(0.0)
        place = 2 * number + role
        voice.pairs.append(_enter(self._pairs, _pair(voice, number), place))
        voice.turns.append(_enter(self._turns, _turn(voice, number), place))
        before = voice.down.get(pitch, _NOWHERE)
        voice.down[pitch] = number
        return before

    def pop(self, role: int, before: int) -> None:
        """Take the last note of a role back; `before` is what its push returned. What was pushed last goes first."""
        voice = self.voices[role]
        number = len(voice.pitches) - 1
        pitch = voice.pitches[number]
        _leave(self._turns, _turn(voice, number), voice.turns.pop())
        _leave(self._pairs, _pair(voice, number), voice.pairs.pop())
        if before == _NOWHERE:
            del voice.down[pitch]
        else:
            voice.down[pitch] = before
        voice.pitches.pop()
        voice.steps.pop()
        voice.velocities.pop()
        voice.releases.pop()
        voice.ends.pop()
        voice.end_odds.pop()

    def release(self, role: int, pitch: int, step: int) -> int:
        """Let a key come up; return the note that it held, or -1 if it was up."""
        voice = self.voices[role]
        number = voice.down.pop(pitch, _NOWHERE)
        if number != _NOWHERE:
            voice.releases[number] = step
        return number

    def hold_again(self, role: int, number: int) -> None:
        """Take the release of a note back; -1 is none."""
        if number != _NOWHERE:
            voice = self.voices[role]
            voice.releases[number] = HELD
            voice.down[voice.pitches[number]] = number

    def same_pitches(self, role: int) -> list[tuple[int, int]]:
        """Return role and number of the latest earlier notes that ended the same two pitches."""
        return _back((self.voices[0].pairs, self.voices[1].pairs), role)

    def same_intervals(self, role: int) -> list[tuple[int, int]]:
        """Return role and number of the latest earlier notes that ended the same two intervals."""
        return _back((self.voices[0].turns, self.voices[1].turns), role)

    def copy(self) -> "NoteLog":
        """Return an independent log of the same notes."""
        other = NoteLog.__new__(NoteLog)
        other.voices = (_copy(self.voices[0]), _copy(self.voices[1]))
        other._pairs, other._turns = self._pairs[:], self._turns[:]
        return other


def _back(chains: tuple["array[int]", "array[int]"], role: int) -> list[tuple[int, int]]:
    """Return role and number of the notes to which a role's last note leads back by its chain, the latest first."""
    found: list[tuple[int, int]] = []
    place = chains[role][-1] if chains[role] else _NOWHERE
    while place != _NOWHERE and len(found) < SAME_PLACES:
        found.append((place & 1, place >> 1))
        place = chains[place & 1][place >> 1]
    return found


def _copy(voice: Voice) -> Voice:
    return Voice(
        voice.pitches[:],
        voice.steps[:],
        voice.velocities[:],
        voice.releases[:],
        voice.pairs[:],
        voice.turns[:],
        voice.ends[:],
        voice.end_odds[:],
        dict(voice.down),
    )


def _pair(voice: Voice, number: int) -> int:
    """Return the number of the two pitches that end with a note, or -1 at the beginning."""
    if number < 1:
        return _NOWHERE
    return voice.pitches[number - 1] * _PITCHES + voice.pitches[number]


def _turn(voice: Voice, number: int) -> int:
    """Return the number of the two intervals that end with a note, or -1 at the beginning."""
    if number < 2:
        return _NOWHERE
    first, second, third = voice.pitches[number - 2], voice.pitches[number - 1], voice.pitches[number]
    return (second - first + _PITCHES) * _INTERVALS + third - second + _PITCHES


def _enter(latest: "array[int]", figure: int, place: int) -> int:
    """Make a place the latest of a figure; return which was before."""
    if figure == _NOWHERE:
        return _NOWHERE
    before = latest[figure]
    latest[figure] = place
    return before


def _leave(latest: "array[int]", figure: int, before: int) -> None:
    if figure != _NOWHERE:
        latest[figure] = before
