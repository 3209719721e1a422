"""Charts from files, as text that `piano.changes.read_chart` takes: written changes, MIDI files, MusicXML.

A MIDI file gives the chords that its texts, markers or lyrics name; where none do, those that are found in its notes,
beat by beat. MusicXML gives its chord symbols, repeats played out; music21 reads it, and is loaded for nothing else.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mido
import numpy as np

from piano.changes import bar_text, read_chord
from piano.chords import label_chords
from piano.cues import NO_CHORD, chord
from piano.errors import PianodError
from piano.midi.file import read_performance
from piano.midi.tempo_map import TempoMap

MIDI, SCORES = (".mid", ".midi", ".kar", ".smf", ".rmi"), (".musicxml", ".xml", ".mxl")
MOST_BYTES = 10_000_000

_TEXTS = ("marker", "text", "lyrics", "cue_marker")
_FEWEST, _MOSTLY = 2, 0.8
"""Texts of a kind are chords where there are so many, and such a share of them can be read as chords."""

_CLOSE = 1e-3


def chart_text(path: Path) -> str:
    """Return the changes in a file as text; PianodError or OSError if there are none to be had."""
    suffix = path.suffix.lower()
    if suffix in MIDI:
        return _text_of(_of_midi(path))
    if suffix in SCORES:
        return _text_of(_of_score(path))
    if path.stat().st_size > MOST_BYTES:
        raise PianodError("it is too long for a chart")
    return path.read_text("utf-8")


def _text_of(bars: Sequence[Sequence[int]]) -> str:
    """Return bars, each with a code for each of its beats, as they are written."""
    sounding = [index for index, bar in enumerate(bars) if any(code != NO_CHORD for code in bar)]
    if not sounding:
        raise PianodError("there are no chords in it")
    return " | ".join(bar_text(bar) for bar in bars[sounding[0] : sounding[-1] + 1])


def _bars(chords: Sequence[tuple[float, int]], end: float, beats: int) -> list[list[int]]:
    """Return chords, each with the beat from which it sounds, as bars up to a beat; each has its code for each beat."""
    starts = np.array([beat for beat, _ in chords])
    count = max(-(-round(end * 1000) // (1000 * beats)), 1)
    places = np.searchsorted(starts, np.arange(count * beats) + _CLOSE, side="right") - 1
    codes = [chords[place][1] if place >= 0 else NO_CHORD for place in places.tolist()]
    return [codes[begin : begin + beats] for begin in range(0, len(codes), beats)]


def _of_midi(path: Path) -> list[list[int]]:
    try:
        file = mido.MidiFile(path, clip=True)
    except (EOFError, ValueError, KeyError, IndexError) as error:
        raise PianodError(f"it cannot be read as a MIDI file ({error})") from error
    signature = next((message for message in file.merged_track if message.type == "time_signature"), None)
    beats = 4 if signature is None else signature.numerator
    beat_ticks = file.ticks_per_beat * (1 if signature is None else 4 / signature.denominator)
    chords, end_tick = _named(file)
    if chords:
        return _bars([(tick / beat_ticks, code) for tick, code in chords], end_tick / beat_ticks, beats)
    if file.ticks_per_beat <= 0:
        raise PianodError("it has no beats, only seconds")
    moments = _tempi(file).seconds(np.arange(int(end_tick / beat_ticks) + 2) * beat_ticks)
    found = label_chords(read_performance(path).notes, moments)
    places = np.interp(found["time_s"], moments, np.arange(len(moments)))
    codes = found["code"].tolist()
    return _bars(
        [(round(place), int(code)) for place, code in zip(places, codes, strict=True)], len(moments) - 1, beats
    )


def _named(file: mido.MidiFile) -> tuple[list[tuple[int, int]], int]:
    """Return the chords that a file names, each with its tick, and the last tick; of the kind of text that has most."""
    named: dict[str, list[tuple[int, int | None]]] = {kind: [] for kind in _TEXTS}
    tick = 0
    for message in file.merged_track:
        tick += message.time
        if message.type in named:
            text = str(message.name if message.type == "cue_marker" and hasattr(message, "name") else message.text)
            try:
                named[message.type].append((tick, read_chord(text.strip())))
            except PianodError:
                named[message.type].append((tick, None))
    best: list[tuple[int, int]] = []
    for texts in named.values():
        chords = [(at, code) for at, code in texts if code is not None]
        if len(chords) > max(len(best), _FEWEST - 1) and len(chords) >= _MOSTLY * len(texts):
            best = chords
    return best, tick


def _tempi(file: mido.MidiFile) -> TempoMap:
    ticks = np.cumsum([message.time for message in file.merged_track], dtype=np.int64)
    changes = [
        (tick, message.tempo) for tick, message in zip(ticks, file.merged_track, strict=True) if _is_tempo(message)
    ]
    table = np.array(changes, np.int64).reshape(-1, 2)
    return TempoMap.of_tempos(table[:, 0], table[:, 1], ticks_per_quarter=file.ticks_per_beat)


def _is_tempo(message: Any) -> bool:
    return bool(message.type == "set_tempo" and message.tempo > 0)


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


def _of_score(path: Path) -> list[list[int]]:
    try:
        from music21 import converter, exceptions21, harmony
    except ImportError as error:
        raise PianodError("MusicXML needs music21, which is not installed: pip install 'pianod[scores]'") from error
    try:
        score: Any = converter.parse(path, forceSource=True)
    except (exceptions21.Music21Exception, OSError, ValueError, SyntaxError) as error:
        raise PianodError(f"it cannot be read as MusicXML ({error})") from error
    for part in score.parts:
        if not part.recurse().getElementsByClass(harmony.ChordSymbol):
            continue
        measures = list(part.expandRepeats().getElementsByClass("Measure"))
        signature = part.recurse().getElementsByClass("TimeSignature").first()
        beats, unit = (4, 1.0) if signature is None else (signature.numerator, 4 / signature.denominator)
        chords = [
            (float(measure.offset + symbol.getOffsetInHierarchy(measure)) / unit, _code_of(symbol))
            for measure in measures
            for symbol in measure.recurse().getElementsByClass(harmony.ChordSymbol)
        ]
        return _bars(chords, float(measures[-1].offset + measures[-1].barDuration.quarterLength) / unit, beats)
    return []


def _code_of(symbol: Any) -> int:
    """Return the code of a chord symbol of music21's."""
    root = symbol.root()
    if symbol.chordKind == "none" or root is None:
        return NO_CHORD
    qualities = (quality for kind, quality in _KINDS if str(symbol.chordKind).startswith(kind))
    return chord(int(root.pitchClass), next(qualities, "maj"))
