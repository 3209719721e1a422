"""The execution providers by preference, and what each is told: the part of ONNX Runtime's options that is a choice.

TensorRT makes an engine of the graph, which takes minutes: it is kept in the user's cache folder, beside the timings
that went into it. Only TensorRT can compute a graph of single precision in half; where its or CUDA's libraries are
missing, ONNX Runtime leaves the provider out without an error.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

AUTO = "auto"
"""The name in settings of the best provider there is."""

PROVIDERS = {"tensorrt": "TensorrtExecutionProvider", "cuda": "CUDAExecutionProvider", "cpu": "CPUExecutionProvider"}
"""The providers by the names that settings use, in order of preference."""

CPU = PROVIDERS["cpu"]


def engine_folder() -> Path:
    """Return where engines are kept: in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "pianod" / "engines"


def with_options(names: Sequence[str], *, half: bool) -> list[tuple[str, dict[str, Any]]]:
    """Return the providers to ask for, each with what it is told; the CPU comes last, whether it is named or not."""
    return [(name, _options(name, half=half)) for name in dict.fromkeys([*names, CPU])]


def _options(name: str, *, half: bool) -> dict[str, Any]:
    if name == PROVIDERS["tensorrt"]:
        folder = engine_folder()
        folder.mkdir(parents=True, exist_ok=True)
        return {
            "trt_engine_cache_enable": True,
            "trt_engine_cache_path": str(folder),
            "trt_timing_cache_enable": True,
            "trt_timing_cache_path": str(folder),
            "trt_fp16_enable": half,
        }
    if name == PROVIDERS["cuda"]:
        return {"cudnn_conv_algo_search": "HEURISTIC", "do_copy_in_default_stream": True}
    return {}
