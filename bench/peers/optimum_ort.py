"""Optimum's ONNX Runtime model: its own export of the checkpoint, decoding by `generate`.

It pins an older transformers, and so lives in an environment of its own.
"""

import time
from collections.abc import Sequence
from typing import Any

import onnxruntime
import torch
from optimum.onnxruntime import ORTModelForCausalLM

from bench.contestant import BenchModel, some_tokens
from bench.peers.hugging_face import HuggingFace


class OptimumOrt(HuggingFace):
    """The same calls as Hugging Face's, over a graph in ONNX Runtime."""

    def _load(self, matter: BenchModel) -> Any:
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
        """Return the milliseconds of tokens that are fed at once after a past, whose cache it handed out."""
        tokens = torch.tensor([some_tokens(past + count, self._vocabulary)])
        mask, places = torch.ones_like(tokens), torch.arange(past, past + count)[None]
        held = self._model(tokens[:, :past], attention_mask=mask[:, :past], use_cache=True).past_key_values
        fed = tokens[:, past:]
        began_ns = time.perf_counter_ns()
        self._model(fed, attention_mask=mask, past_key_values=held, position_ids=places, use_cache=True)
        return (time.perf_counter_ns() - began_ns) / 1e6
