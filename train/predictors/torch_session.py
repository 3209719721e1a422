"""A checkpoint as a session: what answers to tasks are sampled from while a model is still being trained."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from piano.session import Logits
from train.model.checkpoint import load_checkpoint
from train.model.gpt2 import GPT2, Attention, Block


class TorchSession:
    """A stream in a model of PyTorch on the CPU, its keys and values kept. See `piano.session.Session`."""

    def __init__(self, model: GPT2) -> None:
        self.context, self.length = model.config.context, 0
        self._vocabulary = model.config.vocab_size
        self._model = model.eval()
        self._blocks = [block for block in model.transformer.h if isinstance(block, Block)]
        room = (2, model.config.heads, model.config.context, model.config.width // model.config.heads)
        self._cache = torch.zeros(model.config.layers, *room)  # (layer, key or value, head, time, dim)

    @classmethod
    def load(cls, folder: Path) -> "TorchSession":
        """Load a checkpoint; CheckpointError if it is damaged or foreign."""
        return cls(load_checkpoint(folder)[0])

    def feed(self, tokens: Sequence[int]) -> Logits:
        """Append tokens and return the logits of what follows the last one, (vocabulary,)."""
        fed = np.asarray(tokens, np.int32)
        if not fed.size or self.length + fed.size > self.context:
            raise ValueError(f"{fed.size} tokens cannot follow {self.length} in a context of {self.context}")
        if fed.min() < 0 or fed.max() >= self._vocabulary:
            raise ValueError(f"a token is 0 to {self._vocabulary - 1}, not {fed.min()} or {fed.max()}")
        logits = self._feed(fed)
        self.length += fed.size
        return logits

    def rollback(self, length: int) -> None:
        if not 0 <= length <= self.length:
            raise ValueError(f"a session of {self.length} tokens rolls back to 0 to {self.length}, not {length}")
        self.length = length

    def reset(self) -> None:
        self.length = 0

    @torch.inference_mode()
    def _feed(self, tokens: NDArray[np.int32]) -> Logits:
        """Append tokens, at least one, which are good and have room; the length is counted by who calls."""
        transformer = self._model.transformer
        positions = torch.arange(self.length, self.length + tokens.size)
        x = transformer.wte(torch.from_numpy(tokens)) + transformer.wpe(positions)  # (time, width)
        for block, cache in zip(self._blocks, self._cache, strict=True):
            x = x + self._attend(block.attn, block.ln_1(x), cache)
            x = x + block.mlp(block.ln_2(x))
        logits: Logits = functional.linear(transformer.ln_f(x[-1]), transformer.wte.weight).numpy()
        return logits

    def _attend(self, attention: Attention, x: Tensor, cache: Tensor) -> Tensor:
        """Attend from new positions, (time, width), to all so far, whose keys and values are kept."""
        time, total = x.shape[0], self.length + x.shape[0]
        query, key, value = attention.c_attn(x).view(time, 3, attention.heads, -1).permute(1, 2, 0, 3)
        cache[0, :, self.length : total], cache[1, :, self.length : total] = key, value
        seen = torch.arange(total) <= torch.arange(self.length, total)[:, None]  # (time, total)
        y = functional.scaled_dot_product_attention(query, cache[0, :, :total], cache[1, :, :total], attn_mask=seen)
        out: Tensor = attention.c_proj(y.transpose(0, 1).reshape(time, -1))
        return out
