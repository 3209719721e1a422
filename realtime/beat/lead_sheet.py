"""Charts from files, as text that `piano.changes.read_chart` takes: written changes, MIDI files, MusicXML.

A MIDI file gives the chords that its texts, markers or lyrics name; where none do, those that are found in its notes,
beat by beat. MusicXML gives its chord symbols, repeats played out (`realtime.beat.music_xml`). A file may be a
stranger's: what is longer than a chart can be is refused before anything is made of it.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from loguru import logger

from piano.changes import MOST_BARS, bar_text, read_chord
from piano.chords import label_chords
from piano.cues import NO_CHORD
from piano.errors import PianodError
from piano.midi.document import MidiDocument
from piano.midi.file import read_performance

MIDI, SCORES = (".mid", ".midi", ".kar", ".smf", ".rmi"), (".musicxml", ".xml", ".mxl")
MOST_BYTES = 10_000_000
MOST_BARS_OF_A_FILE = 4 * MOST_BARS
"""With the empty ones before the first chord and after the last, which are left out."""
MOST_BEATS = 32
"""Beats in a bar; what a file says beyond is no metre."""

_TEXTS = (0x06, 0x01, 0x05, 0x07)
"""Meta events that may name chords: marker, text, lyric, cue point."""
_LONGEST_NAME = 40
_TIME_SIGNATURE = 0x58
_SMALLEST_UNIT = 6
"""A sixty-fourth, as the power of two that a time signature gives."""
_FEWEST, _MOSTLY = 2, 0.8
"""Texts of a kind are chords where there are so many, and such a share of them can be read as chords."""

_CLOSE = 1e-3


def chart_text(path: Path) -> str:
    """Return the changes in a file as text; PianodError or OSError if there are none to be had."""
    suffix = path.suffix.lower()
    if suffix in MIDI:
        return _text_of(_of_midi(path))
    if path.stat().st_size > MOST_BYTES:
        raise PianodError("it is too long for a chart")
    if suffix in SCORES:
        from realtime.beat.music_xml import chords_of_score  # loads music21, which few have

        score = chords_of_score(path, MOST_BYTES, MOST_BARS_OF_A_FILE)
        return _text_of(_bars(score.chords, score.beats, score.beats_in_bar))
    return path.read_text("utf-8")


def _text_of(bars: Sequence[Sequence[int]]) -> str:
    """Return bars, each with a code for each of its beats, as they are written."""
    sounding = [index for index, bar in enumerate(bars) if any(code != NO_CHORD for code in bar)]
    if not sounding:
        raise PianodError("there are no chords in it")
    return " | ".join(bar_text(bar) for bar in bars[sounding[0] : sounding[-1] + 1])


def _bars(chords: Sequence[tuple[float, int]], end: float, beats: int) -> list[list[int]]:
    """Return chords, each with the beat from which it sounds, as bars up to a beat; each has its code for each beat.

    PianodError where there are too many.
    """
    _check_bars(end, beats)
    starts = np.array([beat for beat, _ in chords])
    count = max(-(-round(end * 1000) // (1000 * beats)), 1)
    places = np.searchsorted(starts, np.arange(count * beats) + _CLOSE, side="right") - 1
    codes = [chords[place][1] if place >= 0 else NO_CHORD for place in places.tolist()]
    return [codes[begin : begin + beats] for begin in range(0, len(codes), beats)]


def _check_bars(end: float, beats: int) -> None:
    if not 1 <= beats <= MOST_BEATS:
        raise PianodError(f"it has {beats:,} beats in a bar; a chart has 1 to {MOST_BEATS}")
    if end > MOST_BARS_OF_A_FILE * beats:
        raise PianodError(f"it has {end / beats:,.0f} bars, and a chart at most {MOST_BARS}; cut out the song")


def _of_midi(path: Path) -> list[list[int]]:
    document = MidiDocument.read(path, name=path.name)
    if document.warning:
        logger.warning("{}", document.warning)
    if document.clock.tick_s is not None:
        raise PianodError("it has no beats, only seconds")
    if document.file_type == 2:
        raise PianodError("its tracks are patterns, one after the other (type 2); save it as type 1")
    beats, beat_ticks = _metre(document)
    end = max(track.end_tick for track in document.tracks) / beat_ticks
    _check_bars(end, beats)
    chords = _named(document)
    if chords:
        return _bars([(tick / beat_ticks, code) for tick, code in chords], end, beats)
    moments = document.clocks[0].seconds(np.round(np.arange(int(end) + 2) * beat_ticks).astype(np.int64))
    found = label_chords(read_performance(path).notes, moments)
    places = np.interp(found["time_s"], moments, np.arange(len(moments)))
    codes = found["code"].tolist()
    return _bars(
        [(round(place), int(code)) for place, code in zip(places, codes, strict=True)], len(moments) - 1, beats
    )


def _metre(document: MidiDocument) -> tuple[int, float]:
    """Return how many beats a bar has and how many ticks a beat, by the first time signature that makes sense; 4/4."""
    signatures = sorted(
        (int(track.table.tick[number]), place, track.body[track.table.data[number] : track.table.end[number]])
        for place, track in enumerate(document.tracks)
        for number in track.metas(_TIME_SIGNATURE).tolist()
    )
    for _, _, data in signatures:
        if len(data) >= 2 and 1 <= data[0] <= MOST_BEATS and data[1] <= _SMALLEST_UNIT:
            return data[0], document.clock.ticks_per_quarter * 4 / (1 << data[1])
    return 4, float(document.clock.ticks_per_quarter)


def _named(document: MidiDocument) -> list[tuple[int, int]]:
    """Return the chords that a file names, each with its tick; of the kind of text that has most."""
    best: list[tuple[int, int]] = []
    for kind in _TEXTS:
        texts = [
            (int(track.table.tick[number]), place, track.body[track.table.data[number] : track.table.end[number]])
            for place, track in enumerate(document.tracks)
            for number in track.metas(kind).tolist()
        ]
        chords = [
            (tick, code)
            for tick, _, data in sorted(texts, key=lambda text: text[:2])
            if (code := _code_of(data)) is not None
        ]
        if len(chords) > max(len(best), _FEWEST - 1) and len(chords) >= _MOSTLY * len(texts):
            best = chords
    return best


def _code_of(data: bytes) -> int | None:
    """Return the code of the chord that a text names, if it names one."""
    if len(data) > _LONGEST_NAME:
        return None
    try:
        return read_chord(data.decode("latin-1").strip())
    except PianodError:
        return None
