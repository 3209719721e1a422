"""A run that takes too long is ended where the model plays; the next one is not, and nobody else's is."""

import gc
import shutil
import threading
import weakref
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from inference.bundle import Bundle
from inference.graph_runner import load_runner
from inference.onnx_session import OnnxSession
from inference.run_limit import RunLimit
from piano.errors import BundleError
from piano.tokens.vocabulary import VOCABULARY
from tests.inference.test_bundle import replace_graph

ROUNDS, ELEMENTS = 400, 50_000


def busy(folder: Path) -> None:
    """Let the graph work on many numbers again and again, which come from the tokens and change no result."""
    model = onnx.load(folder / "model.onnx")
    logits = model.graph.output[0].name
    for node in model.graph.node:
        node.output[:] = [f"{name}.lean" if name == logits else name for name in node.output]
    numbers = {"size": [ELEMENTS, 1, 1], "s": [0, 0, 0], "e": [1, 1, 1], "one": [1]}
    model.graph.initializer.extend(
        helper.make_tensor(f"busy.{name}", TensorProto.INT64, [len(given)], given) for name, given in numbers.items()
    )
    model.graph.initializer.append(helper.make_tensor("busy.zero", TensorProto.FLOAT, [1], [0.0]))
    make = helper.make_node
    model.graph.node.append(make("Cast", ["tokens"], ["busy.token"], to=TensorProto.FLOAT))
    model.graph.node.append(make("Expand", ["busy.token", "busy.size"], ["busy.0"]))
    for number in range(ROUNDS):
        model.graph.node.append(make("Softmax", [f"busy.{number}"], [f"busy.{number + 1}"]))
    model.graph.node.extend(
        [
            make("Slice", [f"busy.{ROUNDS}", "busy.s", "busy.e"], ["busy.first"]),
            make("Reshape", ["busy.first", "busy.one"], ["busy.last"]),
            make("Mul", ["busy.last", "busy.zero"], ["busy.nothing"]),
            make("Add", [f"{logits}.lean", "busy.nothing"], [logits]),
        ]
    )
    replace_graph(folder, model.SerializeToString())


def test_a_run_that_takes_too_long_is_ended_and_the_next_is_not(tiny_bundle: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_bundle, tmp_path / "mine"))
    busy(folder)
    bundle = Bundle.load(folder)
    runner = load_runner(bundle, provider="cpu", threads=1)
    session = OnnxSession(bundle, runner=runner)
    runner.limit.longest_s = 0.0
    runner.limit.start()
    with pytest.raises(BundleError, match="failed while running"):
        session.feed([VOCABULARY.bos])
    runner.limit.longest_s = 3600.0
    session.reset()
    assert session.feed([VOCABULARY.bos]).size == VOCABULARY.size


class Options:
    terminate = False


def test_between_two_runs_nothing_is_ended() -> None:
    limit = RunLimit(Options(), longest_s=-1.0)
    limit.look()
    assert not limit.options.terminate
    with limit:
        limit.look()
        assert limit.options.terminate
    assert not limit.options.terminate


def test_the_thread_ends_with_the_limit() -> None:
    limit = RunLimit(Options())
    limit.start()
    limit.start()
    [thread] = [thread for thread in threading.enumerate() if thread is limit._thread]
    gone = weakref.ref(limit)
    del limit
    gc.collect()
    thread.join(20)
    assert gone() is None
    assert not thread.is_alive()
