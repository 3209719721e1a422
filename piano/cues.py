"""Cues: what is told beside the notes. Beats and downbeats, the ending that is near, and the chords.

A clock, a chart, a left hand, a file's tempo map or an annotation tells them; the model does not place them itself
unless asked. In a stream a beat stands at its own step and a chord at the beat before it sounds, so that the music can
lead into it; both come before the other events of their step.

A cue is a moment and a code: 0 for a beat, 1 for a downbeat, 2 for the ending, 3 for "no chord", then each quality's
twelve roots from C on. `cue_name(chord(9, "min7"))` is `CHORD_A:min7`.
"""

from piano.errors import PianodError

BEAT, DOWNBEAT, ENDING, NO_CHORD = range(4)
FIRST_CHORD = 4

ROOTS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")

QUALITIES: dict[str, tuple[int, ...]] = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "min7": (0, 3, 7, 10),
    "dim": (0, 3, 6),
    "dim7": (0, 3, 6, 9),
    "hdim7": (0, 3, 6, 10),
    "aug": (0, 4, 8),
    "sus4": (0, 5, 7),
    "sus2": (0, 2, 7),
}
"""The qualities of a chord in the words of Harte et al. (2005), and their semitones above the root."""

CUES = FIRST_CHORD + 12 * len(QUALITIES)
"""How many codes there are."""

_KIN = {"maj6": "maj", "min6": "min", "minmaj7": "min", "9": "7", "maj9": "maj7", "min9": "min7", "11": "7", "13": "7"}
_NATURALS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_NAMES = tuple(QUALITIES)


def chord(root: int, quality: str) -> int:
    """Return the code of a chord from its root (0 to 11, C is 0) and the name of its quality; see `QUALITIES`."""
    if not 0 <= root < 12 or quality not in QUALITIES:
        raise PianodError(f"no chord {root}:{quality}; roots are 0 to 11, qualities: {', '.join(QUALITIES)}")
    return FIRST_CHORD + 12 * _NAMES.index(quality) + root


def tones(code: int) -> frozenset[int]:
    """Return the pitch classes of a chord, 0 for C; none for a code that names no chord."""
    if code < FIRST_CHORD:
        return frozenset()
    quality, root = divmod(code - FIRST_CHORD, 12)
    return frozenset((root + tone) % 12 for tone in QUALITIES[_NAMES[quality]])


def cue_name(code: int) -> str:
    """Return the name of a code: `BEAT`, `DOWNBEAT`, `ENDING`, `CHORD_N`, `CHORD_Eb:maj7`."""
    if code < FIRST_CHORD:
        return ("BEAT", "DOWNBEAT", "ENDING", "CHORD_N")[code]
    quality, root = divmod(code - FIRST_CHORD, 12)
    return f"CHORD_{ROOTS[root]}:{_NAMES[quality]}"


def read_harte(label: str) -> int:
    """Return the code of a chord in Harte's syntax, such as `F#:min7/b3`, `Bb:sus4(b7)`, `G` or `N`.

    The bass and added tones are left out; a quality that is not in `QUALITIES` becomes its nearest kin, a triad where
    there is none. PianodError if it is no chord.
    """
    text = label.strip()
    if text in ("N", "X"):
        return NO_CHORD
    root_name, _, rest = text.partition("/")[0].partition(":")
    quality = rest.partition("(")[0] or ("maj" if not rest else "sus4" if "4" in rest else "maj")
    quality = _KIN.get(quality, quality)
    accidentals = root_name[1:]
    if not root_name or root_name[0] not in _NATURALS or accidentals.strip("#b"):
        raise PianodError(f"{label!r} is no chord; write it as in C:maj, F#:min7, Bb:sus4 or N")
    root = (_NATURALS[root_name[0]] + accidentals.count("#") - accidentals.count("b")) % 12
    if quality not in QUALITIES:
        quality = "min" if quality.startswith("min") else "dim" if "dim" in quality else "maj"
    return chord(root, quality)
