"""Providers: chosen by preference, told where engines are kept, left with one line where a library is missing."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from loguru import logger

from inference.bundle import Bundle
from inference.graph_runner import load_runner
from inference.manifest import PORTABLE
from inference.providers import CPU, PROVIDERS, engine_folder, with_options

TENSORRT, CUDA = PROVIDERS["tensorrt"], PROVIDERS["cuda"]


class FakeRuntime:
    """ONNX Runtime's session where the libraries of some providers are there, and of others are not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, offered: list[str], works: list[str]) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        real = ort.InferenceSession

        def session(graph: bytes, options: Any, providers: list[tuple[str, dict[str, Any]]]) -> Any:
            self.asked = providers
            inner = real(graph, options, providers=[CPU])
            used = [name for name, _ in providers if name in works]
            return SimpleNamespace(
                get_providers=lambda: used, get_inputs=inner.get_inputs, get_outputs=inner.get_outputs
            )

        monkeypatch.setattr("onnxruntime.InferenceSession", session)
        monkeypatch.setattr("onnxruntime.get_available_providers", lambda: offered)


@pytest.fixture
def bundle(tiny_bundle: Path) -> Bundle:
    """Return a bundle whose graph says that it is the portable one."""
    loaded = Bundle.load(tiny_bundle)
    graphs = tuple(replace(graph, kind=PORTABLE) for graph in loaded.manifest.graphs)
    return replace(loaded, manifest=replace(loaded.manifest, graphs=graphs))


@pytest.fixture
def warnings_said() -> Iterator[list[str]]:
    """Collect what is warned of."""
    said: list[str] = []
    number = logger.add(lambda message: said.append(str(message.record["message"])), level="WARNING")
    yield said
    logger.remove(number)


@pytest.fixture(autouse=True)
def cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep engines out of the user's own folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_tensorrt_comes_first_then_cuda_then_the_cpu(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, warnings_said: list[str]
) -> None:
    runtime = FakeRuntime(monkeypatch, offered=[CPU, CUDA, TENSORRT], works=[TENSORRT, CUDA, CPU])
    runner = load_runner(bundle)
    assert [name for name, _ in runtime.asked] == [TENSORRT, CUDA, CPU]
    assert (runner.provider, runner.device) == (TENSORRT, "cuda")
    assert warnings_said == []


def test_engines_are_kept_and_half_precision_is_a_choice() -> None:
    for half in (False, True):
        (_, told), *_ = with_options([TENSORRT], half=half)
        assert told["trt_engine_cache_enable"]
        assert told["trt_timing_cache_enable"]
        assert told["trt_engine_cache_path"] == str(engine_folder())
        assert told["trt_fp16_enable"] is half
    assert engine_folder().is_dir()


def test_a_missing_library_is_one_line(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, warnings_said: list[str]
) -> None:
    FakeRuntime(monkeypatch, offered=[TENSORRT, CUDA, CPU], works=[CUDA, CPU])
    assert load_runner(bundle).provider == CUDA
    assert len(warnings_said) == 1
    assert TENSORRT in warnings_said[0]
    assert CUDA in warnings_said[0]


def test_the_caches_lie_where_the_provider_runs(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    FakeRuntime(monkeypatch, offered=[CUDA, CPU], works=[CUDA, CPU])
    runner = load_runner(bundle)
    places: list[str] = []

    def on_device(array: Any, device: str, _number: int) -> str:
        assert array.dtype == np.float32
        places.append(device)
        return "tensor"

    monkeypatch.setattr("onnxruntime.OrtValue.ortvalue_from_numpy", on_device)
    cache = runner.new_cache()
    assert places == ["cuda"] * len(cache)
    assert len(cache) == 2 * runner.shape.layers
