"""Beats and chords come from the tables beside a file, chords else from its notes."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from piano.cues import BEAT, DOWNBEAT, chord, cue_name
from piano.errors import CorpusError
from piano.notes import NOTE
from train.corpus.annotations import cues_of
from train.corpus.note_cache import Piece
from train.corpus.sources import CorpusSource

NOTES = np.array([(at, 1.0, pitch, 64, 0) for at in (0.0, 1.0) for pitch in (48, 64, 67)], NOTE)
BEATS = "0.000\tdb\t4/4,0\n0.500\tb\t\n1.000\tbR\t\n"


def _source(place: Path) -> CorpusSource:
    return CorpusSource(
        Piece("set", "a/one.mid", "train"), place / "one.mid", annotations=place, annotated_as="a/one.mid"
    )


def test_tables_in_a_folder_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/one.mid.beats.tsv").write_text(BEATS)
    (tmp_path / "a/one.mid.chords.tsv").write_text("0.0\t0.5\tF:maj\n0.5\t1.0\tF:maj\n1.0\t2.0\tN\n")
    cues = cues_of(_source(tmp_path), NOTES)
    assert [(at, cue_name(int(code))) for at, code in cues.tolist()] == [
        *((0.0, "DOWNBEAT"), (0.0, "CHORD_F:maj"), (0.5, "BEAT"), (1.0, "BEAT"), (1.0, "CHORD_N")),
    ]


def test_tables_in_a_zip_are_read_and_missing_chords_found_from_the_notes(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "beats.zip", "w") as archive:
        archive.writestr("a/one.mid.beats.tsv", BEATS)
    cues = cues_of(_source(tmp_path / "beats.zip"), NOTES)
    assert cues["code"].tolist() == [DOWNBEAT, chord(0, "maj"), BEAT, BEAT]


def test_without_tables_there_are_the_chords_of_the_notes(tmp_path: Path) -> None:
    assert cues_of(_source(tmp_path), NOTES)["code"].tolist() == [chord(0, "maj")]


@pytest.mark.parametrize("text", ["x\tdb\n", "1.0\tzz\n", "1.0\n", "nan\tdb\n", "inf\tb\n", "9e9\tb\n"])
def test_a_damaged_table_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/one.mid.beats.tsv").write_text(text)
    with pytest.raises(CorpusError, match=r"one\.mid\.beats\.tsv"):
        cues_of(_source(tmp_path), NOTES)
