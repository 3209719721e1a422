"""Files that a page may see: those in the folders that were named, by our names for them; nothing else."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from piano.errors import ConfigError, MidiFileError
from realtime.panel import shelves
from realtime.panel.shelves import Pieces, Takes
from tests.realtime.panel.pieces import write_piece


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_piece(tmp_path / "outside.mid")
    for age, name in enumerate(("b.mid", "a.mid", "c.MID")):
        path = write_piece(tmp_path / "takes" / name)
        os.utime(path, (1e9 - age, 1e9 - age))
    (tmp_path / "takes" / "notes.txt").write_text("no music")
    (tmp_path / "takes" / "link.mid").symlink_to(tmp_path / "outside.mid")
    (tmp_path / "takes" / "deeper.mid").mkdir()
    write_piece(tmp_path / "takes" / "deeper.mid" / "d.mid")
    return tmp_path / "takes"


def test_takes_are_listed_the_newest_first_without_links_and_folders(folder: Path) -> None:
    assert [entry.name for entry in Takes(folder).entries()] == ["b.mid", "a.mid"]
    assert Takes(folder).read("a.mid") == (folder / "a.mid").read_bytes()


@pytest.mark.parametrize("name", ["link.mid", "deeper.mid", "../outside.mid", "notes.txt", "c.MID", "", "/etc/passwd"])
def test_what_is_not_listed_is_not_read(folder: Path, name: str) -> None:
    assert Takes(folder).read(name) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.text(max_size=20))
def test_no_name_reaches_another_file(folder: Path, name: str) -> None:
    assert Takes(folder).read(name) is None or name in ("a.mid", "b.mid")


def test_before_the_first_take_there_is_none(tmp_path: Path) -> None:
    assert Takes(tmp_path / "later").entries() == []
    assert Takes(None).entries() == []


def test_pieces_are_numbered_below_their_folder(folder: Path) -> None:
    pieces = Pieces(folder)
    assert pieces.names() == ["a.mid", "b.mid", "c.MID", os.path.join("deeper.mid", "d.mid")]
    assert pieces.read(1) == (folder / "b.mid").read_bytes()
    for number in (-1, 4, 10**9):
        assert pieces.read(number) is None


def test_a_folder_to_review_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--review"):
        Pieces(tmp_path / "nowhere")
    assert Pieces(None).names() == []


def test_a_piece_that_is_too_large_or_gone_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = Pieces(folder)
    assert pieces.names()
    (folder / "a.mid").unlink()
    with pytest.raises(MidiFileError, match=r"a\.mid cannot be read"):
        pieces.read(0)
    monkeypatch.setattr(shelves, "LARGEST_PIECE", 10)
    with pytest.raises(MidiFileError, match="the most that is shown"):
        pieces.read(1)
