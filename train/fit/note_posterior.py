"""`python -m train note-posterior`: the small network that tells how far notes were moved when they were read.

It sees performances of the training split with noise that is drawn anew each time, and learns the classes of
`piano.tasks.note_posterior`. Some minutes of one core are enough. On one core, single precision.
"""

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from piano.events import HIGHEST_PITCH, LOWEST_PITCH
from piano.notes import NoteArray
from piano.tasks.note_noise import NoteNoise
from piano.tasks.note_posterior import (
    FARTHEST_SEMITONES,
    FEATURES,
    ONSET_EDGES,
    PITCH_CLASSES,
    WEIGHTS,
    Floats,
    features,
)
from piano.tasks.repair_tasks import ONSET_MARGIN_S, ONSET_NOISE_S, PITCH_NOISE_SEMITONES
from train.corpus.note_cache import NoteCache

WIDTH = 128
WINDOW_S = 25.0
WINDOWS = 5
"""How many stretches of music make a batch."""

RATE, WEIGHT_DECAY, WARM_UP = 2e-3, 0.02, 100
POP_SHARE = 0.2

_TIMES = ONSET_EDGES.size - 1
_NOT_ASKED = -100

Rng = np.random.Generator


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--corpus", type=Path, required=True, help="the note cache that `prepare` wrote")
    parser.add_argument("--minutes", type=float, default=25.0, help="how long to train (default: %(default)g)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="the file to write (default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Train, tell the cost each minute, and write the weights; return the exit status."""
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    rng = np.random.default_rng(args.seed)
    cache = NoteCache.load(args.corpus)
    pieces = [cache.select("train", [name]) for name in ("maestro-v3.0.0", "pop909")]
    network = nn.Sequential(
        nn.Linear(FEATURES, WIDTH), nn.GELU(), nn.Linear(WIDTH, WIDTH), nn.GELU(),
        nn.Linear(WIDTH, _TIMES + PITCH_CLASSES),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=WEIGHT_DECAY)
    begun = told = time.monotonic()
    step = 0
    while (share := (time.monotonic() - begun) / (60 * args.minutes)) < 1:
        stretches = [_stretch(cache, pieces[int(rng.random() < POP_SHARE)], rng) for _ in range(WINDOWS)]
        cost = _cost(network, [notes for notes in stretches if notes.size], rng)
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, step / WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * share)) + 1e-6
        optimizer.zero_grad()
        cost.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        step += 1
        if time.monotonic() - told > 60:
            told = time.monotonic()
            print(f"step {step}: {cost.item():.4f} nats")
    weights: dict[str, Floats] = {}
    for place, layer in enumerate(layer for layer in network if isinstance(layer, nn.Linear)):
        weights[f"layer_{2 * place}"] = layer.weight.detach().numpy().T.astype(np.float16)
        weights[f"layer_{2 * place + 1}"] = layer.bias.detach().numpy().astype(np.float16)
    np.savez_compressed(args.out, allow_pickle=False, **weights)
    print(f"{args.out}: {step} steps")
    return 0


def _stretch(cache: NoteCache, pieces: list[int], rng: Rng) -> NoteArray:
    """Return some seconds of a piece, in another key and at another speed."""
    notes = cache.performance(pieces[int(rng.integers(len(pieces)))]).notes
    start_s = notes["onset_s"][rng.integers(notes.size)]
    first, end = np.searchsorted(notes["onset_s"], [start_s, start_s + WINDOW_S])
    cut = notes[first:end].copy()
    cut["pitch"] = np.clip(cut["pitch"].astype(np.int64) + rng.integers(-3, 4), LOWEST_PITCH, HIGHEST_PITCH)
    speed = rng.uniform(0.9, 1.1)
    cut["onset_s"] *= speed
    cut["duration_s"] *= speed
    return cut


def drawn_noise(rng: Rng) -> NoteNoise:
    """Return a noise of one of the kinds that are cleaned: of time, of lengths too, of pitches, of all."""
    kind, onset_s = rng.random(), ONSET_NOISE_S
    if rng.random() < 0.6:
        onset_s = float(np.exp(rng.uniform(np.log(0.008), np.log(0.33))))
    semitones = float(rng.uniform(1, 6)) if rng.random() < 0.4 else PITCH_NOISE_SEMITONES
    if kind < 0.4:
        return NoteNoise(onset_s=onset_s)
    if kind < 0.6:
        return NoteNoise(onset_s=onset_s, length_s=onset_s)
    if kind < 0.8:
        return NoteNoise(pitch=semitones)
    return NoteNoise(onset_s=onset_s, length_s=onset_s, pitch=semitones)


def read_through(notes: NoteArray, noise: NoteNoise, rng: Rng) -> NoteArray:
    """Return notes as they are read through a noise, in their order."""
    read = notes.copy()
    if noise.onset_s:
        read["onset_s"] += np.clip(rng.normal(0, noise.onset_s, notes.size), -ONSET_MARGIN_S, ONSET_MARGIN_S)
    if noise.length_s:
        read["duration_s"] = np.maximum(read["duration_s"] + rng.normal(0, noise.length_s, notes.size), 0.01)
    if noise.pitch:
        blurred = np.rint(read["pitch"] + rng.normal(0, noise.pitch, notes.size))
        read["pitch"] = np.clip(blurred, LOWEST_PITCH, HIGHEST_PITCH)
    return read


def _cost(network: nn.Module, stretches: list[NoteArray], rng: Rng) -> Tensor:
    """Return the mean cost of the classes of time and of pitch, in nats."""
    shown: list[Floats] = []
    times: list[NDArray[np.int64]] = []
    pitches: list[NDArray[np.int64]] = []
    for notes in stretches:
        noise = drawn_noise(rng)
        read = read_through(notes, noise, rng)
        shown.append(features(read, noise))
        nothing = np.full(notes.size, _NOT_ASKED)
        moved = (notes["onset_s"] - read["onset_s"]) / (noise.onset_s or 1.0)
        times.append(np.clip(np.searchsorted(ONSET_EDGES, moved) - 1, 0, _TIMES - 1) if noise.onset_s else nothing)
        missed = notes["pitch"].astype(np.int64) - read["pitch"] + FARTHEST_SEMITONES
        pitches.append(np.clip(missed, 0, PITCH_CLASSES - 1) if noise.pitch else nothing)
    found = network(torch.from_numpy(np.concatenate(shown)))
    parts = zip((found[:, :_TIMES], found[:, _TIMES:]), (times, pitches), strict=True)
    targets = [(logits, torch.from_numpy(np.concatenate(wanted))) for logits, wanted in parts]
    costs = [functional.cross_entropy(logits, wanted) for logits, wanted in targets if bool((wanted >= 0).any())]
    return torch.stack(costs).sum()
