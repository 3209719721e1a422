"""Zips of strangers: what unpacks to more than is read is refused before it is, and what is damaged is told."""

import zipfile
from pathlib import Path

import pytest

from piano.errors import CorpusError, MidiFileError
from piano.midi.load import LARGEST_FILE_BYTES
from tests.train.corpus.test_annotations import NOTES
from train.corpus import annotations
from train.corpus.annotations import cues_of
from train.corpus.archives import archive_at, member_of
from train.corpus.note_cache import Piece
from train.corpus.prepare import _bytes
from train.corpus.sources import CorpusSource


def a_zip(path: Path, name: str, size: int) -> Path:
    """Write a zip of one member of blanks."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, b" " * size)
    return path


def never(*_: object) -> bytes:
    raise AssertionError("it is not unpacked")


def test_a_recording_that_unpacks_to_more_than_a_file_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = a_zip(tmp_path / "set.zip", "a.mid", LARGEST_FILE_BYTES + 1)
    monkeypatch.setattr(archive_at(path), "read", never)
    with pytest.raises(MidiFileError, match="it unpacks to 8,388,609 bytes"):
        _bytes(CorpusSource(Piece("set", "a.mid", "train"), path, member="a.mid"))


@pytest.mark.parametrize("in_a_zip", [True, False])
def test_a_table_that_is_larger_than_any_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_a_zip: bool
) -> None:
    monkeypatch.setattr(annotations, "MOST_BYTES", 100)
    name, place = "one.mid.beats.tsv", tmp_path
    if in_a_zip:
        place = a_zip(tmp_path / "beats.zip", name, 101)
        monkeypatch.setattr(archive_at(place), "read", never)
    else:
        (tmp_path / name).write_text(" " * 101)
    source = CorpusSource(
        Piece("set", "one.mid", "train"), tmp_path / "one.mid", annotations=place, annotated_as="one.mid"
    )
    with pytest.raises(CorpusError, match=r"one\.mid\.beats\.tsv: cannot be read"):
        cues_of(source, NOTES)


@pytest.mark.parametrize("at", [6, 8, 40])
def test_a_member_that_is_encrypted_packed_otherwise_or_damaged_is_told(tmp_path: Path, at: int) -> None:
    data = bytearray(a_zip(tmp_path / "set.zip", "a.mid", 1000).read_bytes())
    directory = data.index(b"PK\1\2")
    data[at] ^= 0x61
    if at < 30:  # a field of the member, which stands in the directory too
        data[directory + at + 2] ^= 0x61
    (tmp_path / "set.zip").write_bytes(data)
    with pytest.raises(zipfile.BadZipFile):
        member_of(tmp_path / "set.zip", "a.mid", 1000)
