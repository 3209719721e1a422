"""llama.cpp through its Python package, on a GGUF file written from the checkpoint with the `gguf` package."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from bench.contestant import BenchModel
from bench.peers.one_call_a_step import OneCallAStep


class LlamaCpp(OneCallAStep):
    """llama.cpp's own evaluation, one call a step, its cache cut back by position."""

    def __init__(self, matter: BenchModel) -> None:
        path = matter.scratch / f"llama-{matter.precision}.gguf"
        if not path.is_file():
            _convert(matter.checkpoint, path, matter.precision)
        self._llama: Any = llama_cpp.Llama(
            str(path), n_ctx=0, n_threads=matter.threads, n_threads_batch=matter.threads, verbose=False
        )
        self._vocabulary = int(self._llama.n_vocab())

    def prefill(self, tokens: Sequence[int]) -> None:
        self._llama.reset()
        self._llama.eval(list(tokens))

    def _cut(self, length: int) -> int:
        kept = min(int(self._llama.n_tokens), length)
        self._llama.n_tokens = kept
        return kept

    def _take(self, tokens: Sequence[int]) -> None:
        self._llama.eval(tokens)

    def _next(self, token: int) -> int:
        self._llama.eval([token])
        return int(self._logits().argmax())

    def _logits(self) -> NDArray[np.float32]:
        pointer = llama_cpp.llama_get_logits_ith(self._llama.ctx, -1)
        return np.ctypeslib.as_array(pointer, shape=(self._vocabulary,))


def _convert(checkpoint: Path, path: Path, precision: str) -> None:
    """Write the checkpoint as GGUF; it has no vocabulary of words. Matrices are of the kind, the rest single."""
    import gguf  # here alone: decoding does without

    kind = gguf.GGMLQuantizationType[precision]
    config = json.loads((checkpoint / "config.json").read_text())
    writer = gguf.GGUFWriter(str(path), "gpt2")
    writer.add_block_count(config["n_layer"])
    writer.add_context_length(config["n_positions"])
    writer.add_embedding_length(config["n_embd"])
    writer.add_feed_forward_length(4 * config["n_embd"])
    writer.add_head_count(config["n_head"])
    writer.add_layer_norm_eps(config["layer_norm_epsilon"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_tokenizer_model("none")
    writer.add_file_type(int(gguf.LlamaFileType.ALL_F32))
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GPT2, config["n_layer"])
    for name, tensor in load_file(str(checkpoint / "model.safetensors")).items():
        stem, _, part = name.rpartition(".")
        if stem.endswith(("attn.bias", "attn.masked_bias")) or stem == "lm_head":
            continue
        array = tensor.astype(np.float32)
        if part == "weight" and stem.endswith(("c_attn", "c_proj", "c_fc")):
            array = np.ascontiguousarray(array.T)  # Hugging Face stores (in, out)
        known = names.get_name(stem) or names.get_name(f"transformer.{stem}")
        stored = kind if array.ndim == 2 and "wpe" not in name else gguf.GGMLQuantizationType.F32
        writer.add_tensor(f"{known}.{part}", gguf.quants.quantize(array, stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
