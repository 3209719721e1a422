"""Optimum's ONNX Runtime model: its own export of the checkpoint, decoding by `generate`.

It pins an older transformers, and so lives in an environment of its own.
"""

from collections.abc import Sequence
from typing import Any

import onnxruntime
import torch
from optimum.onnxruntime import ORTModelForCausalLM

from bench.contestant import CannotError, Matter
from bench.peers.hugging_face import HuggingFace


class OptimumOrt(HuggingFace):
    """The same calls as Hugging Face's, over a graph in ONNX Runtime."""

    def _load(self, matter: Matter) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = matter.threads
        options.log_severity_level = 3
        folder = matter.scratch / "optimum"
        made = folder.is_dir()
        source = folder if made else matter.checkpoint
        model: Any = ORTModelForCausalLM.from_pretrained(
            source, export=not made, session_options=options, use_io_binding=False, provider="CPUExecutionProvider"
        )
        if not made:
            model.save_pretrained(folder)
        return model

    def prefill(self, tokens: Sequence[int]) -> None:
        """Read tokens with an empty cache."""
        fed = torch.tensor([list(tokens)])
        self._model(fed, attention_mask=torch.ones_like(fed), use_cache=True)

    def feed(self, past: int, count: int) -> float:
        """Refuse: its call takes a cache of its own making only, one token at a time."""
        raise CannotError(f"its model takes one token after a past of {past}, not {count}")
