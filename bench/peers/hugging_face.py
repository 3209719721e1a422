"""Hugging Face's GPT-2, decoding by its own `generate`."""

import time
from collections.abc import Sequence
from typing import Any

import torch
from transformers import AutoModelForCausalLM, DynamicCache

from bench.contestant import BenchModel, some_tokens


class HuggingFace:
    """`generate`, greedy, with its cache; milliseconds are of the whole call, less that of one token."""

    def __init__(self, matter: BenchModel) -> None:
        torch.set_num_threads(matter.threads)
        torch.set_grad_enabled(False)
        self._model: Any = self._load(matter)
        self._vocabulary = int(self._model.config.vocab_size)

    def _load(self, matter: BenchModel) -> Any:
        model: Any = AutoModelForCausalLM.from_pretrained(matter.checkpoint, dtype=torch.float32)
        return model.eval()

    def prefill(self, tokens: Sequence[int]) -> None:
        """Read tokens with an empty cache."""
        self._model(torch.tensor([list(tokens)]), use_cache=True, logits_to_keep=1)

    def decode(self, past: int, steps: int) -> list[float]:
        """Return the mean milliseconds of the tokens after a past: the prompt's own time is taken off."""
        whole_ms = self._generate(past, steps + 1)
        return [(whole_ms - self._generate(past, 1)) / steps] * steps

    def feed(self, past: int, count: int) -> float:
        cache = DynamicCache(config=self._model.config)
        tokens = some_tokens(past + count, self._vocabulary)
        self._model(torch.tensor([tokens[:past]]), past_key_values=cache, use_cache=True)
        fed = torch.tensor([tokens[past:]])
        began_ns = time.perf_counter_ns()
        self._model(fed, past_key_values=cache, use_cache=True, logits_to_keep=1)
        return (time.perf_counter_ns() - began_ns) / 1e6

    def _generate(self, past: int, count: int) -> float:
        prompt = torch.tensor([some_tokens(past, self._vocabulary)])
        began_ns = time.perf_counter_ns()
        self._model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            max_new_tokens=count,
            min_new_tokens=count,
            do_sample=False,
            pad_token_id=0,
        )
        return (time.perf_counter_ns() - began_ns) / 1e6
