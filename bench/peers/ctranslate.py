"""CTranslate2: the checkpoint through its own converter, decoding by its generator."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ctranslate2

from bench.contestant import BenchModel, some_tokens


class CTranslate:
    """Greedy generation after a prompt; milliseconds are of the whole call, less that of one token."""

    def __init__(self, matter: BenchModel) -> None:
        folder = matter.scratch / f"ctranslate2-{matter.precision}"
        if not folder.is_dir():
            _convert(matter, str(folder))
        self._generator: Any = ctranslate2.Generator(
            str(folder), device="cpu", compute_type=matter.precision, intra_threads=matter.threads, inter_threads=1
        )

    def prefill(self, tokens: Sequence[int]) -> None:
        """Read a prompt up to the first token after it."""
        self._generate(len(tokens), 1)

    def decode(self, past: int, steps: int) -> list[float]:
        """Return the mean milliseconds of the tokens after a past: the prompt's own time is taken off."""
        whole_ms = self._generate(past, steps + 1)
        return [(whole_ms - self._generate(past, 1)) / steps] * steps

    def feed(self, past: int, count: int) -> float:
        """Return the milliseconds of a prompt of tokens after a static prompt, whose cache is kept."""
        kept = {"static_prompt": _words(past), "cache_static_prompt": True}
        self._generate(count, 1, **kept)  # reads the static prompt, where it is another than the last
        return self._generate(count, 1, **kept)

    def _generate(self, past: int, count: int, **more: object) -> float:
        prompt = _words(past)
        began_ns = time.perf_counter_ns()
        self._generator.generate_batch(
            [prompt],
            max_length=count,
            min_length=count,
            beam_size=1,
            include_prompt_in_result=False,
            end_token=[],
            **more,
        )
        return (time.perf_counter_ns() - began_ns) / 1e6


def _words(count: int) -> list[str]:
    return [str(token) for token in some_tokens(count, 500)]


def _convert(matter: BenchModel, folder: str) -> None:
    """Write the checkpoint in the library's own format; its words are the tokens' numbers."""
    import torch  # here alone: decoding does without
    from ctranslate2.converters.transformers import GPT2Loader
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(matter.checkpoint, dtype=torch.float32)
    spec: Any = GPT2Loader().get_model_spec(model)
    spec.register_vocabulary([str(token) for token in range(model.config.vocab_size)])
    spec.config.bos_token = spec.config.eos_token = spec.config.unk_token = "0"
    spec.validate()
    spec.optimize(quantization=matter.precision)
    Path(folder).mkdir()
    spec.save(folder)
