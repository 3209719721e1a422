"""A checkpoint as a session: what answers to tasks are sampled from while a model is still being trained."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from piano.session import Logits
from train.checkpoint import load_checkpoint
from train.gpt2 import GPT2, Attention, Block


class TorchSession:
    """A stream in a model of PyTorch on the CPU, its keys and values kept. See `piano.session.Session`."""

    def __init__(self, model: GPT2) -> None:
        self._model, self.context, self.length = model.eval(), model.config.context, 0
        self._blocks = [block for block in model.transformer.h if isinstance(block, Block)]
        room = (2, model.config.heads, model.config.context, model.config.width // model.config.heads)
        self._cache = torch.zeros(model.config.layers, *room)  # (layer, key or value, head, time, dim)

    @classmethod
    def load(cls, folder: Path) -> "TorchSession":
        """Load a checkpoint; CheckpointError if it is damaged or foreign."""
        return cls(load_checkpoint(folder)[0])

    @torch.inference_mode()
    def feed(self, tokens: Sequence[int]) -> Logits:
        """Append tokens and return the logits of what follows the last one, (vocabulary,)."""
        count, size = len(tokens), self._model.config.vocab_size
        if not count or self.length + count > self.context:
            raise ValueError(f"{count} tokens cannot follow {self.length} in a context of {self.context}")
        if min(tokens) < 0 or max(tokens) >= size:
            raise ValueError(f"a token is 0 to {size - 1}, not {min(tokens)} or {max(tokens)}")
        transformer = self._model.transformer
        positions = torch.arange(self.length, self.length + count)
        x = transformer.wte(torch.tensor(tokens)) + transformer.wpe(positions)  # (time, width)
        for block, cache in zip(self._blocks, self._cache, strict=True):
            x = x + self._attend(block.attn, block.ln_1(x), cache)
            x = x + block.mlp(block.ln_2(x))
        self.length += count
        logits: Logits = functional.linear(transformer.ln_f(x[-1]), transformer.wte.weight).numpy()
        return logits

    def rollback(self, length: int) -> None:
        """Forget all but the first `length` tokens."""
        if not 0 <= length <= self.length:
            raise ValueError(f"a session of {self.length} tokens rolls back to 0 to {self.length}, not {length}")
        self.length = length

    def reset(self) -> None:
        """Forget everything."""
        self.length = 0

    def _attend(self, attention: Attention, x: Tensor, cache: Tensor) -> Tensor:
        """Attend from new positions, (time, width), to all so far, whose keys and values are kept."""
        time, total = x.shape[0], self.length + x.shape[0]
        query, key, value = attention.c_attn(x).view(time, 3, attention.heads, -1).permute(1, 2, 0, 3)
        cache[0, :, self.length : total], cache[1, :, self.length : total] = key, value
        seen = torch.arange(total) <= torch.arange(self.length, total)[:, None]  # (time, total)
        y = functional.scaled_dot_product_attention(query, cache[0, :, :total], cache[1, :, :total], attn_mask=seen)
        out: Tensor = attention.c_proj(y.transpose(0, 1).reshape(time, -1))
        return out
