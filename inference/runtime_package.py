"""Which ONNX Runtime is installed, told without loading it."""

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from inference.providers import PROVIDERS

_PACKAGES = ("onnxruntime", "onnxruntime-gpu")


def version_for_cpu() -> str | None:
    """Return the version of an ONNX Runtime that has no provider for a model but the CPU's; else None.

    Every other provider that we use is a library of its own beside it.
    """
    spec = find_spec("onnxruntime")
    if spec is None or spec.origin is None:
        return None
    libraries = Path(spec.origin).parent / "capi"
    others = (f"*onnxruntime_providers_{name}*" for name in PROVIDERS if name != "cpu")
    if any(any(libraries.glob(pattern)) for pattern in others):
        return None
    for name in _PACKAGES:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return None
