"""A packed run: what is in it, and that it trains by itself, apart from this source tree."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.train.small_recipe import SMALL_MODEL
from train.__main__ import main
from train.corpus.note_cache import CACHE_NAME, NoteCache
from train.model.checkpoint import load_checkpoint
from train.pack.command import write_cache
from train.pack.parts import LIST
from train.recipe import load_recipe

RECIPE = f"""{SMALL_MODEL}
[corpus.weights]
pop909 = 1.0
[batches]
tokens = 128
workers = 1
[schedule]
steps = 10
validation_windows = 2
validations = 1
"""


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory, scales: NoteCache) -> Path:
    """Return a packed run of a small recipe."""
    folder = tmp_path_factory.mktemp("pack")
    (folder / "small.toml").write_text(RECIPE)
    scales.save(folder / "notes.cache")
    assert main(["pack", str(folder / "small.toml"), str(folder / "out"), "--corpus", str(folder)]) == 0
    return folder / "out"


def test_it_carries_the_pieces_of_the_recipe_alone(packed: Path, scales: NoteCache) -> None:
    cache = NoteCache.load(packed / CACHE_NAME)
    assert {(piece.dataset, piece.split) for piece in cache.pieces} == {("pop909", "train"), ("pop909", "validation")}
    for index, piece in enumerate(cache.pieces):
        before = scales.performance(scales.pieces.index(piece))
        np.testing.assert_array_equal(cache.performance(index).notes, before.notes)
        np.testing.assert_array_equal(cache.performance(index).pedals, before.pedals)


def test_times_may_be_coarser(packed: Path, tmp_path: Path) -> None:
    whole = NoteCache.load(packed / CACHE_NAME)
    write_cache(load_recipe(packed.parent / "small.toml"), whole, tmp_path / "coarse.cache", 7)
    coarse = NoteCache.load(tmp_path / "coarse.cache")
    assert coarse.pieces == whole.pieces
    for index in range(len(whole)):
        before, after = whole.performance(index).notes, coarse.performance(index).notes
        assert np.abs(after["onset_s"] - before["onset_s"]).max() < 0.004
        assert np.abs(after["duration_s"] - before["duration_s"]).max() < 0.008
        steps = after["onset_s"] / 0.007
        np.testing.assert_allclose(steps, np.rint(steps), atol=1e-6)
        np.testing.assert_array_equal(after["pitch"], before["pitch"])


def test_it_trains_by_itself_and_brings_its_checkpoint(packed: Path, tmp_path: Path) -> None:
    brought = tmp_path / "brought"
    command = [sys.executable, "-I", str(packed / "run.py"), "--minutes", "0.2", "--work", str(tmp_path / "run")]
    ran = subprocess.run(
        command, capture_output=True, text=True, timeout=300, cwd=tmp_path, env={**os.environ, "OUT": str(brought)}
    )
    assert ran.returncode == 0, ran.stderr
    assert "small: 0.0 M parameters on" in ran.stdout
    assert f"brought to {brought}" in ran.stdout
    assert sorted(path.name for path in brought.iterdir()) == [LIST, "log.jsonl", "weights.00"]
    assert main(["join", str(brought), str(tmp_path / "model")]) == 0
    _, metadata = load_checkpoint(tmp_path / "model")
    last = json.loads((brought / "log.jsonl").read_text().splitlines()[-1])
    assert metadata["step"] == last["step"]
    assert metadata["recipe"]["name"] == "small"
    assert metadata["recipe"]["schedule"]["steps"] is None


def test_another_python_is_refused_with_a_way_out(packed: Path) -> None:
    made_for = packed / "python.txt"
    before = made_for.read_text()
    made_for.write_text("3.1\n")
    try:
        ran = subprocess.run([sys.executable, str(packed / "run.py"), "--minutes", "1"], capture_output=True, text=True)
    finally:
        made_for.write_text(before)
    assert ran.returncode == 1
    assert "packed for Python 3.1, this is" in ran.stderr
    assert "pack again with --python" in ran.stderr


def test_a_folder_of_something_else_is_left_alone(
    packed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    folder = packed.parent
    command = ["pack", str(folder / "small.toml"), str(tmp_path / "mine"), "--corpus", str(folder)]
    assert main(command) == 2
    assert "choose another folder" in capsys.readouterr().err
    assert (tmp_path / "mine" / "letter.txt").is_file()
