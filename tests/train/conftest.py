"""What the tests of training share: performances made of a few lines of code, a small corpus, a small recipe."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from piano.notes import NOTE, PEDAL, Performance, sort_notes
from piano.tokens.vocabulary import VOCABULARY
from train.corpus.note_cache import NoteCache, Piece
from train.model.gpt2 import GPT2, GPT2Config
from train.recipe import Recipe

torch.set_num_threads(1)  # threads of a model this small only wait for each other

TINY = {"layers": 1, "heads": 2, "width": 16, "context": 64}


def random_performance(seed: int, notes: int = 120) -> Performance:
    """Return notes and pedal changes that follow no rule but those of a keyboard."""
    rng = np.random.default_rng(seed)
    made = np.zeros(notes, NOTE)
    made["onset_s"] = np.cumsum(rng.integers(0, 40, notes)) / 100
    made["duration_s"] = 0.05
    made["pitch"] = 30 + (np.arange(notes) * 7 + rng.integers(0, 7, notes)) % 60
    made["velocity"] = rng.integers(20, 110, notes)
    pedals = np.zeros(6, PEDAL)
    pedals["time_s"], pedals["down"] = np.linspace(0.1, 5, 6), np.arange(6) % 2 == 0
    return Performance(sort_notes(made), pedals)


def scale(first_pitch: int, notes: int = 160) -> Performance:
    """Return an even scale up and down, over and over: what a small model learns at once."""
    made = np.zeros(notes, NOTE)
    made["onset_s"] = np.arange(notes) * 0.2
    made["duration_s"] = 0.1
    steps = np.array([0, 2, 4, 5, 7, 9, 11, 12, 11, 9, 7, 5, 4, 2])
    made["pitch"] = first_pitch + steps[np.arange(notes) % steps.size]
    made["velocity"] = 64
    return Performance(made)


def save_random_corpus(folder: Path, pieces: int) -> Path:
    """Write a corpus of random validation pieces, some minutes each, and return its file."""
    cache = NoteCache.build(
        (Piece("maestro-v3.0.0", f"{seed}.mid", "validation"), random_performance(seed, 900)) for seed in range(pieces)
    )
    cache.save(folder / "notes.cache")
    return folder / "notes.cache"


@pytest.fixture(scope="session")
def scales() -> NoteCache:
    """Return a corpus of scales in two datasets and all three splits."""
    splits = {"train": 4, "validation": 1, "test": 2}
    pieces = [
        (Piece(dataset, f"{split}-{number}.mid", split, "Frédéric Chopin", "Scale", "MIT"), scale(48 + number))
        for dataset in ("maestro-v3.0.0", "pop909")
        for split, count in splits.items()
        for number in range(count)
    ]
    return NoteCache.build(pieces)


@pytest.fixture(scope="session")
def random_notes() -> NoteCache:
    """Return a corpus of random notes."""
    return NoteCache.build(
        (Piece("asap", f"{number}.mid", "train" if number else "validation"), random_performance(number))
        for number in range(4)
    )


def random_model(seed: int, context: int = 64, spread: float = 0.1) -> GPT2:
    """Return a model of random weights, far enough from zero that attention is not flat."""
    torch.manual_seed(seed)
    model = GPT2(GPT2Config(VOCABULARY.size, context=context, layers=2, heads=2, width=16))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * spread)
    return model.eval()


@pytest.fixture
def tiny_model() -> GPT2:
    """Return a model of random weights, not shared with other tests."""
    return random_model(3)


def recipe_content(**changes: dict[str, Any]) -> dict[str, Any]:
    """Return a recipe that runs in a second, sections updated by name."""
    content: dict[str, Any] = {
        "name": "tiny",
        "precision": "fp32",
        "compile": False,
        "model": TINY,
        "augmentation": {"transpose_semitones": 2, "tempo": 0.1, "dynamics": 0.1},
        "optimizer": {"learning_rate": 1e-2, "warmup_steps": 2},
        "batches": {"tokens": 256, "workers": 0},
        "schedule": {"steps": 6, "validate_every": 3, "validation_windows": 4, "save_every": 3},
    }
    for section, change in changes.items():
        content[section] = {**content.get(section, {}), **change}
    return content


@pytest.fixture
def make_recipe() -> Callable[..., Recipe]:
    """Return a function that makes the small recipe with some keys changed, section by section."""
    return lambda **changes: Recipe.model_validate(recipe_content(**changes))
