"""Files that appear whole or not at all: reports of a user's, beside them nothing, and what is no file at all."""

import os
import re
import stat
from pathlib import Path

import pytest

import piano
from piano.whole_file import write_report, write_whole


def test_where_the_writing_fails_what_was_there_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = tmp_path / "report.json"
    report.write_text("of yesterday")

    def half(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="No space left") as refused:
        write_report(report, "of today, and longer")
    assert refused.value.filename == str(report), "it is told by the name that was asked for"
    assert report.read_text() == "of yesterday"
    assert list(tmp_path.iterdir()) == [report]


def test_a_report_is_moved_to_its_place_at_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = tmp_path / "report.json"
    seen: list[bool] = []
    replace = Path.replace

    def look(self: Path, target: Path) -> Path:
        seen.append(report.exists())
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", look)
    write_report(report, "ä\n")
    assert (seen, report.read_bytes()) == ([False], b"\xc3\xa4\n")


def test_a_link_is_followed_by_a_report_and_replaced_by_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "of today.json").write_text("old")
    link = tmp_path / "latest.json"
    link.symlink_to("of today.json")
    write_report(link, "new")
    assert link.is_symlink()
    assert (tmp_path / "of today.json").read_text() == "new"
    write_whole(link, b"a file of its own")
    assert not link.is_symlink(), "nobody writes through a link that was laid in our way"


def test_what_is_no_file_is_written_to_itself(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    end = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_report(pipe, "told")
    assert os.read(end, 100) == b"told"
    os.close(end)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert list(tmp_path.iterdir()) == [pipe]


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="directory"):
        write_report(tmp_path, "told")
    assert list(tmp_path.iterdir()) == []
    assert not tmp_path.with_name(f"{tmp_path.name}.partial").exists()


PACKAGES = ("piano", "inference", "workers", "train", "export", "realtime", "bench")
IN_PLACE = re.compile(r"\.write_text\(|json\.dump\((?!.*sys\.stdout)")
IN_A_FOLDER_OF_THEIR_OWN = {
    "realtime/panel/job_process.py",  # read when the process has ended well
    "train/pack/parts.py",  # made aside, and moved
    "train/pack/command.py",  # a folder that is made anew
}


def test_no_report_is_written_in_place() -> None:
    root = Path(piano.__file__).parents[1]
    found = {
        str(path.relative_to(root))
        for package in PACKAGES
        for path in (root / package).rglob("*.py")
        if IN_PLACE.search(path.read_text())
    }
    assert found == IN_A_FOLDER_OF_THEIR_OWN
