"""The first load of a bundle, in a process of its own with limits of time and memory.

A graph is made of operators that we know, and may still ask for more memory or time than there is. So a bundle that
did not come with the program is loaded and played a few tokens where that breaks nothing, before it is loaded here.
What has passed is remembered by the checksum of its manifest, which holds those of its graphs.
"""

import contextlib
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from inference.bundle import Bundle
from inference.graph_runner import RUNTIME_VERSION
from inference.manifest import FUSED, MANIFEST_NAME, PORTABLE, PROMPT
from inference.onnx_session import OnnxSession
from piano.errors import BundleError, PianodError
from piano.tokens.vocabulary import VOCABULARY

WITHIN_S = 120.0
_MEMORY_BYTES = 1 << 30
_TIMES_ITS_SIZE = 6
"""So many times its graphs and its cache a model may take, beside what the program takes itself."""
_LONGEST_LIST = 1 << 20
_PROMPT = 40


class TrialLoad:
    """One first load; `cancel` ends it from any thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a signal cancels on the thread that may hold it
        self._process: subprocess.Popen[str] | None = None
        self._is_cancelled = False

    def cancel(self) -> None:
        """End it: it then fails. From any thread, and in a signal handler."""
        with self._lock:
            self._is_cancelled = True
            self._end()

    def _end(self) -> None:
        """End the process if it is cancelled."""
        if self._is_cancelled and self._process is not None:
            self._process.kill()

    def run(self, bundle: Bundle) -> None:
        """Try a bundle that was verified, unless it has passed before; BundleError says why it cannot be used."""
        checksum = _checksum(bundle.folder)
        if checksum in _passed():
            return
        with self._lock:
            if self._is_cancelled:
                raise BundleError(f"{bundle.folder}: loading it was given up")
            command = [sys.executable, "-m", "inference.trial", str(bundle.folder.absolute()), checksum]
            self._process = process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
                start_new_session=True,  # a Ctrl-C at the terminal is for the daemon, which ends this one
            )
            self._end()  # where a signal cancelled it while the process began
        try:
            _, said = process.communicate(timeout=WITHIN_S)
        except subprocess.TimeoutExpired as error:
            raise BundleError(f"{bundle.folder}: it did not load and play within {WITHIN_S:.0f} s") from error
        finally:
            process.kill()
            process.communicate()
        if self._is_cancelled:
            raise BundleError(f"{bundle.folder}: loading it was given up")
        if process.returncode != 0:
            raise BundleError(_reason(bundle.folder, process.returncode, said))
        _remember(checksum)


def _reason(folder: Path, code: int, said: str) -> str:
    lines = said.strip().splitlines()
    if code == 2 and lines:
        return lines[-1][:500]
    return f"{folder}: it takes more memory than a model of its size may, or breaks what loads it (exit code {code})"


def _checksum(folder: Path) -> str:
    """Return the checksum under which a bundle is remembered: of its manifest, this program's ONNX Runtime with it."""
    data = (folder / MANIFEST_NAME).read_bytes()
    return hashlib.sha256(data + RUNTIME_VERSION.encode()).hexdigest()


def _list() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "pianod" / "bundles-that-load"


def _passed() -> set[str]:
    with contextlib.suppress(OSError, RuntimeError):
        path = _list()
        if path.stat().st_size <= _LONGEST_LIST:
            return set(path.read_text(encoding="ascii", errors="replace").split())
    return set()


def _remember(checksum: str) -> None:
    with contextlib.suppress(OSError, RuntimeError):  # it is tried again then
        path = _list()
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="ascii") as file:
            file.write(checksum + "\n")


def memory_of(bundle: Bundle) -> int:
    """Return how many bytes a process may take that loads a bundle and plays."""
    size = sum(len(data) for data in bundle.files.values()) + bundle.manifest.shape.cache_bytes
    return _MEMORY_BYTES + _TIMES_ITS_SIZE * size


def hold_memory(bundle: Bundle) -> None:
    """Let this process take what a bundle may take beside what it has, and no more: what a graph asks for beyond that,
    at whatever token it does, fails there. Where the system knows no such limit there is none."""
    with contextlib.suppress(ImportError, ValueError, OSError, StopIteration):
        import resource

        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        has = 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmData:")))
        before, most = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = has + memory_of(bundle)
        if before != resource.RLIM_INFINITY:
            wanted = max(wanted, before)
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, most))


@contextlib.contextmanager
def without_hold() -> Iterator[None]:
    """Let the programs that are started meanwhile have all memory: a browser wants more than a model may."""
    try:
        import resource
    except ImportError:
        yield
        return
    held, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (held, most))


def _limit(bundle: Bundle) -> None:
    """Hold this process to the memory that such a model may take."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        most = memory_of(bundle)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
        resource.setrlimit(resource.RLIMIT_CPU, (int(WITHIN_S), int(WITHIN_S)))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _play(bundle: Bundle) -> None:
    """Load the graphs of a bundle on the CPU, those for it and those for others, and play a few tokens by each."""
    for kinds in ((FUSED, PROMPT), (PORTABLE,)):
        graphs = tuple(graph for graph in bundle.manifest.graphs if graph.kind in kinds)
        if graphs:
            alone = replace(bundle, manifest=replace(bundle.manifest, graphs=graphs))
            session = OnnxSession(alone, provider="cpu", threads=1)
            session.feed([VOCABULARY.bos])
            session.feed([VOCABULARY.bos] * min(_PROMPT, bundle.manifest.shape.context - 2))


def main(folder: str, checksum: str) -> int:
    """Load a bundle and play; 2 and a line on standard error where that fails."""
    try:
        bundle = Bundle.load(folder)
        if _checksum(bundle.folder) != checksum:
            raise BundleError(f"{folder}: it was changed while it was loaded")
        _limit(bundle)
        _play(bundle)
    except PianodError as error:
        print(error, file=sys.stderr)
        return 2
    except MemoryError:
        print(f"{folder}: it takes more memory than a model of its size may", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
