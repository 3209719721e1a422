"""GPT-2 in PyTorch without compilation, with a cache of fixed place: what a careful programmer writes in an hour."""

import time
from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

from bench.contestant import BenchModel, some_tokens
from train.model.checkpoint import load_checkpoint


class TorchEager:
    """The trainer's own modules, layer by layer, over keys and values that are kept."""

    def __init__(self, matter: BenchModel) -> None:
        torch.set_num_threads(matter.threads)
        torch.set_grad_enabled(False)
        self._model = load_checkpoint(matter.checkpoint)[0].eval()
        config = self._model.config
        shape = (1, config.heads, config.context, config.width // config.heads)
        self._cache = [(torch.zeros(shape), torch.zeros(shape)) for _ in range(config.layers)]
        self._length = 0

    def prefill(self, tokens: Sequence[int]) -> None:
        self._length = 0
        self._read(tokens)

    def decode(self, past: int, steps: int) -> list[float]:
        self._hold(past)
        token, taken = 7, []
        for _ in range(steps):
            began_ns = time.perf_counter_ns()
            token = int(self._read([token]).argmax())
            taken.append((time.perf_counter_ns() - began_ns) / 1e6)
        return taken

    def feed(self, past: int, count: int) -> float:
        self._hold(past)
        tokens = some_tokens(count, self._model.config.vocab_size)
        began_ns = time.perf_counter_ns()
        self._read(tokens)
        return (time.perf_counter_ns() - began_ns) / 1e6

    def _hold(self, past: int) -> None:
        self._length = min(self._length, past)
        missing = some_tokens(past, self._model.config.vocab_size)[self._length :]
        if missing:
            self._read(missing)

    def _read(self, tokens: Sequence[int]) -> Any:
        """Return the logits after the last of the tokens, (vocabulary,)."""
        body: Any = self._model.transformer
        start, end = self._length, self._length + len(tokens)
        x = body.wte(torch.tensor([tokens])) + body.wpe(torch.arange(start, end))  # (1, n, width)
        ahead = None
        if len(tokens) > 1:
            ahead = torch.arange(end)[None, :] <= torch.arange(start, end)[:, None]
        for block, (keys, values) in zip(body.h, self._cache, strict=True):
            normed = block.ln_1(x)
            split = block.attn.c_attn(normed).view(1, len(tokens), 3, block.attn.heads, -1).permute(2, 0, 3, 1, 4)
            keys[:, :, start:end], values[:, :, start:end] = split[1], split[2]
            y = functional.scaled_dot_product_attention(split[0], keys[:, :, :end], values[:, :, :end], ahead)
            x = x + block.attn.c_proj(y.transpose(1, 2).reshape(1, len(tokens), -1))
            x = x + block.mlp(block.ln_2(x))
        self._length = end
        return functional.linear(body.ln_f(x[0, -1]), body.wte.weight)
