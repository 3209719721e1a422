"""Which ONNX Runtime is installed, told without loading it: it must be what ONNX Runtime says itself."""

from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from inference import runtime_package
from inference.graph_runner import RUNTIME_VERSION
from inference.runtime_package import version_for_cpu


def test_it_is_the_version_that_runs() -> None:
    assert version_for_cpu() in (RUNTIME_VERSION, None)


def test_nothing_is_sure_where_another_provider_may_run_the_model(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "capi").mkdir()
    spec = ModuleSpec("onnxruntime", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(runtime_package, "find_spec", lambda _: spec)
    assert version_for_cpu() is not None
    (tmp_path / "capi" / "libonnxruntime_providers_cuda.so").touch()
    assert version_for_cpu() is None


def test_nothing_is_sure_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_package, "find_spec", lambda _: None)
    assert version_for_cpu() is None
