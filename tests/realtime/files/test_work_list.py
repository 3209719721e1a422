"""Which files are worked on, where what is made goes, what is refused, and what has been done before."""

import os
from pathlib import Path

import pytest

from piano.errors import ConfigError
from realtime.files.done_index import NAME, DoneIndex, fingerprint, seed_for
from realtime.files.work_list import work_list


@pytest.fixture(autouse=True)
def songs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in (
        "songs/a.mid",
        "songs/deep/b.MIDI",
        "songs/notes.txt",
        "songs/._a.mid",
        "songs/.hidden/c.mid",
        "x.mid",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def listed(*words: str, out: str | None = None, variants: int = 1) -> list[tuple[str, str, list[str]]]:
    items = work_list(words, Path(out) if out else None, "filled", variants)
    return [(item.source.as_posix(), item.name, [target.as_posix() for target in item.targets]) for item in items]


def test_a_folder_is_all_that_is_in_it() -> None:
    assert listed("songs") == [
        ("songs/a.mid", "a.mid", ["songs/a-filled.mid"]),
        ("songs/deep/b.MIDI", "deep/b.MIDI", ["songs/deep/b-filled.MIDI"]),
    ]


def test_out_mirrors_a_folder_or_is_one_file() -> None:
    assert [entry[2] for entry in listed("songs", out="made")] == [["made/a.mid"], ["made/deep/b.MIDI"]]
    assert listed("x.mid", out="new.mid", variants=2) == [("x.mid", "x.mid", ["new-1.mid", "new-2.mid"])]
    assert listed("x.mid", out="made") == [("x.mid", "x.mid", ["made/x.mid"])]


def test_patterns_mean_files_and_folders() -> None:
    assert [entry[:2] for entry in listed("songs/*.mid")] == [("songs/a.mid", "a.mid")]
    assert [entry[1] for entry in listed("s*")] == ["songs/a.mid", "songs/deep/b.MIDI"]
    assert [entry[1] for entry in listed("**/*.MIDI")] == ["songs/deep/b.MIDI"]
    assert len(listed("songs", "songs/a.mid", "x.mid", "s*")) == 3


def test_what_was_made_is_no_input() -> None:
    Path("songs/a-filled.mid").touch()
    with pytest.raises(ConfigError, match="is a file to be read"):
        listed("songs")  # nobody has said that it is not the player's own
    DoneIndex(Path("songs")).add(["a-filled.mid"], "a wish")
    assert [entry[1] for entry in listed("songs")] == ["a.mid", "deep/b.MIDI"]
    assert [entry[1] for entry in listed("songs/*.mid")] == ["a.mid"]
    assert [entry[1] for entry in listed("songs/a-filled.mid")] == ["a-filled.mid"]  # named, it is meant
    Path("new").mkdir()
    Path("new/piece.mid").touch()
    DoneIndex(Path("new")).add(["piece.mid"], "a wish")
    with pytest.raises(ConfigError, match="in this folder to work on; what pianod made here is passed over"):
        listed("new")


def test_an_output_folder_within_the_input_is_left_out() -> None:
    Path("songs/made").mkdir()
    Path("songs/made/a.mid").touch()
    assert [entry[2] for entry in listed("songs", out="songs/made")] == [
        ["songs/made/a.mid"],
        ["songs/made/deep/b.MIDI"],
    ]


@pytest.mark.parametrize(
    ("words", "out", "says"),
    [
        (["nowhere"], None, "nowhere: there is no such file or folder"),
        (["nowhere/*.mid"], None, "no MIDI file fits this pattern"),
        (["songs/.hidden/deeper"], None, "no such file or folder"),
        ([os.devnull], None, "is a pipe or a device; write what comes from it into a file"),
        (["x.mid"], "x.mid", r"x\.mid would be its own output: choose another place with --out"),
        (["songs"], "songs", "would be its own output"),
        (["songs"], "one.mid", "--out one.mid is one file, and there are 2"),
        (["songs"], "songs/notes.txt", "neither a folder nor a MIDI file"),
        (["songs/a.mid"], "new.txt", "neither a folder nor a MIDI file"),
        (["songs/a.mid", "x.mid"], "songs", r"its own output"),
        (["songs/a.mid", "songs/deep/../a.mid", "songs/deep"], "songs/deep", "its own output"),
    ],
)
def test_what_cannot_go_well_is_refused(words: list[str], out: str | None, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        listed(*words, out=out)


def test_an_empty_folder_and_two_of_one_name_are_refused() -> None:
    Path("empty").mkdir()
    with pytest.raises(ConfigError, match="empty: there is no MIDI file"):
        listed("empty")
    Path("other").mkdir()
    Path("other/a.mid").touch()
    with pytest.raises(ConfigError, match=r"a\.mid and other/a\.mid would both be written to made/a\.mid"):
        listed("songs/a.mid", "other/a.mid", out="made")
    with pytest.raises(ConfigError, match="is a file to be read"):
        listed("other", "songs/a.mid", out="songs")


def test_what_is_done_is_known_by_its_wish_and_its_file() -> None:
    folder = Path("songs")
    wish = fingerprint(b"bytes", {"keep": "right", "seed": 3})
    assert wish == fingerprint(b"bytes", {"seed": 3, "keep": "right"})
    assert (
        len({wish, fingerprint(b"other", {"keep": "right", "seed": 3}), fingerprint(b"bytes", {"keep": "left"})}) == 3
    )
    DoneIndex(folder).add(["made.mid"], wish)
    assert not DoneIndex(folder).has("made.mid", wish)
    (folder / "made.mid").touch()
    assert DoneIndex(folder).has("made.mid", wish)
    assert not DoneIndex(folder).has("made.mid", "another")
    index = DoneIndex(folder)
    index.add(["more.mid"], "another")
    assert DoneIndex(folder).outputs == {"made.mid", "more.mid"}
    index.settle()
    assert DoneIndex(folder).outputs == {"made.mid", "more.mid"}
    for damage in ("", "[]", '{"version": 9}', '{"version": 1, "made": [1]}', '{"version": 1, "made": {"a": 1}}'):
        (folder / NAME).write_text(damage)
        assert DoneIndex(folder).outputs == frozenset()


def test_a_list_that_cannot_be_written_says_so() -> None:
    with pytest.raises(ConfigError, match="choose another place"):
        DoneIndex(Path("x.mid")).add(["a.mid"], "a wish")


def test_seeds_come_from_the_name_and_the_variant() -> None:
    assert seed_for(7, "a.mid", 1) == seed_for(8, "a.mid", 0)
    assert len({seed_for(seed, name, 0) for seed in (7, 8) for name in ("a.mid", "b.mid", "deep/a.mid")}) == 6
    assert 0 <= seed_for(2**63 - 1, "a.mid", 5) < 2**62


def test_every_kind_of_midi_file_is_seen_in_a_folder_and_companions_are_not(tmp_path: Path) -> None:
    folder = tmp_path / "kinds"
    folder.mkdir()
    for name in ("a.mid", "b.MIDI", "c.kar", "d.rmi", "e.smf", "._a.mid", "f.txt"):
        (folder / name).write_bytes(b"")
    items = work_list([str(folder)], None, "new", 1)
    assert [item.name for item in items] == ["a.mid", "b.MIDI", "c.kar", "d.rmi", "e.smf"]
    targets = [item.targets[0].name for item in items]
    assert targets == ["a-new.mid", "b-new.MIDI", "c-new.kar", "d-new.mid", "e-new.smf"]
