"""`pianod --version`: the program, the model, what runs it, and the Python."""

import platform
from importlib.metadata import version

from inference.bundle import Bundle
from inference.graph_runner import sure_provider
from realtime.engine.open_model import open_bundle, open_session
from realtime.settings import Settings


def version_text(settings: Settings) -> str:
    """Return four lines; BundleError where the model of the settings cannot be played."""
    bundle = open_bundle(settings)
    provider = sure_provider(bundle, settings.provider) or open_session(bundle, settings)[1]
    return (
        f"pianod {version('pianod')}\n"
        f"model: {settings.model}, {_model_in_words(bundle)}\n"
        f"runs on: {provider} of ONNX Runtime {_runtime_version()}\n"
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    )


def _model_in_words(bundle: Bundle) -> str:
    shape, graph = bundle.manifest.shape, bundle.manifest.graphs[0]
    made = f"{shape.layers} layers of width {shape.width}, {graph.precision}, a context of {shape.context} tokens"
    return f"{made}, checksum {graph.sha256[:12]}, vocabulary {bundle.manifest.vocabulary}"


def _runtime_version() -> str:
    import onnxruntime

    return str(onnxruntime.__version__)
