"""The first load of a stranger's bundle: what takes too much breaks a process of its own, and is refused by name."""

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from inference import trial as trial_module
from inference.bundle import Bundle
from inference.trial import TrialLoad
from piano.errors import BundleError
from tests.inference.test_bundle import replace_graph


@pytest.fixture(autouse=True)
def _a_list_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def bundle(tiny_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_bundle, tmp_path / "mine"))


def greedy(folder: Path, elements: int) -> None:
    """Let the first operator of a graph ask for so many elements more, which the result does not need."""
    model = onnx.load(folder / "model.onnx")
    zero = helper.make_tensor("greedy.zero", TensorProto.FLOAT, [1], [0.0])
    size = helper.make_tensor("greedy.size", TensorProto.INT64, [1], [elements])
    start, end = (helper.make_tensor(f"greedy.{name}", TensorProto.INT64, [1], [n]) for name, n in (("s", 0), ("e", 1)))
    model.graph.initializer.extend([zero, size, start, end])
    logits = model.graph.output[0].name
    for node in model.graph.node:
        node.output[:] = [f"{name}.lean" if name == logits else name for name in node.output]
    # a row so long is added up before its first element is taken, so that it has to be there
    model.graph.node.extend(
        [
            helper.make_node("Expand", ["greedy.zero", "greedy.size"], ["greedy.much"]),
            helper.make_node("Softmax", ["greedy.much"], ["greedy.more"]),
            helper.make_node("Slice", ["greedy.more", "greedy.s", "greedy.e"], ["greedy.one"]),
            helper.make_node("Add", [f"{logits}.lean", "greedy.one"], [logits]),
        ]
    )
    replace_graph(folder, model.SerializeToString())


def test_a_bundle_that_plays_is_tried_once(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = Bundle.load(bundle)
    TrialLoad().run(loaded)
    monkeypatch.setattr(subprocess, "Popen", None)
    TrialLoad().run(loaded)


def test_one_that_asks_for_more_memory_than_its_size_is_refused(bundle: Path) -> None:
    greedy(bundle, 1_500_000_000)
    with pytest.raises(BundleError, match=f"{bundle}.*(memory|failed|cannot load)"):
        TrialLoad().run(Bundle.load(bundle))
    with pytest.raises(BundleError):
        TrialLoad().run(Bundle.load(bundle))


def test_one_that_takes_too_long_is_given_up(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_module, "WITHIN_S", 0.01)
    with pytest.raises(BundleError, match="did not load and play within"):
        TrialLoad().run(Bundle.load(bundle))


def test_a_trial_can_be_cancelled(bundle: Path) -> None:
    loaded, trial = Bundle.load(bundle), TrialLoad()
    faults: list[BundleError] = []

    def run() -> None:
        try:
            trial.run(loaded)
        except BundleError as error:
            faults.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    trial.cancel()
    thread.join()
    assert "given up" in str(faults[0])
    with pytest.raises(BundleError, match="given up"):
        trial.run(loaded)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems hold no process to such a limit")
def test_what_a_graph_asks_for_later_fails_where_it_plays(bundle: Path) -> None:
    code = (
        "import sys\n"
        "from inference.bundle import Bundle\n"
        "from inference.trial import hold_memory, memory_of, without_hold\n"
        "bundle = Bundle.load(sys.argv[1])\n"
        "hold_memory(bundle)\n"
        "kept = bytearray(memory_of(bundle) // 2)\n"
        "try:\n bytearray(memory_of(bundle))\nexcept MemoryError:\n print('refused')\n"
        "hold_memory(bundle)  # another of its kind has its own\n"
        "bytearray(memory_of(bundle) - 2**20)\n"
        "import resource, subprocess\n"
        "limits = [sys.executable, '-c', 'import resource; print(*resource.getrlimit(resource.RLIMIT_DATA))']\n"
        "with without_hold():\n free = subprocess.check_output(limits, text=True).split()\n"
        "held = subprocess.check_output(limits, text=True).split()\n"
        "print(free[0] == free[1] == held[1], int(held[0]) == resource.getrlimit(resource.RLIMIT_DATA)[0] > 0)\n"
    )
    command = [sys.executable, "-c", code, str(bundle)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "refused\nTrue True\n"
