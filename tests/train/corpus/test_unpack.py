"""A note cache that stays on the disk: the same pieces and the same steps as one that is loaded, and not in memory."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from piano.errors import CorpusError
from train.__main__ import main
from train.corpus.note_cache import CACHE_NAME, COLUMNS_INDEX, NoteCache
from train.fit.batches import training_steps
from train.fit.ranks import Ranks
from train.recipe import Recipe


@pytest.fixture
def unpacked(tmp_path: Path, random_notes: NoteCache) -> Path:
    random_notes.save(tmp_path / CACHE_NAME)
    assert main(["unpack", "--corpus", str(tmp_path)]) == 0
    return tmp_path / "notes.columns"


def test_it_holds_the_same_pieces(unpacked: Path, random_notes: NoteCache) -> None:
    cache = NoteCache.load(unpacked)
    assert cache.pieces == random_notes.pieces
    for number in range(len(cache)):
        one, other = cache.performance(number), random_notes.performance(number)
        np.testing.assert_array_equal(one.notes, other.notes)
        np.testing.assert_array_equal(one.pedals, other.pedals)
        np.testing.assert_array_equal(cache.cues(number), random_notes.cues(number))


def test_ranks_that_read_from_the_disk_take_the_steps_of_one_that_loads(
    unpacked: Path, random_notes: NoteCache, make_recipe: Callable[..., Recipe]
) -> None:
    recipe = make_recipe()
    for rank in range(2):
        loaded, mapped = (
            list(training_steps(recipe, cache, Ranks(rank, 2), 0)) for cache in (random_notes, NoteCache.load(unpacked))
        )
        for one, other in zip(loaded, mapped, strict=True):
            assert all(torch.equal(a, b) for x, y in zip(one, other, strict=True) for a, b in zip(x, y, strict=True))


def test_what_is_not_asked_for_is_not_read(unpacked: Path) -> None:
    """A column that is larger than any memory, of nothing but a hole in its file, is opened; its end can be read."""
    index = json.loads((unpacked / COLUMNS_INDEX).read_text())
    more = 1 << 36
    index["pieces"].insert(0, index["pieces"][0])
    for counts in ("notes", "pedals", "cues"):
        index[counts].insert(0, more if counts == "notes" else 0)
    columns = {
        name: np.dtype(index["columns"][name]) for name in ("onset_ms", "duration_ms", "pitch", "velocity", "track")
    }
    for name, dtype in columns.items():
        path = unpacked / f"{name}.bin"
        data = path.read_bytes()
        with path.open("wb") as file:
            file.seek(more * dtype.itemsize)
            file.write(data)
    before = NoteCache.load(unpacked.parent)
    (unpacked / COLUMNS_INDEX).write_text(json.dumps(index))
    cache = NoteCache.load(unpacked)
    assert cache.note_counts[0] == more
    np.testing.assert_array_equal(cache.performance(2).notes, before.performance(1).notes)


def test_it_travels_as_the_name_of_its_folder(unpacked: Path) -> None:
    cache = NoteCache.load(unpacked)
    data = pickle.dumps(cache)
    assert len(data) < 1000
    assert pickle.loads(data).pieces == cache.pieces


def test_it_is_written_once_and_what_is_damaged_is_named(unpacked: Path, tmp_path: Path) -> None:
    assert main(["unpack", "--corpus", str(tmp_path)]) == 2
    (unpacked / "pitch.bin").write_bytes(b"1")
    with pytest.raises(CorpusError, match="is damaged"):
        NoteCache.load(unpacked)
    (tmp_path / CACHE_NAME).write_bytes(b"no zip")
    assert main(["unpack", "--corpus", str(tmp_path), "--out", str(tmp_path / "other")]) == 2
    assert not (tmp_path / "other").exists()
