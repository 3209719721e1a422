"""The chord symbols of a MusicXML score; music21 reads it, and is loaded for nothing else.

A score may be a stranger's: before music21 sees it, it is looked at as plain XML, and refused where it, or what its
repeats make of it, is longer than a chart can be. What music21 raises over the rest is told in one line.
"""

import re
import warnings
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from piano.cues import NO_CHORD, chord
from piano.errors import PianodError

_SONG_AGAIN = 2
"""A sign that leads back (D.C., D.S.) plays at most all of it once more."""

_LARGEST_METRE = 64

_KINDS = (
    ("half-diminished", "hdim7"),
    ("diminished-seventh", "dim7"),
    ("diminished", "dim"),
    ("dominant", "7"),
    ("augmented", "aug"),
    ("minor-major", "min"),
    ("major-sixth", "maj"),
    ("minor-sixth", "min"),
    ("major-", "maj7"),
    ("minor-", "min7"),
    ("minor", "min"),
    ("suspended-second", "sus2"),
    ("suspended-fourth", "sus4"),
)
"""Beginnings of the kinds of MusicXML, as music21 calls them, and the qualities of `piano.cues`; others are major."""


@dataclass(frozen=True, slots=True)
class ScoreChords:
    """The chords of a score, each with the beat from which it sounds; how many beats it has, and a bar."""

    chords: tuple[tuple[float, int], ...]
    beats: float
    beats_in_bar: int


def chords_of_score(path: Path, most_bytes: int, most_bars: int) -> ScoreChords:
    """Return the chords of a score, repeats played out; PianodError where it has none, or none can be had.

    It may unpack to `most_bytes`, and have `most_bars` with its repeats.
    """
    try:
        from music21 import converter
    except ImportError as error:
        raise PianodError("MusicXML needs music21, which is not installed: pip install 'pianod[scores]'") from error
    try:
        _check(path, most_bytes, most_bars)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = _of_score(converter.parse(path, forceSource=True))
    except (PianodError, OSError):
        raise
    except Exception as error:  # whatever the parser makes of a stranger's bytes, it is no fault of ours
        raise PianodError(f"it cannot be read as MusicXML ({type(error).__name__}: {error})") from error
    if found is None:
        raise PianodError("there are no chords in it")
    return found


def _check(path: Path, most_bytes: int, most_bars: int) -> None:
    """PianodError where a score is too long; what the XML parser raises where it is none."""
    for data in _documents(path, most_bytes):
        root = ElementTree.fromstring(data)
        for metre in (*root.iter("beats"), *root.iter("beat-type")):
            if sum(int(number) for number in re.findall(r"\d{1,9}", metre.text or "")) > _LARGEST_METRE:
                raise PianodError(f"it has a metre of {(metre.text or '').strip()[:20]}, which no music has")
        for part in root.iter("part"):
            count = _bars_played(part.iter("measure"), most_bars)
            if count > most_bars:
                raise PianodError(f"with its repeats it has more than {most_bars:,} bars, too many for a chart")


def _documents(path: Path, most_bytes: int) -> list[bytes]:
    """Return the XML of a score: the file, or what its archive holds."""
    if not zipfile.is_zipfile(path):
        return [path.read_bytes()]
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > most_bytes:
            raise PianodError(f"it unpacks to more than {most_bytes:,} bytes, too long for a chart")
        return [archive.read(member) for member in archive.infolist() if member.filename.endswith(("xml", "XML"))]


def _bars_played(measures: Iterable[ElementTree.Element], most: int) -> int:
    """Return how many bars are played at most, counted no further than a little beyond the most."""
    played, starts = 0, [0]
    leads_back = False
    for measure in measures:
        repeats = list(measure.iter("repeat"))
        starts += [played for repeat in repeats if repeat.get("direction") == "forward"]
        played += 1
        for repeat in repeats:
            if repeat.get("direction") != "forward":
                since = starts.pop() if len(starts) > 1 else 0
                played += (played - since) * (max(int(repeat.get("times") or 2), 1) - 1)
        leads_back |= any(sound.get("dacapo") or sound.get("dalsegno") for sound in measure.iter("sound"))
        leads_back |= measure.find("direction/direction-type/words") is not None
        if played > most:
            break
    return played * (_SONG_AGAIN if leads_back else 1)


def _of_score(score: Any) -> ScoreChords | None:
    """Return the chords of the first part that has any."""
    from music21 import harmony

    for part in score.parts:
        if not part.recurse().getElementsByClass(harmony.ChordSymbol):
            continue
        measures = list(part.expandRepeats().getElementsByClass("Measure"))
        signature = part.recurse().getElementsByClass("TimeSignature").first()
        beats, unit = (4, 1.0) if signature is None else (signature.numerator, 4 / signature.denominator)
        chords = tuple(
            (float(measure.offset + symbol.getOffsetInHierarchy(measure)) / unit, _code_of(symbol))
            for measure in measures
            for symbol in measure.recurse().getElementsByClass(harmony.ChordSymbol)
        )
        end = float(measures[-1].offset + measures[-1].barDuration.quarterLength) / unit
        return ScoreChords(chords, end, beats)
    return None


def _code_of(symbol: Any) -> int:
    """Return the code of a chord symbol of music21's."""
    root = symbol.root()
    if symbol.chordKind == "none" or root is None:
        return NO_CHORD
    qualities = (quality for kind, quality in _KINDS if str(symbol.chordKind).startswith(kind))
    return chord(int(root.pitchClass), next(qualities, "maj"))
