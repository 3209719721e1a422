"""The changes of a piece: a chart of chords, bar by bar, written as players write them.

    Dm7 | G7 | Cmaj7 | %            a bar each, % is the bar before once more
    Dm7 G7 | Cmaj7                  chords in a bar share its beats
    ii7 | V7 | Imaj7                steps of a key: capitals are major
    blues   ii-V-I   minor ii-V-I   rhythm     known ones, in any key

Chords become the codes of `piano.cues`: what the vocabulary has no name for becomes its nearest kin.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from piano.cues import FIRST_CHORD, NO_CHORD, QUALITIES, ROOTS, chord
from piano.errors import PianodError
from piano.ireal import is_ireal, read_ireal
from piano.known_changes import KNOWN

MOST_BARS = 512
MOST_TEXT = 16_384

_SCALES: dict[str, tuple[int, ...]] = {
    "maj": (0, 2, 4, 5, 7, 9, 11),
    "maj7": (0, 2, 4, 5, 7, 9, 11),
    "min": (0, 2, 3, 5, 7, 9, 10),
    "min7": (0, 2, 3, 5, 7, 9, 10),
    "7": (0, 2, 4, 5, 7, 9, 10),
    "sus4": (0, 2, 4, 5, 7, 9, 10),
    "sus2": (0, 2, 4, 5, 7, 9, 10),
    "dim": (0, 2, 3, 5, 6, 8, 9, 11),
    "dim7": (0, 2, 3, 5, 6, 8, 9, 11),
    "hdim7": (0, 1, 3, 5, 6, 8, 10),
    "aug": (0, 2, 4, 6, 8, 10),
}
"""The scale that goes with each quality, in semitones above the root."""

_PITCHES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_STEPS = {"I": 0, "II": 2, "III": 4, "IV": 5, "V": 7, "VI": 9, "VII": 11}
STEPS_OF_SEMITONES = ("I", "bII", "II", "bIII", "III", "IV", "bV", "V", "bVI", "VI", "bVII", "VII")
"""Steps of a major key by the semitones above its tonic."""

_STEP_NAMES = ("I", "II", "III", "IV", "V", "VI", "VII")
_LETTERS = "CDEFGAB"
_LETTER = re.compile(r"([A-G])([#b♯♭]?)(.*)$")
_ROMAN = re.compile(r"([#b♯♭]?)(VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)(?![iIvV])(.*)$")
_QUALITIES = (
    (r"(maj|Maj|M|\^|Δ)(7|9|11|13)([#b]\d+)*|(\^|Δ)", "maj7"),
    (r"(m|min|-)7b5|(ø|h)[79]?|(m|min|-)7\(b5\)", "hdim7"),
    (r"(dim|o|°)7", "dim7"),
    (r"dim|o|°", "dim"),
    (r"(aug|\+)7?", "aug"),
    (r"(m|min|-)(maj|Maj|M|\^)7?", "min"),
    (r"(m|min|-)(7|9|11|13)([#b]\d+)*", "min7"),
    (r"(m|min|-)(6|9|69|add9|[#b]\d+)?", "min"),
    (r"(7|9|11|13)?([#b]\d+)*sus4?", "sus4"),
    (r"sus2", "sus2"),
    (r"(7|9|11|13)([#b]\d+|alt)*", "7"),
    (r"(maj|Maj|M|6|69|add9|2|5)?", "maj"),
)


_SUFFIXES = {"maj": "", "min": "m", "min7": "m7", "hdim7": "m7b5"}
"""How players write a quality, where that is not its name."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Chords by bar: of each bar its chords as codes of `piano.cues`, which share its beats."""

    bars: tuple[tuple[int, ...], ...]
    words: tuple[str, ...]
    """Each bar as it was written."""

    def chord_at(self, beat: int, beats: int) -> int:
        """Return the code of the chord at a beat, counted from the first bar; the chart goes round."""
        bar, within = divmod(beat, beats)
        chords = self.bars[bar % len(self.bars)]
        return chords[within * len(chords) // beats]


_KNOWN_BY_LETTERS = {name.lower(): chart for name, chart in KNOWN.items()}


def read_chart(text: str, key: str = "C") -> Chart:
    """Return the chart that a text or the name of a known one says; PianodError tells the bar that cannot be read."""
    if len(text) > MOST_TEXT:
        raise PianodError(f"a chart has at most {MOST_TEXT:,} characters, not {len(text):,}")
    tonic = _key(key)
    written = _KNOWN_BY_LETTERS.get(text.strip().lower(), text)
    written = (read_ireal(written) if is_ireal(written) else written).replace("\n", " | ")
    bars: list[tuple[int, ...]] = []
    words: list[str] = []
    for part in (part.strip() for part in written.split("|")):
        if not part:
            continue
        if part == "%" and bars:
            bars.append(bars[-1])
            words.append(words[-1])
            continue
        chords: list[int] = []
        for symbol in part.split():
            chords.append(chords[-1] if symbol == "/" and chords else read_chord(symbol, tonic))
        bars.append(tuple(chords))
        words.append(part)
    if not 1 <= len(bars) <= MOST_BARS:
        raise PianodError(
            f"a chart has 1 to {MOST_BARS} bars, not {len(bars)}; write it as in 'Dm7 | G7 | Cmaj7 | %', or one of "
            + ", ".join(KNOWN)
        )
    return Chart(tuple(bars), tuple(words))


def read_chord(symbol: str, tonic: int = 0) -> int:
    """Return the code of a chord as players write it (`F#m7b5`, `Bb^7`, `V7` with its key's tonic, 0 for C).

    The bass after a slash and added tones are left out. PianodError if it is no chord.
    """
    if symbol in ("N.C.", "NC", "N"):
        return NO_CHORD
    bare = symbol.partition("/")[0]
    roman = _ROMAN.match(bare)
    letter = _LETTER.match(bare if roman else bare[:1].upper() + bare[1:])
    if letter is not None:
        name, accidental, rest = letter.groups()
        root = _PITCHES[name] + _shift(accidental)
    elif roman is not None:
        accidental, name, rest = roman.groups()
        root = tonic + _STEPS[name.upper()] + _shift(accidental)
        if name.islower() and not re.match(r"m|-|h|ø|o|°|dim", rest):
            rest = f"m{rest}"
    else:
        raise _no_chord(symbol)
    for pattern, quality in _QUALITIES:
        if re.fullmatch(pattern, rest):
            return chord(root % 12, quality)
    raise _no_chord(symbol)


def bar_text(codes: Sequence[int], roots: Sequence[str] = ROOTS) -> str:
    """Return the chords of the beats of a bar as they are written: one that lasts is written once, or as a slash.

    `roots` are the names of the twelve keys from C on.
    """
    if len(set(codes)) == 1:
        return chord_name(codes[0], roots)
    halves = codes[: len(codes) // 2], codes[len(codes) // 2 :]
    if len(codes) % 2 == 0 and all(len(set(half)) == 1 for half in halves):
        return " ".join(chord_name(half[0], roots) for half in halves)
    names = [chord_name(code, roots) for code in codes]
    return " ".join("/" if beat and code == codes[beat - 1] else names[beat] for beat, code in enumerate(codes))


def chord_name(code: int, roots: Sequence[str] = ROOTS) -> str:
    """Return a chord as players write it, such as `Bbm7`; the inverse of `read_chord`."""
    if code < FIRST_CHORD:
        return "N.C."
    return roots[(code - FIRST_CHORD) % 12] + chord_suffix(code)


def roots_in(key: str) -> tuple[str, ...]:
    """Return the names of the twelve keys from C on as they are written in a major key.

    >>> roots_in("F#")[10:], roots_in("Db")[5:7]
    (('A#', 'B'), ('F', 'Gb'))

    PianodError if it is no key.
    """
    tonic, letter = _key(key), _LETTERS.index(key.strip()[0])
    named = {}
    for semitones, step in enumerate(STEPS_OF_SEMITONES):
        pitch = (tonic + semitones) % 12
        name = _LETTERS[(letter + _STEP_NAMES.index(step.lstrip("b"))) % 7]
        shift = (pitch - _PITCHES[name] + 6) % 12 - 6
        written = name + {-1: "b", 0: "", 1: "#"}.get(shift, "?")
        is_usual = "?" not in written and (step[0] != "b" or written not in ("Cb", "Fb"))
        named[pitch] = written if is_usual else ROOTS[pitch]
    return tuple(named[pitch] for pitch in range(12))


def chord_suffix(code: int) -> str:
    """Return how the quality of a chord is written after its root."""
    name = tuple(QUALITIES)[(code - FIRST_CHORD) // 12]
    return _SUFFIXES.get(name, name)


def scale_tones(code: int) -> frozenset[int]:
    """Return the pitch classes of the scale that goes with a chord, 0 for C; all of them for "no chord"."""
    if code < FIRST_CHORD:
        return frozenset(range(12))
    quality, root = divmod(code - FIRST_CHORD, 12)
    return frozenset((root + tone) % 12 for tone in _SCALES[tuple(QUALITIES)[quality]])


def _key(key: str) -> int:
    match = _LETTER.match(key.strip().removesuffix("m"))
    if match is None or match.group(3):
        raise PianodError(f"{key!r} is no key; write it as in C, F#, Bb")
    return (_PITCHES[match.group(1)] + _shift(match.group(2))) % 12


def _shift(accidental: str) -> int:
    return {"#": 1, "♯": 1, "b": -1, "♭": -1}.get(accidental, 0)


def _no_chord(symbol: str) -> PianodError:
    return PianodError(f"{symbol!r} is no chord; write it as in Dm7, G7, Cmaj7, F#m7b5, Bbdim7, or as a step: ii7, V7")
