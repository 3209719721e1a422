"""GPT-2 (Radford et al. 2019) for training: pre-LN, learned positions, tanh-GELU, tied head.

Module names follow Hugging Face's `GPT2LMHeadModel`; `train.model.checkpoint` turns the linear layers into its layout.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from train.model.causal_attention import ATTENTION_BLOCK, causal_attention_by_blocks
from train.model.gelu import gelu_in_16_bits
from train.model.token_cost import summed_cost


@dataclass(frozen=True, slots=True)
class GPT2Config:
    """The shape of a model. `context` is the number of positions, in tokens; `width` a multiple of `heads`."""

    vocab_size: int
    context: int
    layers: int
    heads: int
    width: int
    dropout: float = 0.0


class Attention(nn.Module):
    """Causal multi-head self-attention."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        self.heads, self.dropout = config.heads, config.dropout
        self.c_attn = nn.Linear(config.width, 3 * config.width)
        self.c_proj = nn.Linear(config.width, config.width)

    def forward(self, x: Tensor) -> Tensor:
        batch, time, width = x.shape
        query, key, value = self.c_attn(x).view(batch, time, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        dropout = self.dropout if self.training else 0.0
        if x.device.type == "cpu" and self.training and not dropout and time % ATTENTION_BLOCK == 0:
            y = causal_attention_by_blocks(query, key, value)
        else:
            y = functional.scaled_dot_product_attention(query, key, value, is_causal=True, dropout_p=dropout)
        y = self.c_proj(y.transpose(1, 2).reshape(batch, time, width))
        return functional.dropout(y, dropout, self.training)


class MLP(nn.Module):
    """The position-wise network of a block."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        self.dropout = config.dropout
        self.c_fc = nn.Linear(config.width, 4 * config.width)
        self.c_proj = nn.Linear(4 * config.width, config.width)

    def forward(self, x: Tensor) -> Tensor:
        y = self.c_fc(x)
        is_slow = self.training and y.device.type == "cpu" and y.dtype == torch.bfloat16
        if is_slow and not torch.compiler.is_compiling():
            y = gelu_in_16_bits(y)
        else:
            y = functional.gelu(y, approximate="tanh")
        y = self.c_proj(y)
        return functional.dropout(y, self.dropout, self.training)


class Block(nn.Module):
    """One layer: attention and MLP, each behind its norm and around a residual."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.width)
        self.attn = Attention(config)
        self.ln_2 = nn.LayerNorm(config.width)
        self.mlp = MLP(config)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.ln_1(x))
        out: Tensor = x + self.mlp(self.ln_2(x))
        return out


class Transformer(nn.Module):
    """Embeddings, layers and the last norm."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        self.dropout = config.dropout
        self.wte = nn.Embedding(config.vocab_size, config.width)
        self.wpe = nn.Embedding(config.context, config.width)
        self.h = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.ln_f = nn.LayerNorm(config.width)

    def forward(self, tokens: Tensor, positions: Tensor) -> Tensor:
        """Map tokens (batch, time) at positions (time,) or (batch, time) to (batch, time, width)."""
        x = functional.dropout(self.wte(tokens) + self.wpe(positions), self.dropout, self.training)
        for block in self.h:
            x = block(x)
        out: Tensor = self.ln_f(x)
        return out


class GPT2(nn.Module):
    """The language model: tokens in, logits over the next token out; the head is the token embedding.

    `compiled`, if there is one, stands for the layers while training.
    """

    compiled: Callable[[Tensor, Tensor], Tensor] | None

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        if config.width % config.heads:
            raise ValueError(f"a width of {config.width} cannot be shared by {config.heads} heads")
        self.config, self.compiled = config, None
        self.transformer = Transformer(config)
        self.apply(self._initialise)
        for name, parameter in self.named_parameters():
            if name.endswith("c_proj.weight"):
                nn.init.normal_(parameter, std=0.02 / (2 * config.layers) ** 0.5)

    @staticmethod
    def _initialise(module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)

    def forward(
        self, tokens: Tensor, positions: Tensor | None = None, asked: tuple[Tensor, Tensor] | None = None
    ) -> Tensor:
        """Map tokens (batch, time) to logits (batch, time, vocab), or to what targets cost in all: see `summed_cost`.

        Positions are (time,) or (batch, time) and count from 0 unless given. `asked` are the rows of all windows, laid
        end to end, that have a target, and their targets.
        """
        if positions is None:
            positions = torch.arange(tokens.shape[1], device=tokens.device)
        layers = self.compiled if self.compiled and self.training else self.transformer
        hidden = layers(tokens, positions)
        return functional.linear(hidden, self.head_weight()) if asked is None else self.cost(hidden, *asked)

    def cost(self, hidden: Tensor, rows: Tensor, targets: Tensor) -> Tensor:
        """Return what the targets at some rows of (batch, time, width) cost in all, in nats."""
        return summed_cost(hidden.flatten(0, -2), self.head_weight(), rows, targets)

    def head_weight(self) -> Tensor:
        """Return the weights that make logits, (vocab, width)."""
        return self.transformer.wte.weight

    def parameter_count(self) -> int:
        """Return the number of trained values."""
        return sum(parameter.numel() for parameter in self.parameters())
