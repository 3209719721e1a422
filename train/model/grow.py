"""`python -m train grow CHECKPOINT OUT --layers 8 --width 512`: a larger model that begins as the same function.

Deeper: copies of layers are set in between, each after its original, with their output projections at zero, so that
they add nothing at first (Wu et al. 2024, LLaMA Pro). Wider: the residual stream, the heads and the hidden units stand
there several times, and what reads them takes a share of each (Chen et al. 2016, Net2Net). A norm over a vector that
is repeated as a whole gives what it gave, so that this is exact for whole multiples of the width and for no other. The
shares are uneven at random: were they even, the copies would be told the same and stay the same for ever.
"""

import argparse
import re
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from piano.errors import CheckpointError
from train.model.checkpoint import load_checkpoint, save_checkpoint
from train.model.gpt2 import GPT2
from train.model.warm_start import with_later_tokens

_UNEVENNESS = 0.5
"""How far a share lies from an even one, as a part of it, in standard deviations."""

_LAYER = re.compile(r"transformer\.h\.(\d+)\.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="folder of the checkpoint")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder of the larger one")
    parser.add_argument("--layers", type=int, help="as many layers, at least as many as there are")
    parser.add_argument("--width", type=int, help="as wide, a whole multiple of the width; heads keep their size")


def run(args: argparse.Namespace) -> int:
    model, metadata = load_checkpoint(args.checkpoint, of_older=True)
    model = with_later_tokens(model)
    before = model.config
    if args.width is not None:
        model = wider(model, args.width)
    if args.layers is not None:
        model = deeper(model, args.layers)
    grown_from = {"layers": before.layers, "heads": before.heads, "width": before.width}
    save_checkpoint(args.out, model, {**metadata, "grown_from": grown_from})
    shape, size = model.config, model.parameter_count() / 1e6
    print(f"{args.out}: {size:.1f} M parameters; layers = {shape.layers}, heads = {shape.heads}, width = {shape.width}")
    return 0


def deeper(model: GPT2, layers: int) -> GPT2:
    """Return the same function in more layers; CheckpointError if they would be fewer."""
    config = model.config
    if layers < config.layers:
        raise CheckpointError(f"--layers {layers}: the model has {config.layers} already, and can only grow")
    sources = [number * config.layers // layers for number in range(layers)]
    grown = GPT2(replace(config, layers=layers))
    before = model.state_dict()
    weights = {name: tensor for name, tensor in before.items() if not _LAYER.match(name)}
    for number, source in enumerate(sources):
        is_copy = number > 0 and sources[number - 1] == source
        for name, tensor in before.items():
            if name.startswith(f"transformer.h.{source}."):
                is_silent = is_copy and ".c_proj." in name
                own = _LAYER.sub(f"transformer.h.{number}.", name)
                weights[own] = torch.zeros_like(tensor) if is_silent else tensor
    grown.load_state_dict(weights)
    return grown


def wider(model: GPT2, width: int, seed: int = 0) -> GPT2:
    """Return the same function in vectors several times as wide; CheckpointError unless they are whole multiples."""
    config = model.config
    times, rest = divmod(width, config.width)
    if rest or times < 1:
        raise CheckpointError(
            f"--width {width}: no whole multiple of {config.width}: behind a norm only whole multiples stay the same"
        )
    if times == 1:
        return model
    generator = torch.Generator().manual_seed(seed)
    grown = GPT2(replace(config, width=width, heads=times * config.heads))
    weights = {}
    for name, tensor in model.state_dict().items():
        parts = 3 if ".c_attn." in name else 1  # query, key and value lie one after the other
        if name.endswith((".wte.weight", ".wpe.weight")):
            weights[name] = tensor.repeat(1, times)
        elif tensor.ndim == 1:
            repeated = tensor.view(parts, -1).repeat(1, times).flatten()
            # The head reads all copies of the last vector, each in full.
            weights[name] = repeated / times if ".ln_f." in name else repeated
        else:
            rows = tensor.view(parts, -1, tensor.shape[1]).repeat(1, times, 1).flatten(0, 1)  # (out, in)
            weights[name] = _shared(rows, times, generator)
    grown.load_state_dict(weights)
    return grown


def _shared(rows: Tensor, times: int, generator: torch.Generator) -> Tensor:
    """Share (out, in) weights unevenly among copies of what comes in: (out, times * in) with the same sums."""
    uneven = torch.randn((times, *rows.shape), generator=generator) * _UNEVENNESS
    shares = (1 + uneven - uneven.mean(0)) / times
    return (shares * rows).transpose(0, 1).flatten(1)
