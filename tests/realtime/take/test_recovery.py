"""Recovery: a MIDI file for each journal that was left behind; nothing of anybody else's is touched."""

import os
from pathlib import Path

import pytest

from piano.midi.file import read_performance
from realtime.take import recovery
from realtime.take.journal import Journal, encode_record
from realtime.take.recovery import recover, write_recovered
from realtime.take.take import TakeRecord, TakeSource
from tests.realtime.take.test_journal import RECORDS, a_journal


def test_cut_off_anywhere_it_becomes_a_midi_file_or_nothing(tmp_path: Path) -> None:
    data = a_journal(tmp_path / "whole")
    first_note_end = data.index(b"\n", data.index(b"\n") + 1) + 1
    for length in range(len(data) + 1):
        folder = tmp_path / str(length)
        folder.mkdir()
        (folder / "take.journal").write_bytes(data[:length])
        found = list(recover(folder))
        assert [path.name for path in folder.iterdir()] == (["take.mid"] if length >= first_note_end else [])
        if found:
            assert read_performance(found[0].midi).notes["pitch"].tolist()[0] == 60


def test_what_a_crash_left_between_the_two_files_is_done_again(tmp_path: Path) -> None:
    data = a_journal(tmp_path)
    [first] = recover(tmp_path)
    once = first.midi.read_bytes()
    (tmp_path / "take.journal").write_bytes(data)
    (tmp_path / "take.mid.partial").write_bytes(b"torn")
    [again] = recover(tmp_path)
    assert (again.midi, again.midi.read_bytes()) == (first.midi, once)
    assert [path.name for path in tmp_path.iterdir()] == ["take.mid"]


def test_a_midi_file_that_is_another_is_not_written_over(tmp_path: Path) -> None:
    a_journal(tmp_path)
    (tmp_path / "take.mid").write_bytes(b"mine")
    [recovered] = recover(tmp_path)
    assert recovered.midi == tmp_path / "take recovered.mid"
    assert (tmp_path / "take.mid").read_bytes() == b"mine"


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    (tmp_path / "diary.journal").write_text("Dear diary, today I played.\n")
    (tmp_path / "secret").write_text("keep")
    (tmp_path / "link.journal").symlink_to(tmp_path / "secret")
    (tmp_path / "folder.journal").mkdir()
    os.mkfifo(tmp_path / "pipe.journal")
    (tmp_path / "large.journal").write_bytes(b"")
    os.truncate(tmp_path / "large.journal", recovery.LARGEST_JOURNAL_BYTES + 1)
    before = sorted(tmp_path.iterdir())
    assert list(recover(tmp_path)) == []
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "secret").read_text() == "keep"


def test_a_link_in_the_place_of_the_midi_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "precious"
    target.write_bytes(b"precious")
    folder = tmp_path / "takes"
    folder.mkdir()
    for name in ("take.mid", "take.mid.partial", "take recovered.mid.partial"):
        (folder / name).symlink_to(target)
    write_recovered(folder / "take.mid", b"MThd")
    assert target.read_bytes() == b"precious"


def test_where_nothing_can_be_written_the_journal_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_journal(tmp_path)

    def refuse(path: Path, data: bytes) -> Path:
        raise OSError(30, f"Read-only file system: {path}, {len(data)} bytes")

    with monkeypatch.context() as patch:
        patch.setattr(recovery, "write_recovered", refuse)
        assert list(recover(tmp_path)) == []
    assert len(list(recover(tmp_path))) == 1


def test_no_folder_no_takes(tmp_path: Path) -> None:
    assert list(recover(tmp_path / "none")) == []


def test_a_take_without_a_note_leaves_nothing(tmp_path: Path) -> None:
    journal = Journal.begin(tmp_path, "take")
    journal.append([encode_record(RECORDS[2])])
    journal.close()
    assert list(recover(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


def test_what_was_down_at_the_far_end_is_told_and_what_the_player_held_is_not(tmp_path: Path) -> None:
    own, passed, played = TakeSource.OWN, TakeSource.PASSED, TakeSource.PLAYED
    went = [(played, "903c40"), (passed, "913c40"), (own, "904040"), (own, "904340"), (own, "804340"), (own, "b0407f")]
    journal = Journal.begin(tmp_path, "take")
    records = [TakeRecord(at_ns, source, bytes.fromhex(text)) for at_ns, (source, text) in enumerate(went)]
    journal.append(map(encode_record, records))
    journal.close()
    [recovered] = recover(tmp_path)
    assert [data.hex() for data in recovered.left_down] == ["804040", "813c40", "b04000"]
