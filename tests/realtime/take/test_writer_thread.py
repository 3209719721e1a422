"""The keeper of a take: what is on the disk when, and what it does when the disk fails."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from loguru import logger

from piano.events import NoteOff, NoteOn
from piano.midi.file import read_performance
from realtime.midi.message import bytes_of
from realtime.take import writer_thread as take_keeper
from realtime.take.journal import Journal, JournalReader
from realtime.take.take import Take
from realtime.take.writer_thread import RETRY_S, TakeWriter
from tests.support.scripted_play import S


class Desk:
    """A keeper on a clock that is moved by hand, without its thread."""

    def __init__(self, folder: Path) -> None:
        self.now_s, self.folder, self.take = 0.0, folder, Take()
        self.keeper = TakeWriter(self.take, folder, lambda: self.now_s)

    def play(self, *pitches: int) -> None:
        for pitch in pitches:
            at_ns = round(self.now_s * S)
            self.take.play(at_ns, bytes_of(NoteOn(pitch, 60)))
            self.take.send(at_ns, bytes_of(NoteOn(pitch + 1, 60)))
            self.take.play(at_ns + S // 10, bytes_of(NoteOff(pitch)))

    def keep(self, after_s: float = 0.25) -> None:
        self.now_s += after_s
        self.keeper.keep()

    def kept(self) -> list[int]:
        """Return the pitches that a crash would leave now."""
        with next(self.folder.glob("*.journal")).open("rb") as file:
            return sorted(record.data[1] for record in JournalReader(file) if record.data[0] == 0x90)

    def pitches(self) -> list[int]:
        """Return the pitches of the file that was made."""
        assert self.keeper.midi is not None
        return sorted(read_performance(self.keeper.midi).notes["pitch"].tolist())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "takes")


@pytest.fixture
def told() -> Iterator[list[str]]:
    lines: list[str] = []
    sink = logger.add(lambda line: lines.append(str(line)), level="INFO", format="{message}")
    yield lines
    logger.remove(sink)


def test_what_was_played_is_in_the_journal_at_the_next_look_and_a_file_at_the_end(desk: Desk) -> None:
    desk.keep()
    assert not desk.folder.exists(), "nothing was played"
    desk.play(60)
    desk.keep()
    assert desk.kept() == [60, 61]
    desk.play(64)
    desk.keep()
    assert desk.kept() == [60, 61, 64, 65]
    desk.play(70)
    desk.keeper.finish()
    assert desk.pitches() == [60, 61, 64, 65, 70, 71]
    assert [path.suffix for path in desk.folder.iterdir()] == [".mid"]


def test_it_waits_for_the_disk_at_rests_and_at_least_every_second(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[float] = []
    monkeypatch.setattr(Journal, "sync", lambda _: synced.append(desk.now_s))
    for _ in range(20):
        desk.play(60)
        desk.keep()
    gaps = [later - sooner for sooner, later in pairwise(synced)]
    assert max(gaps) <= 1.0
    desk.play(60)
    desk.keep(0.1)
    assert synced[-1] < desk.now_s
    desk.keep(0.1)
    assert synced[-1] == desk.now_s, "a rest"
    desk.keep()
    assert synced[-1] < desk.now_s, "nothing new"


def test_a_session_without_a_note_leaves_nothing(desk: Desk) -> None:
    desk.keeper.finish()
    assert desk.keeper.midi is None
    desk.take.play(0, b"\xb0\x40\x7f")
    desk.keep()
    desk.keeper.finish()
    assert (desk.keeper.midi, list(desk.folder.iterdir())) == (None, [])


def test_a_full_disk_is_told_once_and_costs_nothing_once_there_is_room(
    desk: Desk, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.play(60)
    desk.keep()

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        for pitch in (62, 64, 66):
            desk.play(pitch)
            desk.keep(RETRY_S)
        assert "No space left on device" in str(desk.keeper.fault)
    assert len(told) == 1
    assert "make room on the disk" in told[0]
    desk.keep(RETRY_S)
    assert desk.keeper.fault is None
    assert desk.kept() == [60, 61, 62, 63, 64, 65, 66, 67]
    desk.keeper.finish()
    assert desk.pitches() == [60, 61, 62, 63, 64, 65, 66, 67]


def test_a_folder_that_disappears_is_made_anew_with_all_that_was_played(desk: Desk) -> None:
    desk.play(60)
    desk.keep()
    shutil.rmtree(desk.folder)
    desk.play(62)
    desk.keep()
    assert desk.kept() == [60, 61, 62, 63]
    shutil.rmtree(desk.folder)
    desk.keeper.finish()
    assert desk.pitches() == [60, 61, 62, 63]


def test_where_no_folder_can_be_the_take_is_in_the_temporary_one(
    desk: Desk, told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.folder.write_text("a file in the place of the folder")
    for pitch in (60, 62):
        desk.play(pitch)
        desk.keep(RETRY_S)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "elsewhere"))
    desk.keeper.finish()
    assert len(told) == 1
    assert "give another folder with --takes" in told[0]
    assert desk.pitches() == [60, 61, 62, 63]
    assert desk.keeper.midi is not None
    assert desk.keeper.midi.is_relative_to(tmp_path / "elsewhere")


def test_a_folder_that_may_only_be_read(desk: Desk, told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    desk.folder.mkdir()
    desk.play(60)
    with monkeypatch.context() as patch:  # a test may run as root, whom no permission stops
        patch.setattr(os, "open", refuse)
        desk.keep()
        desk.keep(RETRY_S)
        desk.keeper.finish()
    assert desk.keeper.midi is None
    assert ["the take cannot be written" in told[0], "the take is lost" in told[1], len(told)] == [True, True, 2]


def test_a_fault_of_our_own_in_the_recovery_is_told_and_the_take_is_kept_all_the_same(
    desk: Desk, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(take_keeper, "recover", lambda _: [None])
    desk.play(60)
    desk.keeper.start()
    desk.keeper.stop()
    assert "keeping the take failed (AttributeError" in told[0]
    assert desk.pitches() == [60, 61]


def test_a_fault_of_our_own_while_it_is_kept_is_told_once_and_tried_again(
    desk: Desk, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = desk.keeper
    with monkeypatch.context() as patch:
        patch.setattr(take_keeper, "encode_record", lambda _: 1 // 0)
        desk.play(60)
        for _ in range(3):
            keeper._carry_out(keeper.keep)
            desk.now_s += RETRY_S
        assert "ZeroDivisionError" in str(keeper.fault)
    assert len(told) == 1
    keeper._carry_out(keeper.keep)
    assert keeper.fault is None
    desk.play(62)
    keeper.finish()
    assert desk.pitches() == [60, 61, 62, 63]


def test_the_next_start_recovers_and_says_so_in_one_line(desk: Desk, told: list[str]) -> None:
    desk.play(60)
    desk.keep()
    journal = next(desk.folder.glob("*.journal"))
    journal.rename(journal.with_name("crashed.journal"))  # the file of a process that is gone: nobody holds its lock
    left, desk.keeper = desk.keeper, TakeWriter(Take(), desk.folder)
    if left._journal is not None:
        left._journal.close()
    desk.keeper.start()
    desk.keeper.stop()
    assert [line.strip() for line in told] == [f"recovered a take that was cut off: {desk.folder / 'crashed.mid'}"]
    assert read_performance(desk.folder / "crashed.mid").notes["pitch"].tolist() == [60, 61]
