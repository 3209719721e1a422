"""Files in a store: read, named, written and noted as those on a disk are, with fsspec's memory and local stores."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from upath import UPath

from bench.pieces import random_performance
from piano.errors import ConfigError
from piano.midi.file import MidiTrack, midi_bytes
from realtime.cli.command_line import main
from realtime.files.done_index import NAME, DoneIndex
from train.__main__ import main as train
from train.corpus.note_cache import NoteCache
from workers.stores import path_of, write_anywhere

WORDS = ("--seed", "5", "--samples", "1")


@pytest.fixture
def box() -> Iterator[UPath]:
    """Return a store in memory with two MIDI files, one of them in a folder below."""
    box = UPath("memory://box")
    for number, name in enumerate(("a.mid", "sub/b.mid")):
        path = box / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(midi_bytes([MidiTrack("piano", random_performance(10, seed=number))]))
    yield box
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


@pytest.mark.parametrize("place", [("--jobs", "1"), ("--cluster", "local:1")])
def test_a_command_reads_from_a_store_and_writes_into_it(box: UPath, tmp_path: Path, place: tuple[str, str]) -> None:
    assert main(["velocities", "memory://box/in", "--out", "memory://box/out", *WORDS, *place]) == 0
    for name in ("a.mid", "sub/b.mid"):
        here = tmp_path / "in" / name
        here.parent.mkdir(parents=True, exist_ok=True)
        here.write_bytes((box / "in" / name).read_bytes())
    assert main(["velocities", str(tmp_path / "in"), "--out", f"file://{tmp_path}/out", *WORDS]) == 0
    for name in ("a.mid", "sub/b.mid"):
        assert (box / "out" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()
    assert sorted(path.name for path in (box / "out").iterdir()) == [NAME, "a.mid", "sub"]


def test_what_is_done_in_a_store_is_not_done_again(box: UPath) -> None:
    command = ["velocities", "memory://box/in/a.mid", "--out", "memory://box/out/a.mid", *WORDS, "--jobs", "1"]
    assert main(command) == 0
    (box / "out" / "a.mid").write_bytes(b"as it was")
    assert main(command) == 0
    assert (box / "out" / "a.mid").read_bytes() == b"as it was"


def test_lines_of_work_that_was_killed_are_found(box: UPath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.files.done_lines._EVERY_S", 0.0)
    folder = path_of("memory://box/out")
    write_anywhere(folder / "a.mid", b"made")
    DoneIndex(folder).add(["a.mid"], "wish")  # and is not settled
    index = DoneIndex(folder)
    assert index.has("a.mid", "wish")
    index.settle()
    assert sorted(path.name for path in (box / "out").iterdir()) == [NAME, "a.mid"]
    assert DoneIndex(folder).has("a.mid", "wish")


def test_a_corpus_is_prepared_from_a_store(box: UPath, tmp_path: Path) -> None:
    assert train(["prepare", "--folder", f"{box}/in", "--out", str(tmp_path), "--processes", "1"]) == 0
    assert [piece.file for piece in NoteCache.load(tmp_path).pieces] == ["a.mid", "sub/b.mid"]


def test_a_store_that_is_not_known_is_told() -> None:
    with pytest.raises(ConfigError, match="nowhere://box: this store cannot be read"):
        path_of("nowhere://box")


def test_a_file_url_is_a_path_of_this_machine(tmp_path: Path) -> None:
    assert path_of(f"file://{tmp_path}/a") == tmp_path / "a"
