"""Two nodes on loopback, each a torchrun of its own with one process, over gloo: one is killed, and both go on."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import torch

from train.__main__ import main
from train.corpus.note_cache import CACHE_NAME, NoteCache
from train.fit.ranks import Ranks
from train.fit.run_state import STATE
from train.fit.trainer import Trainer
from train.recipe import Recipe

SCRIPT = Path(__file__).with_name("fit_in_ranks.py")
LONGEST_S = 500.0

ENVIRONMENT = {"GLOO_SOCKET_IFNAME": "lo", "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
"""The second one as in docs/scale.md: without it a node that comes new to a rendezvous is not told where rank 0 is."""


class Nodes:
    """The nodes of one rendezvous, each a process group of its own."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack, self._folder = stack, folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]

    def start(self, name: str, *, is_host: bool, stands_at: int | None = None) -> subprocess.Popen[bytes]:
        """Start a node; one of them holds the rendezvous."""
        words = ["--nnodes=2", "--nproc-per-node=1", "--max-restarts=3", "--rdzv-backend=c10d", "--rdzv-id=test"]
        words += [f"--rdzv-endpoint=127.0.0.1:{self._port}", "--local-addr=127.0.0.1"]
        words += [f"--rdzv-conf=is_host={int(is_host)},keep_alive_interval=1,keep_alive_max_attempt=3,read_timeout=300"]
        said = self._stack.enter_context((self._folder / f"{name}.log").open("wb"))
        process = subprocess.Popen(
            [sys.executable, "-m", "torch.distributed.run", *words, str(SCRIPT), str(self._folder)]
            + ([] if stands_at is None else [str(stands_at)]),
            env={**os.environ, "OMP_NUM_THREADS": "1", **ENVIRONMENT},
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        self._stack.callback(process.wait)
        self._stack.callback(kill, process)
        return process


def kill(node: subprocess.Popen[bytes]) -> None:
    """End a node and all its processes, as a power failure would."""
    for group in {node.pid, *_groups_of(node.pid)}:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _groups_of(pid: int) -> list[int]:
    """Return the process groups of the children of a process: torchrun begins a session for each of its own."""
    found = subprocess.run(["ps", "-o", "pgid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(word) for word in found.stdout.split()]


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    with ExitStack() as stack:
        yield Nodes(stack, tmp_path)


def test_a_node_is_killed_and_the_run_goes_on_to_the_weights_of_one_process(
    nodes: Nodes, scales: NoteCache, tmp_path: Path, make_recipe: Callable[..., Recipe]
) -> None:
    recipe = make_recipe(schedule={"steps": 6, "validation_windows": 2, "validate_every": 6, "save_every": 2})
    scales.save(tmp_path / CACHE_NAME)
    assert main(["unpack", "--corpus", str(tmp_path)]) == 0
    (tmp_path / "recipe.json").write_text(recipe.model_dump_json())
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    alone = Trainer(recipe, scales, tmp_path / "one", Ranks(0, 1))
    alone.setup()
    alone.fit()
    stays = nodes.start("stays", is_host=True)
    dies = nodes.start("dies", is_host=False, stands_at=3)
    wait_for(tmp_path / "stands", stays, dies)
    kill(dies)
    dies.wait()
    saved = torch.load(tmp_path / "two" / STATE, weights_only=True)["step"]
    returns = nodes.start("returns", is_host=False)
    codes = [node.wait(timeout=LONGEST_S) for node in (stays, returns)]
    told = "\n".join(path.read_text() for path in tmp_path.glob("*.log"))
    assert codes == [0, 0], told
    assert saved == 2
    mine, theirs = (torch.load(tmp_path / name / STATE, weights_only=True)["model"] for name in ("one", "two"))
    for name in mine:
        torch.testing.assert_close(mine[name], theirs[name], atol=2e-5, rtol=1e-3)


def wait_for(mark: Path, *nodes: subprocess.Popen[bytes]) -> None:
    """Wait until a file is there, as long as all nodes live."""
    while not mark.exists():
        assert all(node.poll() is None for node in nodes), [path.read_text() for path in mark.parent.glob("*.log")]
        threading.Event().wait(0.05)
