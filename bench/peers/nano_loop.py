"""A small GPT trained the way nanoGPT trains: its recipe in our words, for the time that a step takes.

nanoGPT (github.com/karpathy/nanoGPT) is no package, so that this is no run of its code: the model is GPT-2 as its
paper and Hugging Face's page define it, and the loop has the parts that nanoGPT's README and configuration name:
random crops from one array of tokens, bfloat16 autocast, causal `scaled_dot_product_attention`, exact GELU, AdamW
with decay on matrices alone, clipping at 1, the forward pass compiled or not.
"""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from train.recipe import ModelSection


class _Layer(nn.Module):
    def __init__(self, shape: ModelSection) -> None:
        super().__init__()
        self.heads = shape.heads
        self.norm_1, self.norm_2 = nn.LayerNorm(shape.width), nn.LayerNorm(shape.width)
        self.packed, self.projected = nn.Linear(shape.width, 3 * shape.width), nn.Linear(shape.width, shape.width)
        self.mlp = nn.Sequential(
            nn.Linear(shape.width, 4 * shape.width), nn.GELU(), nn.Linear(4 * shape.width, shape.width)
        )

    def forward(self, x: Tensor) -> Tensor:
        batch, time, width = x.shape
        parts = self.packed(self.norm_1(x)).split(width, dim=2)
        query, key, value = (part.view(batch, time, self.heads, -1).transpose(1, 2) for part in parts)
        y = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.projected(y.transpose(1, 2).reshape(batch, time, width))
        out: Tensor = x + self.mlp(self.norm_2(x))
        return out


class SmallGPT(nn.Module):
    """Tied embeddings, learned positions, pre-norm layers."""

    def __init__(self, shape: ModelSection, vocabulary: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, shape.width)
        self.positions = nn.Embedding(shape.context, shape.width)
        self.layers = nn.Sequential(*(_Layer(shape) for _ in range(shape.layers)))
        self.norm = nn.LayerNorm(shape.width)
        for parameter in self.parameters():
            if parameter.ndim == 2:
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * shape.layers))

    def forward(self, tokens: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cost in nats."""
        x = self.tokens(tokens) + self.positions(torch.arange(tokens.shape[1], device=tokens.device))
        logits = functional.linear(self.norm(self.layers(x)), self.tokens.weight)
        return functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


class NanoLoop:
    """The model, its optimizer and its batches; a call of `step` is one step."""

    def __init__(
        self, shape: ModelSection, tokens: NDArray[np.uint16], batch_tokens: int, vocabulary: int, *, compiled: bool
    ) -> None:
        self._tokens, self._window = tokens, shape.context
        self._count = batch_tokens // shape.context
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._chance = np.random.default_rng(0)
        model = SmallGPT(shape, vocabulary).to(self._device)
        matrices = [parameter for parameter in model.parameters() if parameter.ndim == 2]
        vectors = [parameter for parameter in model.parameters() if parameter.ndim < 2]
        groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
        self._optimizer = torch.optim.AdamW(groups, lr=6e-4, betas=(0.9, 0.95), fused=self._device.type == "cuda")
        self._parameters = [*model.parameters()]
        self._model: Any = torch.compile(model) if compiled else model

    def step(self) -> float:
        """Take one step and return its loss."""
        starts = self._chance.integers(0, self._tokens.size - self._window - 1, self._count)
        inputs, targets = self._crops(starts), self._crops(starts + 1)
        with torch.autocast(self._device.type, torch.bfloat16):
            loss = self._model(inputs, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._parameters, 1.0)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return float(loss.detach())

    def _crops(self, starts: NDArray[np.int64]) -> Tensor:
        """Return windows of the tokens, (windows, time)."""
        crops = [self._tokens[start : start + self._window].astype(np.int64) for start in starts]
        return torch.from_numpy(np.stack(crops)).to(self._device)
