"""The journal: torn anywhere, flipped anywhere, two daemons at once; each whole line is a record again."""

import fcntl
import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.take.journal import Journal, JournalReader, decode_record, encode_record
from realtime.take.recovery import recover
from realtime.take.take import TakeRecord, TakeSource
from tests.realtime.take.test_take import CHANNEL_MESSAGES

RECORDS = [
    TakeRecord(1_000, TakeSource.PLAYED, bytes.fromhex("903c40")),
    TakeRecord(2_000, TakeSource.OWN, bytes.fromhex("904048")),
    TakeRecord(2_500, TakeSource.PASSED, bytes.fromhex("c005")),
    TakeRecord(3_000, TakeSource.PLAYED, bytes.fromhex("803c40")),
]


def a_journal(folder: Path) -> bytes:
    """Return the bytes of a journal of the records."""
    journal = Journal.begin(folder, "take")
    journal.append(map(encode_record, RECORDS))
    journal.close()
    return journal.path.read_bytes()


def read(data: bytes) -> tuple[list[TakeRecord], JournalReader]:
    reader = JournalReader(io.BytesIO(data))
    return list(reader), reader


@given(st.integers(0, 10**18 - 1), st.sampled_from(TakeSource), CHANNEL_MESSAGES)
def test_a_record_is_a_line_and_back(at_ns: int, source: TakeSource, data: bytes) -> None:
    record = TakeRecord(at_ns, source, data)
    assert decode_record(encode_record(record)[:-1]) == record


def test_cut_off_anywhere_it_gives_every_whole_record(tmp_path: Path) -> None:
    data = a_journal(tmp_path)
    ends = [index + 1 for index, byte in enumerate(data) if byte == 0x0A]
    for length in range(len(data) + 1):
        records, reader = read(data[:length])
        assert records == RECORDS[: max(sum(end <= length for end in ends) - 1, 0)]
        assert reader.damaged <= 1


def test_with_any_byte_flipped_it_loses_no_more_than_what_the_byte_stood_in(tmp_path: Path) -> None:
    data = a_journal(tmp_path)
    for at in range(len(data)):
        for flip in (0x01, 0x20, 0x80, 0xFF, data[at] ^ 0x0A, data[at] ^ 0x20):
            if flip:
                records, reader = read(data[:at] + bytes((data[at] ^ flip,)) + data[at + 1 :])
                lost = [record for record in RECORDS if record not in records]
                assert len(lost) <= (2 if data[at] == 0x0A else 1)
                assert all(record in RECORDS for record in records)
                assert reader.is_ours
                assert reader.damaged or lost == []


@given(st.binary(max_size=200))
def test_any_bytes_are_read_to_the_end(data: bytes) -> None:
    records, reader = read(data)
    assert len(records) + reader.damaged <= len(data) + 1


def test_a_line_without_end_takes_no_memory() -> None:
    assert read(bytes(100_000))[1].damaged == 1563


def test_two_at_once_take_two_names(tmp_path: Path) -> None:
    (tmp_path / "take (2).mid").write_bytes(b"")
    first, second = Journal.begin(tmp_path, "take"), Journal.begin(tmp_path, "take")
    assert [first.path.name, second.path.name] == ["take.journal", "take (3).journal"]
    first.close()
    second.close()


def test_a_journal_that_is_taken_away_while_it_begins_gets_another_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock
    stolen: list[Path] = []

    def steal(descriptor: int, operation: int) -> None:
        if not stolen:
            stolen.append(tmp_path / "take.journal")
            stolen[0].unlink()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", steal)
    journal = Journal.begin(tmp_path, "take")
    assert journal.path == tmp_path / "take (2).journal"
    assert journal.is_there()
    journal.close()


def test_what_could_be_written_in_part_only_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal.begin(tmp_path, "take")
    write = os.write
    room = [50]

    def full(descriptor: int, data: bytes) -> int:
        room[0], written = 0, write(descriptor, data[: room[0]])
        if not written:
            raise OSError(28, "No space left on device")
        return written

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            journal.append(map(encode_record, RECORDS))
    assert read(journal.path.read_bytes())[0] == []
    journal.append(map(encode_record, RECORDS))
    with journal.read() as file:
        reader = JournalReader(file)
        assert (list(reader), reader.damaged) == (RECORDS, 0)
    journal.close()


def test_another_daemons_journal_is_left_alone(tmp_path: Path) -> None:
    journal = Journal.begin(tmp_path, "take")
    journal.append(map(encode_record, RECORDS))
    assert list(recover(tmp_path)) == []
    assert journal.is_there()
    journal.close()
    [recovered] = recover(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["take.mid"]
    assert recovered.midi == tmp_path / "take.mid"
