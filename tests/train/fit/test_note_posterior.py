"""The network that cleans notes is trained: what it writes is what cleaning reads."""

from pathlib import Path

import numpy as np
import pytest

from piano.notes import NOTE
from piano.tasks import note_posterior
from piano.tasks.note_noise import NoteNoise
from train.fit.note_posterior import drawn_noise, read_through


def test_noise_is_of_every_kind_and_keeps_the_order() -> None:
    rng = np.random.default_rng(0)
    drawn = [drawn_noise(rng) for _ in range(200)]
    assert {(bool(one.onset_s), bool(one.length_s), bool(one.pitch)) for one in drawn} == {
        (True, False, False), (True, True, False), (False, False, True), (True, True, True),
    }  # fmt: skip
    notes = np.zeros(50, NOTE)
    notes["pitch"], notes["duration_s"] = np.arange(30, 80), 0.5
    read = read_through(notes, NoteNoise(onset_s=0.1), rng)
    assert read["pitch"].tolist() == notes["pitch"].tolist()
    assert 0.05 < np.std(read["onset_s"]) < 0.2


def test_the_weights_that_are_shipped_fit_the_features() -> None:
    with np.load(note_posterior.WEIGHTS) as stored:
        shapes = [stored[f"layer_{place}"].shape for place in range(len(stored.files))]
    assert shapes[0][0] == note_posterior.FEATURES
    assert shapes[-1] == (note_posterior.ONSET_EDGES.size - 1 + note_posterior.PITCH_CLASSES,)
    assert Path(note_posterior.WEIGHTS).stat().st_size < 1_000_000


def test_no_notes_have_no_posterior() -> None:
    told = note_posterior.note_posterior(np.zeros(0, NOTE), NoteNoise(onset_s=0.1))
    assert told.onsets.shape == (0, note_posterior.ONSET_EDGES.size - 1)
    assert told.pitches.shape == (0, note_posterior.PITCH_CLASSES)
    with pytest.raises(ValueError, match="pitch"):
        NoteNoise(pitch=float("inf"))
