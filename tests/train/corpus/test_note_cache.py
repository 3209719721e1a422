"""The note cache: write and read, selection, and what is refused."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.cue_arrays import CUE
from piano.cues import CUES
from piano.errors import CorpusError
from piano.notes import NOTE, PEDAL, Performance, sort_notes
from train.corpus.note_cache import CACHE_NAME, FORMAT_VERSION, NoteCache, Piece

_NOTE = st.tuples(
    st.integers(0, 200_000).map(lambda ms: ms / 1000),
    st.integers(1, 100_000).map(lambda ms: ms / 1000),
    st.integers(21, 108),
    st.integers(1, 127),
    st.integers(0, 255),
)


@st.composite
def performances(draw: st.DrawFn) -> Performance:
    """Draw notes at whole milliseconds, in order, and true changes of the pedal."""
    notes = sort_notes(np.array(draw(st.lists(_NOTE, max_size=20)), NOTE))
    steps = draw(st.lists(st.integers(1, 90_000), max_size=10))
    changes = [(ms / 1000, index % 2 == 0) for index, ms in enumerate(np.cumsum(steps).tolist())]
    told = draw(st.lists(st.tuples(st.integers(0, 200_000), st.integers(0, CUES - 1)), max_size=10))
    cues = np.array([(ms / 1000, code) for ms, code in sorted(told)], CUE)
    return Performance(notes, np.array(changes, PEDAL), cues)


def piece(file: str = "a.mid", split: str = "train", dataset: str = "set") -> Piece:
    """Return a piece."""
    return Piece(dataset, file, split, "Frédéric Chopin", "Étude", "MIT", ("right", "left"))


def simple() -> Performance:
    """Return two notes."""
    return Performance(np.array([(0.0, 1.0, 60, 64, 0), (0.5, 1.0, 64, 70, 1)], NOTE))


@given(st.lists(performances(), max_size=4))
@settings(deadline=None, max_examples=20)
def test_cache_keeps_all(tmp_path_factory: pytest.TempPathFactory, played: list[Performance]) -> None:
    path = tmp_path_factory.mktemp("cache") / CACHE_NAME
    pieces = [piece(f"{index}.mid") for index in range(len(played))]
    NoteCache.build(zip(pieces, played, strict=True)).save(path)
    cache = NoteCache.load(path)
    assert cache.pieces == tuple(pieces)
    assert len(cache) == len(played)
    for index, performance in enumerate(played):
        again = cache.performance(index)
        np.testing.assert_allclose(again.notes["onset_s"], performance.notes["onset_s"], rtol=0, atol=1e-9)
        np.testing.assert_allclose(again.notes["duration_s"], performance.notes["duration_s"], rtol=0, atol=1e-9)
        for column in ("velocity", "track", "pitch"):
            assert again.notes[column].tolist() == performance.notes[column].tolist()
        np.testing.assert_allclose(again.pedals["time_s"], performance.pedals["time_s"], rtol=0, atol=1e-9)
        assert again.pedals["down"].tolist() == performance.pedals["down"].tolist()
        assert again.cues.size == 0
        np.testing.assert_allclose(cache.cues(index)["time_s"], performance.cues["time_s"], rtol=0, atol=1e-9)
        assert cache.cues(index)["code"].tolist() == performance.cues["code"].tolist()


def test_times_are_rounded_notes_keep_a_millisecond_and_pedals_settle() -> None:
    notes = np.array([(0.0004, 0.0001, 60, 64, 0), (0.0006, 0.5, 59, 64, 0)], NOTE)
    pedals = np.array([(0.1001, True), (0.1002, False), (0.2001, True), (0.3001, False), (0.3002, True)], PEDAL)
    again = NoteCache.build([(piece(), Performance(notes, pedals))]).performance(0)
    assert again.notes.tolist() == [(0.0, 0.001, 60, 64, 0), (0.001, 0.5, 59, 64, 0)]
    assert again.pedals.tolist() == [(0.2, True)]


def test_select_by_split_and_data_set(tmp_path: Path) -> None:
    rows = [("a", "train", "x"), ("b", "test", "x"), ("c", "train", "y")]
    NoteCache.build([(piece(*row), simple()) for row in rows]).save(tmp_path / CACHE_NAME)
    cache = NoteCache.load(tmp_path)  # the folder will do
    assert cache.select() == [0, 1, 2]
    assert cache.select("train") == [0, 2]
    assert cache.select("train", ["y"]) == [2]
    assert cache.select(datasets={"x"}) == [0, 1]
    with pytest.raises(IndexError, match="piece 3 of 3"):
        cache.performance(3)


def test_unwritable_cache_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CorpusError, match="cannot be written"):
        NoteCache.build([(piece(), simple())]).save(tmp_path / "file" / CACHE_NAME)


def test_performance_before_0_is_misuse() -> None:
    early = Performance(np.array([(-1.0, 1.0, 60, 64, 0)], NOTE))
    with pytest.raises(ValueError, match="before 0 s"):
        NoteCache.build([(piece(), early)])


def _rewritten(path: Path, **members: str | bytes) -> None:
    """Replace members of a cache file (`index` stands for index.json)."""
    with zipfile.ZipFile(path) as archive:
        content: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
    content |= {f"{name}.json" if name == "index" else f"{name}.0": data for name, data in members.items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def test_other_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / CACHE_NAME
    NoteCache.build([(piece(), simple())]).save(path)
    _rewritten(path, index=json.dumps({"format": FORMAT_VERSION + 1}))
    with pytest.raises(CorpusError, match=f"has format {FORMAT_VERSION + 1}"):
        NoteCache.load(path)


@pytest.mark.parametrize(
    "members", [{"pitch": b"123"}, {"onset_ms": b""}, {"index": "{"}, {"index": "{}"}, {"index": "[]"}]
)
def test_contradiction_is_refused(tmp_path: Path, members: dict[str, str | bytes]) -> None:
    path = tmp_path / CACHE_NAME
    NoteCache.build([(piece(), simple())]).save(path)
    _rewritten(path, **members)
    with pytest.raises(CorpusError, match="damaged or no note cache"):
        NoteCache.load(path)


def test_damaged_cut_off_and_missing_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / CACHE_NAME
    with pytest.raises(CorpusError, match="there is no note cache"):
        NoteCache.load(path)
    NoteCache.build([(piece(), simple())]).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorpusError, match="damaged"):
        NoteCache.load(path)
    at = whole.index(b"pitch.0") + len(b"pitch.0")
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
    with pytest.raises(CorpusError, match="damaged"):
        NoteCache.load(path)


def test_a_cache_of_the_first_format_is_read_and_has_no_cues(tmp_path: Path) -> None:
    NoteCache.build([(piece(), simple())]).save(tmp_path / CACHE_NAME)
    with zipfile.ZipFile(tmp_path / CACHE_NAME) as archive:
        members = {name: archive.read(name) for name in archive.namelist() if not name.startswith("cue_")}
    index = json.loads(members.pop("index.json"))
    del index["cues"]
    index["columns"] = {name: kind for name, kind in index["columns"].items() if not name.startswith("cue_")}
    with zipfile.ZipFile(tmp_path / "old.cache", "w") as archive:
        archive.writestr("index.json", json.dumps({**index, "format": 1}))
        for name, content in members.items():
            archive.writestr(name, content)
    cache = NoteCache.load(tmp_path / "old.cache")
    assert cache.performance(0).notes.tolist() == simple().notes.tolist()
    assert cache.cues(0).size == 0
