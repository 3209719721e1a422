"""Beats and chords of a piece: as its makers annotated them, chords else found from its notes.

Two tables of tab-separated lines beside a MIDI file:

    FILE.beats.tsv     seconds  kind …        kind: `db` a downbeat, `b` or `bR` a beat
    FILE.chords.tsv    from  to  chord        seconds, and Harte's syntax, such as `F#:min7/b3` or `N`
"""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from piano.chords import label_chords
from piano.cue_arrays import CUE, CueArray, no_cues
from piano.cues import BEAT, DOWNBEAT, read_harte
from piano.errors import CorpusError, PianodError
from piano.midi.load import LONGEST_S
from piano.notes import NoteArray
from train.corpus.archives import archive_at, member_of
from train.corpus.sources import CorpusSource

MOST_BYTES = 16 << 20
"""Of one table: a day of beats is a hundredth of that."""

ANNOTATED = ("beats", "chords")
"""The tables that there may be of a piece: FILE.KIND.tsv."""

_KINDS = {"db": DOWNBEAT, "b": BEAT, "bR": BEAT}


def cues_of(source: CorpusSource, notes: NoteArray, *, finds_chords: bool = True) -> CueArray:
    """Return a piece's beats and chords as cues, in order of time; chords stand where they sound.

    Chords that nobody annotated are found from the notes, where that is asked for.

    CorpusError if an annotation is there and cannot be read.
    """
    beats = _read(source, "beats", _beat)
    chords = _read(source, "chords", _chord)
    if chords is None and finds_chords:
        chords = label_chords(notes, None if beats is None else beats["time_s"])
    if chords is None:
        chords = no_cues()
    cues = np.concatenate([no_cues() if beats is None else beats, _changes(chords)])
    return cues[np.lexsort((cues["code"], cues["time_s"]))]


def _changes(chords: CueArray) -> CueArray:
    """Return the chords that differ from the one before them."""
    return chords[np.concatenate(([True], chords["code"][1:] != chords["code"][:-1]))[: chords.size]]


def _beat(fields: list[str]) -> tuple[float, int]:
    return float(fields[0]), _KINDS[fields[1]]


def _chord(fields: list[str]) -> tuple[float, int]:
    return float(fields[0]), read_harte(fields[2])


def _read(source: CorpusSource, kind: str, parse: Callable[[list[str]], tuple[float, int]]) -> CueArray | None:
    """Return the cues of one table, in order of time; None if there is no such table."""
    name = f"{source.annotated_as}.{kind}.tsv"
    text = _text(source.annotations, name) if source.annotations else None
    if text is None:
        return None
    try:
        cues = np.array([parse(line.split("\t")) for line in text.splitlines() if line.strip()], CUE)
    except (ValueError, KeyError, IndexError, OverflowError, PianodError) as error:
        raise CorpusError(f"{name}: is no table of {kind} ({error})") from error
    if not (np.abs(cues["time_s"]) <= LONGEST_S).all():
        raise CorpusError(f"{name}: a moment in it is no number of seconds within {LONGEST_S / 3600:.0f} hours")
    return cues[np.argsort(cues["time_s"], kind="stable")]


def _text(place: Path, name: str) -> str | None:
    """Return the text of a file in a folder or a zip, None if it is not there."""
    try:
        if place.is_dir():
            return _text_of_file(place / name) if (place / name).is_file() else None
        is_there = name in archive_at(place).NameToInfo
        return member_of(place, name, MOST_BYTES).decode() if is_there else None
    except (OSError, UnicodeDecodeError, zipfile.BadZipFile) as error:
        raise CorpusError(f"{name}: cannot be read from {place.name} ({error})") from error


def _text_of_file(path: Path) -> str:
    if (size := path.stat().st_size) > MOST_BYTES:
        raise OSError(f"{size:,} bytes are too many for a table, at most {MOST_BYTES:,} are read")
    return path.read_text()
