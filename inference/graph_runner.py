"""One ONNX graph of a bundle on the execution provider that suits it: the one file that knows ONNX Runtime's sessions.

A runner is shared by the sessions that use the same weights, each with a cache of its own; it has no state that a run
changes but the time at which it began, and where nobody limits that, several threads may run it at once. The
providers, by preference, are TensorRT, CUDA and the CPU. The fused graph is made for the CPU; the others need the
portable graph in the bundle.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnxruntime as ort
from loguru import logger
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_state

from inference.bundle import Bundle
from inference.manifest import FUSED, PORTABLE, PROMPT, GraphFile, ModelShape, cache_names
from inference.providers import AUTO, CPU, PROVIDERS, with_options
from inference.run_limit import RunLimit
from piano.errors import BundleError

RUNTIME_VERSION: str = ort.__version__
"""The version of ONNX Runtime that is installed."""

MANY_CORES = 4
"""From how many cores on a second thread for the model still leaves enough for sending on time."""

PROMPT_TOKENS = 32
"""From how many tokens on the graph for prompts takes them: more than come while somebody plays."""

_FATAL, _WARNING = 4, 2
"""Severities of ONNX Runtime's log."""

Cache = Mapping[tuple[str, str], Any]
"""The buffers of keys and values by the names under which the graph reads and writes them, (past, present)."""

ORT_ERRORS: tuple[type[Exception], ...] = (
    RuntimeError,
    *(kind for kind in vars(ort_state).values() if isinstance(kind, type) and issubclass(kind, Exception)),
)
"""What ONNX Runtime raises: its exceptions have no base class of their own."""


@dataclass(frozen=True, slots=True)
class GraphRunner:
    """A loaded graph, the provider that runs it in truth, and the place of the caches: `cpu` or `cuda`."""

    source: str
    """The graph's file, for messages."""
    shape: ModelShape
    session: Any
    provider: str
    inputs: frozenset[str]
    prompt: Any = None
    """The same for prompts, where the bundle has it."""
    limit: RunLimit = field(default_factory=lambda: RunLimit(ort.RunOptions()), compare=False)

    @property
    def device(self) -> str:
        """Return where the caches must lie."""
        return "cpu" if self.provider == CPU else "cuda"

    def session_for(self, count: int) -> Any:
        """Return the session that takes so many tokens of a row at once: by their number alone."""
        return self.session if self.prompt is None or count < PROMPT_TOKENS else self.prompt

    def run(self, binding: Any, count: int = 1) -> None:
        """Run the graph for so many tokens once; BundleError if it fails, which a verified call can only by the graph.

        The binding is one of `session_for(count)`.
        """
        try:
            with self.limit:
                self.session_for(count).run_with_iobinding(binding, self.limit.options)
        except ORT_ERRORS as error:
            raise BundleError(f"{self.source}: the model failed while running: {error}. Export it anew.") from error

    def bind(
        self, inputs: Mapping[str, NDArray[Any]], cache: Cache, logits: NDArray[np.float32], count: int = 1
    ) -> Any:
        """Return a binding for one or more runs of so many tokens: past and present to the same buffers.

        What is bound is read and written in place, on a CPU without a copy.
        """
        binding = self.session_for(count).io_binding()
        self.bind_inputs(binding, inputs)
        binding.bind_ortvalue_output("logits", view_of(logits))
        for (past, present), buffer in cache.items():
            binding.bind_ortvalue_input(past, buffer)
            binding.bind_ortvalue_output(present, buffer)
        return binding

    def bind_inputs(self, binding: Any, inputs: Mapping[str, NDArray[Any]]) -> None:
        """Bind those of the inputs that the graph has; on another device than the CPU a binding holds copies."""
        for name in inputs.keys() & self.inputs:
            binding.bind_cpu_input(name, inputs[name])

    def new_cache(self, rows: int = 1) -> Cache:
        """Allocate the keys and values of so many rows where the runner needs them, each page touched."""
        shape = (rows, *self.shape.cache_shape[1:])
        names = (cache_names(when, self.shape.layers) for when in ("past", "present"))
        zeros = np.full(shape, 0, np.float32)
        return {
            pair: ort.OrtValue.ortvalue_from_numpy(zeros.copy(), self.device, 0) for pair in zip(*names, strict=True)
        }


def view_of(array: NDArray[np.float32]) -> Any:
    """Return an array in the memory of the CPU as ONNX Runtime takes it: the same memory."""
    return ort.OrtValue.ortvalue_from_numpy(array, "cpu", 0)


def load_runner(
    bundle: Bundle, *, provider: str = AUTO, threads: int = 0, spinning: bool = True, half: bool = False
) -> GraphRunner:
    """Load the graph that suits the wanted provider, or the best there is; one line is logged if it is another.

    `threads` run inside an operator; 0 takes two where four cores or more are there, else one. Two and more spin while
    they wait, unless `spinning` is off: faster by up to a half, at the price of keeping those cores from others.
    TensorRT computes in half precision where `half` is set.
    BundleError if the graph cannot be loaded.
    """
    if provider != AUTO and provider not in PROVIDERS:
        raise ValueError(f"the provider is {AUTO}, {', '.join(PROVIDERS)}; not {provider!r}")
    if threads < 0:
        raise ValueError(f"inference takes 0 threads (by the cores) or more, not {threads}")
    wanted, graph = _choose(bundle, provider)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or (2 if (os.cpu_count() or 1) >= MANY_CORES else 1)
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spinning else "0")
    options.enable_cpu_mem_arena = False  # the system's allocator is faster for few small tensors
    options.log_severity_level = 3
    providers = with_options(wanted, half=half)
    session = _load(bundle, graph, options, providers)
    used = session.get_providers()[0]  # a provider that lacks a library drops out without an error
    if used != wanted[0]:
        logger.warning("{} cannot run here (a library is missing?): the model runs on {}", wanted[0], used)
    prompt = bundle.graph(PROMPT) if graph.kind == FUSED else None
    return GraphRunner(
        source=str(bundle.folder / graph.name),
        shape=bundle.manifest.shape,
        session=session,
        provider=used,
        inputs=frozenset(entry.name for entry in session.get_inputs()),
        prompt=None if prompt is None else _load(bundle, prompt, options, providers),
    )


def _load(bundle: Bundle, graph: GraphFile, options: Any, providers: list[tuple[str, dict[str, Any]]]) -> Any:
    """Load one graph and hold it against the manifest; BundleError if that fails."""
    source = str(bundle.folder / graph.name)
    ort.set_default_logger_severity(_FATAL if providers[0][0] != CPU else _WARNING)  # the caller tells what is missing
    try:
        session = ort.InferenceSession(bundle.files[graph.name], options, providers=providers)
    except ORT_ERRORS as error:
        raise BundleError(f"{source}: ONNX Runtime cannot load it: {error}. Export the checkpoint anew.") from error
    finally:
        ort.set_default_logger_severity(_WARNING)
    inputs = {entry.name: entry for entry in session.get_inputs()}
    _check_signature(source, bundle, inputs, {entry.name for entry in session.get_outputs()})
    return session


def _choose(bundle: Bundle, provider: str) -> tuple[list[str], GraphFile]:
    """Return the providers to ask for, and the graph that they can run."""
    available = ort.get_available_providers()
    wanted = [name for name in PROVIDERS.values() if name in available]
    if provider != AUTO:
        wanted = [name for name in wanted if name == PROVIDERS[provider]]
        if not wanted:
            logger.warning("{} is not part of this ONNX Runtime: the model runs on the CPU", PROVIDERS[provider])
    fused, portable = bundle.graph(FUSED), bundle.graph(PORTABLE)
    if wanted and wanted[0] != CPU:
        if portable is not None:
            return wanted, portable
        logger.warning("{} needs a bundle exported with --portable: the model runs on the CPU", wanted[0])
    graph = fused or portable
    if graph is None:
        raise BundleError(f"{bundle.folder}: the bundle holds no graph that this program knows. Export it anew.")
    return [CPU], graph


def _check_signature(source: str, bundle: Bundle, inputs: dict[str, Any], outputs: set[str]) -> None:
    """Hold the graph against the manifest, so that no buffer is bound that it would overrun."""
    shape = bundle.manifest.shape
    names = bundle.manifest.tensor_names()
    unknown = (set(inputs) - set(names["inputs"])) | (outputs ^ set(names["outputs"]))
    missing = {name for name in names["inputs"] if name.startswith("past_") or name == "tokens"} - set(inputs)
    if unknown or missing:
        named = ", ".join(sorted(unknown | missing))
        raise BundleError(f"{source}: its inputs and outputs are not those of the manifest ({named}). Export it anew.")
    for name, entry in inputs.items():
        if name.startswith("past_") and (entry.shape[1:] != [*shape.cache_shape[1:]] or entry.type != "tensor(float)"):
            raise BundleError(
                f"{source}: {name} is {entry.type} {entry.shape} where the manifest has {list(shape.cache_shape)} "
                "in single precision. Export it anew."
            )
    types = {"tokens": "tensor(int32)", "positions": "tensor(int32)", "rows": "tensor(int64)"}
    for name, wanted in types.items():
        if name in inputs and inputs[name].type != wanted:
            raise BundleError(f"{source}: {name} is {inputs[name].type} instead of {wanted}. Export it anew.")
