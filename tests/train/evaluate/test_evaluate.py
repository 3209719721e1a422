"""The command `evaluate`: checkpoints, bundles and n-grams in one table, on a split or on files."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from export.exporter import ExportOptions, export_bundle
from export.music import music_windows
from piano.errors import ConfigError
from piano.midi.file import MidiTrack, write_performance
from piano.tokens.encoding import TokenArray, encode
from train.__main__ import main
from train.corpus.note_cache import NoteCache
from train.evaluate.command import load_scorer
from train.model.checkpoint import load_checkpoint, save_checkpoint
from train.model.gpt2 import GPT2
from train.predictors.scoring import Tally, WindowScorer, tally_of
from train.predictors.scoring_job import ScoringJob

Evaluate = Callable[..., dict[str, object]]


@pytest.fixture
def corpus(tmp_path: Path, scales: NoteCache) -> Path:
    scales.save(tmp_path / "notes.cache")
    return tmp_path / "notes.cache"


@pytest.fixture
def checkpoint(tmp_path: Path, tiny_model: GPT2) -> Path:
    save_checkpoint(tmp_path / "model", tiny_model, {"trained_on": []})
    return tmp_path / "model"


@pytest.fixture
def bundle(tmp_path: Path, checkpoint: Path) -> Path:
    model, metadata = load_checkpoint(checkpoint)
    windows = music_windows(None, length=64, count=2)
    export_bundle(model, metadata, tmp_path / "bundle", windows, ExportOptions("fp32"))
    return tmp_path / "bundle"


@pytest.fixture
def evaluate(tmp_path: Path) -> Evaluate:
    def run(*arguments: object) -> dict[str, object]:
        out = tmp_path / "figures.json"
        assert main(["evaluate", *map(str, arguments), "--json", str(out)]) == 0
        figures: dict[str, object] = json.loads(out.read_text())
        return figures

    return run


def test_a_checkpoint_on_a_split(
    checkpoint: Path, corpus: Path, evaluate: Evaluate, scales: NoteCache, capsys: pytest.CaptureFixture[str]
) -> None:
    found = evaluate(checkpoint, "--corpus", corpus, "--split", "test")
    pieces = scales.select(split="test")
    streams = [encode(scales.performance(piece)) for piece in pieces]
    nats = sum(load_scorer(str(checkpoint)).costs(events).nats.sum() for events in streams)
    notes, tokens = sum(scales.note_counts[pieces]), sum(events.size for events in streams)
    assert (found["split"], found["notes"], found["pieces"], found["tokens"]) == ("test", notes, 4, tokens)
    assert found["bits_per_note"] == pytest.approx(nats / math.log(2) / notes)
    assert found["tokens_per_note"] == pytest.approx(tokens / notes)
    assert found["nats_per_token"] == pytest.approx(nats / tokens)
    datasets = found["datasets"]
    assert isinstance(datasets, dict)
    assert set(datasets) == {"maestro-v3.0.0", "pop909"}
    said = capsys.readouterr().out
    assert "bits/note" in said
    assert "pop909" in said


def test_the_figures_are_the_same_wherever_they_are_computed(
    checkpoint: Path, corpus: Path, evaluate: Evaluate
) -> None:
    asked = (checkpoint, "--corpus", corpus, "--split", "train", "--recall", 1)
    here = evaluate(*asked)
    assert evaluate(*asked, "--jobs", 2) == here
    assert evaluate(*asked, "--cluster", "local:2") == here


def test_what_has_been_scored_is_not_scored_again(
    checkpoint: Path, corpus: Path, evaluate: Evaluate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = tmp_path / "scored"
    asked = (checkpoint, "--corpus", corpus, "--split", "train", "--resume", listed)
    whole = evaluate(*asked)
    data = listed.read_bytes()
    starts = [place for place in range(len(data)) if data.startswith(b"\n[", place)]
    assert len(starts) == 8  # two datasets of the same four pieces
    listed.write_bytes(data[: starts[2] + 50])  # killed in the middle of the third
    scored: list[int] = []

    def counted(scorer: WindowScorer, events: TokenArray) -> Tally:
        scored.append(events.size)
        return tally_of(scorer, events)

    monkeypatch.setattr("train.predictors.scoring_job.tally_of", counted)
    assert evaluate(*asked) == whole
    assert len(scored) == 4
    assert evaluate(*asked) == whole
    assert len(scored) == 4
    evaluate(checkpoint, "--corpus", corpus, "--split", "train", "--resume", listed, "--bf16")
    assert len(scored) == 4 + 8  # another way of computing


def test_a_worker_with_another_model_refuses_it(checkpoint: Path) -> None:
    job = ScoringJob(str(checkpoint), "0" * 64)
    with pytest.raises(ConfigError, match=r"another model under this name \(checksum .*, not 000000000000\)"):
        job.open()


def test_a_bundle_costs_what_its_checkpoint_costs(checkpoint: Path, bundle: Path, scales: NoteCache) -> None:
    events = encode(scales.performance(0))
    ours, exported = (load_scorer(str(folder), batch=3).costs(events).nats for folder in (checkpoint, bundle))
    np.testing.assert_allclose(exported, ours, atol=1e-3)


def test_ngrams_stand_in_the_same_table(
    checkpoint: Path, corpus: Path, evaluate: Evaluate, capsys: pytest.CaptureFixture[str]
) -> None:
    found = evaluate(checkpoint, "--corpus", corpus, "--dataset", "pop909", "--ngram", 1, 3)
    assert found["model"] == str(checkpoint)
    baselines = found["baselines"]
    assert isinstance(baselines, dict)
    assert list(baselines) == ["ngram-1", "ngram-3"]
    assert baselines["ngram-3"]["bits_per_note"] < baselines["ngram-1"]["bits_per_note"]
    assert baselines["ngram-1"]["notes"] == found["notes"] == 320
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == [str(checkpoint), "ngram-1", "ngram-3"]
    assert [len(line.split()) for line in lines[5:]] == [7, 5, 5]


def test_an_ngram_alone_is_of_order_4(corpus: Path, evaluate: Evaluate) -> None:
    found = evaluate("ngram", "--corpus", corpus, "--limit", 1)
    assert (found["model"], found["pieces"], found["baselines"]) == ("ngram-4", 1, {})


def test_midi_files_are_measured_and_damaged_ones_left_out(
    checkpoint: Path, evaluate: Evaluate, scales: NoteCache, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    write_performance(folder / "scale.mid", [MidiTrack("piano", scales.performance(0))])
    (folder / "broken.MID").write_bytes(b"MThd")
    found = evaluate(checkpoint, "--midi", folder)
    assert (found["midi"], found["pieces"], found["notes"]) == (str(folder), 1, 160)
    said = capsys.readouterr()
    assert "left out" in said.out + said.err
    assert "broken.MID" in said.out + said.err


def test_every_fault_of_the_arguments_is_reported_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = ["ngram", "--midi", "a", "--split", "test", "--ngram", "0", "--limit", "0", "--json", "none/out.json"]
    assert main(["evaluate", *wrong]) == 2
    said = capsys.readouterr().err
    for part in ("--midi and --split", "--corpus CACHE is needed", "an order is 1", "--limit", "no such folder"):
        assert part in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none"], "neither a checkpoint"),
        (["ngram", "--split", "unheard"], "no pieces of split 'unheard'"),
        (["ngram", "--dataset", "unknown"], "no pieces of split 'test' in ['unknown']"),
    ],
)
def test_what_is_not_there_is_named(
    corpus: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["evaluate", *arguments, "--corpus", str(corpus)]) == 2
    assert message in capsys.readouterr().err


def test_a_folder_without_midi_files_is_named(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["evaluate", str(checkpoint), "--midi", str(tmp_path / "empty")]) == 2
    assert "no MIDI files in this folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"format": 99}, "format is version 99"),
        ({"vocabulary": "0123"}, "fingerprint '0123'"),
        ({"graphs": []}, "graphs: Tuple should have at least 1 item"),
        ({"shape": {"layers": 1}}, "heads: Field required"),
    ],
)
def test_a_damaged_manifest_is_refused(
    bundle: Path, corpus: Path, capsys: pytest.CaptureFixture[str], damage: dict[str, object], message: str
) -> None:
    path = bundle / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **damage}))
    assert main(["evaluate", str(bundle), "--corpus", str(corpus)]) == 2
    assert message in capsys.readouterr().err


def test_a_damaged_graph_is_refused(bundle: Path, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = next(bundle.glob("*.onnx"))
    graph.write_bytes(graph.read_bytes()[:-1])
    assert main(["evaluate", str(bundle), "--corpus", str(corpus)]) == 2
    assert f"{graph}: it is truncated" in capsys.readouterr().err
