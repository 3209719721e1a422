"""Checkpoints on disk: a folder that Hugging Face's `GPT2LMHeadModel.from_pretrained` loads as it is.

    model.safetensors   the weights under GPT-2's names, linear layers as (in, out)
    config.json         GPT-2's configuration, and under "pianod" the vocabulary's fingerprint and how it was trained

Nothing in it can execute: safetensors holds tensors only. A checkpoint may come from a stranger: no memory is taken for
a model of which the file of weights is too small to hold the weights.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from piano.errors import CheckpointError
from piano.tokens.vocabulary import VOCABULARY
from piano.whole_file import whole_file, write_whole
from train.model.gpt2 import GPT2, GPT2Config

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
_TRANSPOSED = ("c_attn.weight", "c_proj.weight", "c_fc.weight")


def save_checkpoint(
    folder: Path, model: GPT2, metadata: dict[str, Any], precision: torch.dtype = torch.float32
) -> None:
    """Write a checkpoint; each file appears whole or not at all. `metadata` must be JSON.

    `precision` is that of the weights on disk. CheckpointError if one of them is too large for it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().float().cpu().to(precision) for name, tensor in model.state_dict().items()}
    if wrong := [name for name, tensor in weights.items() if not tensor.isfinite().all()]:
        raise CheckpointError(f"{folder}: not written: {wrong[0]} holds values that are no numbers, or too large")
    tensors = {name: _turned(name, tensor) for name, tensor in weights.items()}
    with whole_file(folder / WEIGHTS) as partial:
        save_file(tensors, partial, metadata={"format": "pt"})
    config = model.config
    description = {
        "model_type": "gpt2",
        "architectures": ["GPT2LMHeadModel"],
        "vocab_size": config.vocab_size,
        "n_positions": config.context,
        "n_ctx": config.context,
        "n_embd": config.width,
        "n_layer": config.layers,
        "n_head": config.heads,
        "n_inner": 4 * config.width,
        "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-5,
        "resid_pdrop": config.dropout,
        "embd_pdrop": config.dropout,
        "attn_pdrop": config.dropout,
        "tie_word_embeddings": True,
        "bos_token_id": VOCABULARY.bos,
        "eos_token_id": VOCABULARY.end,
        "pianod": {"vocabulary": VOCABULARY.fingerprint, **metadata},
    }
    write_whole(folder / CONFIG, (json.dumps(description, indent=2) + "\n").encode())


def load_checkpoint(folder: Path, *, of_older: bool = False) -> tuple[GPT2, dict[str, Any]]:
    """Read a checkpoint; return the model and the metadata it was saved with.

    CheckpointError if a file is missing or damaged, or if the model was trained on another vocabulary. `of_older`:
    a vocabulary that has since been added to will do; the model is then of that size.
    """
    description = _read_config(folder)
    metadata = description.get("pianod")
    if not isinstance(metadata, dict):
        raise CheckpointError(f'{folder / CONFIG}: has no section "pianod": it is no checkpoint of this program')
    fingerprint, size = metadata.get("vocabulary"), description.get("vocab_size")
    is_older = of_older and isinstance(size, int) and fingerprint == VOCABULARY.fingerprint_of(size)
    if fingerprint != VOCABULARY.fingerprint and not is_older:
        raise CheckpointError(
            f"{folder}: the checkpoint speaks vocabulary {fingerprint}, this program {VOCABULARY.fingerprint}: "
            "train it again, or use the version of pianod that made it"
        )
    try:
        config = GPT2Config(
            vocab_size=int(description["vocab_size"]),
            context=int(description["n_positions"]),
            layers=int(description["n_layer"]),
            heads=int(description["n_head"]),
            width=int(description["n_embd"]),
            dropout=float(description.get("resid_pdrop", 0.0)),
        )
        _check_that_they_fit(folder, config)
        model = GPT2(config)
    except (KeyError, TypeError, ValueError, ArithmeticError, RuntimeError) as fault:
        raise CheckpointError(f"{folder / CONFIG}: not the configuration of a GPT-2 model ({fault})") from fault
    try:
        tensors = load_file(folder / WEIGHTS)
        model.load_state_dict({name: _turned(name, tensor) for name, tensor in tensors.items()})
    except (OSError, SafetensorError, RuntimeError) as fault:
        raise CheckpointError(
            f"{folder / WEIGHTS}: damaged, or not of the shape in {CONFIG}: copy it again ({fault})"
        ) from fault
    return model, metadata


def _check_that_they_fit(folder: Path, config: GPT2Config) -> None:
    """Refuse weights that the file cannot hold, at two bytes each, before any memory is taken for them."""
    per_layer = 12 * config.width**2
    fewest_bytes = 2 * (config.layers * per_layer + (config.vocab_size + config.context) * config.width)
    size = (folder / WEIGHTS).stat().st_size
    if fewest_bytes > size:
        raise CheckpointError(
            f"{folder / WEIGHTS}: damaged, or not of the shape in {CONFIG}: copy it again "
            f"({size:,} bytes, where that shape takes {fewest_bytes:,} at least)"
        )


def _read_config(folder: Path) -> dict[str, Any]:
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise CheckpointError(f"{folder}: no {name} here; a checkpoint is a folder with {CONFIG} and {WEIGHTS}")
    try:
        description = json.loads((folder / CONFIG).read_text())
    except (OSError, ValueError, RecursionError) as fault:
        raise CheckpointError(f"{folder / CONFIG}: not readable as JSON ({fault})") from fault
    if not isinstance(description, dict):
        raise CheckpointError(f"{folder / CONFIG}: not a JSON object")
    return description


def _turned(name: str, tensor: Tensor) -> Tensor:
    """Turn a linear layer between PyTorch's (out, in) and GPT-2's (in, out)."""
    return tensor.t().contiguous() if name.endswith(_TRANSPOSED) else tensor
