"""The command `fit`: trains a recipe from files, and refuses what cannot work before any of it."""

import json
from pathlib import Path

import numpy as np
import pytest

from export.__main__ import main as export
from inference.bundle import Bundle
from inference.onnx_session import OnnxSession
from piano.midi.file import MidiTrack, write_performance
from piano.notes import NOTE, Performance
from piano.tokens.vocabulary import VOCABULARY
from tests.train.conftest import scale
from tests.train.small_recipe import SMALL_MODEL
from train.__main__ import main
from train.corpus.note_cache import CACHE_NAME, NoteCache
from train.fit.command import OWN_RECIPE
from train.model.checkpoint import load_checkpoint
from train.recipe import load_recipe

RECIPE = f"""{SMALL_MODEL}
[batches]
tokens = 128
workers = 0
[schedule]
steps = 2
validation_windows = 2
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def corpus(tmp_path: Path, scales: NoteCache) -> Path:
    path = tmp_path / "notes.cache"
    scales.save(path)
    return path


def test_it_trains_into_a_folder_named_after_the_recipe(
    recipe: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(recipe.parent)
    assert main(["fit", str(recipe), "--corpus", str(corpus)]) == 0
    run = recipe.parent / "runs" / "small"
    assert {path.name for path in run.iterdir()} >= {"best", "state.pt", "log.jsonl"}
    said = capsys.readouterr().out
    assert "small: 0.0 M parameters on" in said
    assert f"{Path('runs') / 'small' / 'best'}: " in said
    assert load_checkpoint(run / "best")[1]["recipe"]["name"] == "small"


def test_it_starts_from_the_weights_of_another_run(recipe: Path, corpus: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert main(["fit", str(recipe), "--corpus", str(corpus), "--out", str(first)]) == 0
    fine = ["fit", str(recipe), "--corpus", str(corpus), "--out", str(second), "--init", str(first / "best")]
    assert main(fine) == 0
    before, after = (json.loads((run / "log.jsonl").read_text())["nats"] for run in (first, second))
    assert after < before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("steps = 2", "steps = 0"), "schedule.steps"),
        (("tokens = 128", "tokens = 100"), "100 tokens a step are not whole windows of 64"),
    ],
)
def test_a_wrong_recipe_is_refused(
    recipe: Path, corpus: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], message: str
) -> None:
    recipe.write_text(RECIPE.replace(*change))
    assert main(["fit", str(recipe), "--corpus", str(corpus), "--out", str(recipe.parent / "run")]) == 2
    assert message in capsys.readouterr().err
    assert not (recipe.parent / "run").exists()


def recordings(folder: Path, *, files: int) -> Path:
    folder.mkdir()
    for number in range(files):
        write_performance(folder / f"take {number}.mid", [MidiTrack("piano", scale(48 + number))])
    return folder


def test_a_folder_of_recordings_is_a_corpus(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine, out = recordings(tmp_path / "mine", files=3), tmp_path / "run"
    command = ["fit", str(recipe), "--corpus", str(mine), "--out", str(out)]
    assert main(command) == 0
    assert [piece.split for piece in NoteCache.load(out).pieces].count("validation") == 1
    said = capsys.readouterr().out
    assert "mine" in said
    assert "kept aside, to see when to stop: take " in said
    recipe.write_text(RECIPE.replace("steps = 2", "steps = 3"))
    assert main(command) == 0
    assert "mine" not in capsys.readouterr().out, "it was read once"
    write_performance(mine / "take 9.mid", [MidiTrack("piano", scale(60))])
    assert main(command) == 0
    assert "goes on without 1 new recording(s), such as take 9.mid" in capsys.readouterr().out


def test_one_recording_is_too_few(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = recordings(tmp_path / "mine", files=1)
    assert main(["fit", str(recipe), "--corpus", str(mine), "--out", str(tmp_path / "run")]) == 2
    assert f"{mine}: too few recordings that can be read: two are the least" in capsys.readouterr().err
    write_performance(mine / "another.mid", [MidiTrack("piano", scale(60))])
    assert main(["fit", str(recipe), "--corpus", str(mine), "--out", str(tmp_path / "run")]) == 0


def test_without_a_recipe_there_must_be_a_model(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", "--corpus", str(corpus)]) == 2
    assert "only with --init is" in capsys.readouterr().err


def test_the_recipe_for_recordings_fits_the_embedded_model() -> None:
    recipe = load_recipe(OWN_RECIPE)
    config = load_checkpoint(OWN_RECIPE.parent.parent / "models" / "pocket")[0].config
    shape = recipe.model
    assert (config.layers, config.heads, config.width, config.context) == (
        shape.layers,
        shape.heads,
        shape.width,
        shape.context,
    )


def test_what_learned_from_recordings_plays(recipe: Path, tmp_path: Path) -> None:
    first, second, bundle = (tmp_path / name for name in ("first", "second", "bundle"))
    mine = recordings(tmp_path / "mine", files=2)
    assert main(["fit", str(recipe), "--corpus", str(mine), "--out", str(first)]) == 0
    fine = ["fit", str(recipe), "--corpus", str(mine), "--out", str(second), "--init", str(first / "best")]
    assert main(fine) == 0
    assert export([str(second / "best"), "-o", str(bundle), "--music", str(second / CACHE_NAME)]) == 0
    session = OnnxSession(Bundle.load(bundle))
    assert np.isfinite(session.feed([VOCABULARY.bos, VOCABULARY.task("continue")])).all()


def test_a_missing_corpus_is_named(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = recipe.parent / "none.cache"
    assert main(["fit", str(recipe), "--corpus", str(missing), "--out", str(recipe.parent / "run")]) == 2
    assert f"{missing}: there is no note cache" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_named(recipe: Path, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = corpus / "run"
    assert main(["fit", str(recipe), "--corpus", str(corpus), "--out", str(out)]) == 2
    assert f"{out}: cannot be made (Not a directory); choose another --out" in capsys.readouterr().err


def test_a_folder_of_real_life_is_learned_by_the_command(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, out = recordings(tmp_path / "mine", files=4), tmp_path / "run"
    (mine / "take 0.mid").write_bytes(b"MThd and no more")
    for path in list(mine.iterdir()):
        (mine / f"._{path.name}").write_bytes(b"\0\5\x16\7companion")
    answer = Performance(np.array([(0.5 * number, 0.4, 30, 70, 0) for number in range(60)], NOTE))
    write_performance(mine / "take 8.mid", [MidiTrack("player", scale(50)), MidiTrack("pianod", answer)])
    assert main(["fit", str(recipe), "--corpus", str(mine), "--out", str(out)]) == 0
    assert "take 0.mid" in capsys.readouterr().out
    cache = NoteCache.load(out)
    assert sorted(piece.file for piece in cache.pieces) == [f"take {number}.mid" for number in (1, 2, 3, 8)]
    pitches = {pitch for number in range(4) for pitch in cache.performance(number).notes["pitch"].tolist()}
    assert 30 not in pitches, "what pianod played itself is not learned"
