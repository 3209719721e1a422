"""A checkpoint as a predictor of windows, on a GPU where there is one."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from train.model.checkpoint import load_checkpoint
from train.model.gpt2 import GPT2


class TorchPredictor:
    """A model of PyTorch in evaluation; `bf16` is faster where the processor has it, and off by a few thousandths."""

    def __init__(self, model: GPT2, *, bf16: bool = False) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model, self.bf16 = model.to(self.device).eval(), bf16

    @classmethod
    def load(cls, folder: Path, *, bf16: bool = False) -> "TorchPredictor":
        """Load a checkpoint; CheckpointError if it is damaged or foreign."""
        return cls(load_checkpoint(folder)[0], bf16=bf16)

    @property
    def context(self) -> int:
        return self.model.config.context

    @torch.inference_mode()
    def logits(self, tokens: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the logits of what follows some of the tokens, see `train.predictors.scoring.Predictor`."""
        positions = torch.arange(tokens.shape[1], device=self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            hidden = self.model.transformer(torch.from_numpy(tokens).to(self.device), positions).flatten(0, 1)
            kept = hidden[torch.from_numpy(rows).to(self.device)]  # (rows, width)
            wanted = functional.linear(kept, self.model.transformer.wte.weight)
        logits: NDArray[np.float32] = wanted.float().cpu().numpy()
        return logits
