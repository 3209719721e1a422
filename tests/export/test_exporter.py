"""From a checkpoint to a bundle: verified, written whole or not at all, and the command line around it."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from export.__main__ import main
from export.exporter import ExportOptions, export_bundle, licences, trained_on
from export.music import music_windows, note_count
from export.verify import verify
from inference.bundle import Bundle
from inference.onnx_session import OnnxSession
from piano.errors import BundleError
from piano.midi.file import MidiTrack, write_performance
from piano.notes import NOTE, Performance
from piano.tokens.encoding import encode
from piano.tokens.vocabulary import VOCABULARY
from train.corpus.note_cache import NoteCache, Piece
from train.model.checkpoint import save_checkpoint
from train.model.gpt2 import GPT2


def scale(notes: int) -> Performance:
    made = np.zeros(notes, NOTE)
    made["onset_s"] = np.arange(notes) / 5
    made["duration_s"] = 0.15
    made["pitch"] = 40 + np.arange(notes) % 40
    made["velocity"] = 70
    return Performance(made)


def test_windows_come_from_a_cache_a_midi_file_or_nowhere(tmp_path: Path) -> None:
    cache = tmp_path / "notes.zip"
    pieces = [(Piece("d", "a", "train"), scale(9)), (Piece("d", "b", "validation"), scale(300))]
    NoteCache.build(pieces).save(cache)
    midi = tmp_path / "scale.mid"
    write_performance(midi, [MidiTrack("piano", scale(100))])
    for source, count in ((cache, 1), (midi, 3), (None, 3)):
        windows = music_windows(source, length=100, count=3)
        assert [window.size for window in windows] == [100] * count
        assert all(window[0] == VOCABULARY.bos for window in windows)
        assert all(note_count(window) > 10 for window in windows)
    assert note_count(encode(scale(9))) == 9


def test_the_command_line_exports_verifies_and_reports(
    tiny_model: GPT2, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_checkpoint(tmp_path / "checkpoint", tiny_model, {"trained_on": [{"dataset": "x", "licence": "CC0-1.0"}]})
    midi = tmp_path / "scale.mid"
    write_performance(midi, [MidiTrack("piano", scale(100))])
    bundle = tmp_path / "new" / "bundle"
    arguments = [str(tmp_path / "checkpoint"), "-o", str(bundle), "--music", str(midi), "--windows", "2"]
    for precision in ("fp32", "int8"):  # the second replaces the first
        assert main([*arguments, "--precision", precision, "--figure", "test_bits_per_note=17.5"]) == 0
        out = capsys.readouterr().out
        assert "bits per note" in out
        assert f"windows of {midi}" in out
        manifest = Bundle.load(bundle).manifest
        assert manifest.graphs[0].precision == precision
        assert manifest.figures["test_bits_per_note"] == 17.5
        assert manifest.figures["torch_bits_per_note"] > 0
        assert abs(manifest.figures["bits_per_note_change_percent"]) < 1
        prompts = ["prompt.onnx"] if precision == "int8" else []
        assert sorted(path.name for path in bundle.iterdir()) == ["manifest.json", "model.onnx", *prompts]
        assert ("with_prompts_divergence_nats_per_token" in manifest.figures) == (precision == "int8")
    assert [path.name for path in bundle.parent.iterdir()] == ["bundle"]
    assert main([str(tmp_path / "nowhere"), "-o", str(bundle)]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_the_portable_graph_is_verified_and_written_on_demand(
    tiny_model: GPT2, portable: onnx.ModelProto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("export.exporter.build_portable", lambda _: portable)
    options = ExportOptions(precision="fp32", portable=True, licence="MIT")
    found = export_bundle(tiny_model, {}, tmp_path / "both", music_windows(None, length=40, count=1), options)
    assert found.largest_logit_error < 2e-4
    manifest = Bundle.load(tmp_path / "both").manifest
    assert [graph.kind for graph in manifest.graphs] == ["fused", "portable"]
    assert (manifest.licence, manifest.trained_on) == ("MIT", "not known")
    assert b"/site-packages/" not in (tmp_path / "both" / "portable.onnx").read_bytes()


def test_an_export_that_is_not_the_model_is_refused(tiny_model: GPT2, tiny_exact_bundle: Path) -> None:
    session = OnnxSession(Bundle.load(tiny_exact_bundle))
    windows = music_windows(None, length=40, count=1)
    verify(session, tiny_model, windows, precision="fp32")
    other = GPT2(tiny_model.config)
    other.load_state_dict(tiny_model.state_dict())
    with torch.no_grad():
        other.transformer.ln_f.weight.mul_(1.5)
    for precision, what in (("fp32", "a logit is off by"), ("int8", "the distribution of the next token is off by")):
        with pytest.raises(BundleError, match=f"not the checkpoint's: {what} .* nothing was written"):
            verify(session, other, windows, precision=precision)


def test_a_model_that_has_no_numbers_is_refused_and_nothing_is_left(tiny_model: GPT2, tmp_path: Path) -> None:
    broken = GPT2(tiny_model.config)
    with torch.no_grad():
        broken.transformer.ln_f.bias.fill_(float("nan"))
    with pytest.raises(BundleError, match="answers with no numbers"):
        export_bundle(broken, {}, tmp_path / "out" / "b", music_windows(None, length=40, count=1), ExportOptions())
    assert not (tmp_path / "out").exists()


def test_a_bundle_replaces_a_bundle_and_nothing_else(tiny_model: GPT2, tmp_path: Path) -> None:
    windows = music_windows(None, length=20, count=1)
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("dear")
    (tmp_path / "file").write_text("")
    for place, message in (
        ("letters", r"holds more than a bundle \(dear\.txt\), which would be lost"),
        ("file", "no folder"),
        ("file/inside", "cannot be written"),
    ):
        with pytest.raises(BundleError, match=message):
            export_bundle(tiny_model, {}, tmp_path / place, windows, ExportOptions())
    assert (tmp_path / "letters" / "dear.txt").read_text() == "dear"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "letters"]


def test_the_manifest_says_what_it_was_trained_on(tiny_bundle: Path) -> None:
    metadata = {"trained_on": [{"dataset": "b", "licence": "L"}, {"dataset": "a", "licence": "L"}, "odd"]}
    assert (trained_on(metadata), licences(metadata)) == ("a, b", "L")
    assert (trained_on({"trained_on": 3}), licences({})) == ("not known", "not known")
    assert json.loads((tiny_bundle / "manifest.json").read_text())["tensors"]["outputs"][0] == "logits"
