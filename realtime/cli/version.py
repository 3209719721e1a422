"""`pianod --version`: the program, the model, what runs it, and the Python."""

import platform
from importlib.metadata import version

from inference.bundle import Bundle
from inference.manifest import FUSED, PORTABLE
from inference.providers import CPU, PROVIDERS
from inference.runtime_package import version_for_cpu
from realtime.cli.exit_code import begin_log, exit_code
from realtime.engine.find_bundle import open_bundle
from realtime.settings import Settings, load_settings


def main() -> int:
    """Show the version where nothing else is asked: the command line, with all that may stand on it, is not read."""
    verbosity = 0
    try:
        told: list[str] = []
        settings = load_settings({}, tell=told.append)
        verbosity = settings.verbosity
        if told or verbosity:
            begin_log(verbosity, told)
        print(version_text(settings))
    except (KeyboardInterrupt, Exception) as error:  # the top of the main thread
        return exit_code(error, verbosity)
    return 0


def version_text(settings: Settings) -> str:
    """Return four lines; BundleError where the model of the settings cannot be played."""
    bundle = open_bundle(settings)
    provider, runtime = _runtime(bundle, settings)
    return (
        f"pianod {version('pianod')}\n"
        f"model: {settings.model}, {_model_in_words(bundle)}\n"
        f"runs on: {provider} of ONNX Runtime {runtime}\n"
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    )


def _runtime(bundle: Bundle, settings: Settings) -> tuple[str, str]:
    """Return what runs a bundle, and the version of ONNX Runtime; loaded only where another than the CPU may run it."""
    runtime = version_for_cpu()
    is_playable = bundle.graph(FUSED) is not None or bundle.graph(PORTABLE) is not None
    if runtime is not None and is_playable and PROVIDERS.get(settings.provider, CPU) == CPU:
        return CPU, runtime
    from inference.graph_runner import RUNTIME_VERSION
    from realtime.engine.open_model import open_session

    return open_session(bundle, settings)[1], RUNTIME_VERSION


def _model_in_words(bundle: Bundle) -> str:
    shape, graph = bundle.manifest.shape, bundle.manifest.graphs[0]
    made = f"{shape.layers} layers of width {shape.width}, {graph.precision}, a context of {shape.context} tokens"
    return f"{made}, checksum {graph.sha256[:12]}, vocabulary {bundle.manifest.vocabulary}"
