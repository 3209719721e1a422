"""What cues save is told on the performances whose beats are known, row by row."""

import json
from pathlib import Path

import numpy as np
import pytest

from piano.cue_arrays import CUE
from piano.cues import BEAT, DOWNBEAT, chord, cue_name
from piano.notes import Performance
from piano.tokens.encoding import encode
from train.__main__ import main
from train.corpus.note_cache import CACHE_NAME, NoteCache, Piece
from train.evaluate.with_cues import TOLD, cues_told, with_cues
from train.model.checkpoint import save_checkpoint
from train.model.gpt2 import GPT2
from train.predictors.scoring import WindowScorer
from train.predictors.torch_predictor import TorchPredictor

CUES = np.array([(0.0, DOWNBEAT), (0.0, chord(0, "maj")), (0.5, BEAT), (1.0, BEAT), (1.0, chord(7, "7"))], CUE)


def test_a_chord_is_told_at_the_beat_before_it_sounds() -> None:
    told = [(at, cue_name(int(code))) for at, code in cues_told(CUES, "chords").tolist()]
    assert told == [(0.0, "CHORD_C:maj"), (0.5, "CHORD_G:7")]
    assert [cues_told(CUES, way).size for way in TOLD] == [0, 3, 2, 5]


def _cache(played: Performance) -> NoteCache:
    known = Performance(played.notes, played.pedals, CUES)
    return NoteCache.build([(Piece("a", "known.mid", "test"), known), (Piece("b", "bare.mid", "test"), played)])


def test_the_command_adds_a_row_for_each_way_of_telling(
    tmp_path: Path, scales: NoteCache, tiny_model: GPT2, capsys: pytest.CaptureFixture[str]
) -> None:
    _cache(scales.performance(0)).save(tmp_path / CACHE_NAME)
    save_checkpoint(tmp_path / "model", tiny_model, {})
    figures = tmp_path / "figures.json"
    target = (str(tmp_path / "model"), "--corpus", str(tmp_path), "--cues", "--json", str(figures))
    assert main(["evaluate", *target]) == 0
    rows = json.loads(figures.read_text())["baselines"]
    assert [f"told: {way}" for way in TOLD] == list(rows)
    assert {row["pieces"] for row in rows.values()} == {1}
    assert "told: beats and chords" in capsys.readouterr().out


def test_telling_nothing_costs_what_the_performance_costs(scales: NoteCache, tiny_model: GPT2) -> None:
    cache = _cache(scales.performance(0))
    scorer = WindowScorer(TorchPredictor(tiny_model))
    plain = scorer.nats(encode(cache.performance(0))).sum()
    told = [scorer.nats(one.events).sum() for one in with_cues(cache, [0, 1]) if one.row == "told: none"]
    assert told == pytest.approx([plain])


def test_without_a_model_there_is_nothing_to_tell(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["evaluate", "ngram", "--midi", str(tmp_path), "--cues"]) != 0
    assert "--cues asks for a model and for a corpus" in capsys.readouterr().err
