"""Make or update the environment in `.venv`, inside the clone. Called by bin/pianod and bin/test, with any Python.

    set_up.py run|full FINGERPRINT

`run` installs what a player needs, `full` what a developer needs as well. Exactly one ONNX Runtime is installed:
the GPU build where an NVIDIA GPU is found, the CPU build elsewhere; an environment keeps the one it has.

One process works at a time (a lock that the system releases whatever happens to its holder). A mark stands in an
environment until its first set-up is finished, so that an interrupted one is thrown away and starts over; the
stamp with the fingerprint is written last. Standard library only.
"""

import fcntl
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UNFINISHED = VENV / ".pianod-unfinished"
LOG = ROOT / ".venv.log"
TORCH = "torch==2.13.0"

NO_NETWORK = (
    "NewConnectionError",
    "NameResolutionError",
    "Temporary failure in name resolution",
    "Network is unreachable",
    "Max retries exceeded",
    "ProxyError",
    "ConnectTimeoutError",
)
"""What pip says when it cannot reach its index."""


class SetUpError(Exception):
    """Something that the user has to mend before the environment can be made."""


class NetworkError(SetUpError):
    """The package index cannot be reached."""


class Progress:
    """One line that tells what is being done: rewritten on a terminal, one line a phase elsewhere."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._began_s = time.monotonic()
        self._phase = ""

    def say(self, phase: str, detail: str = "") -> None:
        """Show a phase, and on a terminal also the detail and the seconds so far."""
        if self._live:
            line = f"pianod: {phase} {detail}"[:70]
            sys.stderr.write(f"\r\033[K{line} ({time.monotonic() - self._began_s:.0f} s)")
        elif phase != self._phase:
            sys.stderr.write(f"pianod: {phase}\n")
        self._phase = phase
        sys.stderr.flush()

    def end(self, message: str) -> None:
        """Show the last line."""
        sys.stderr.write(f"{chr(13)}\033[K" if self._live else "")
        sys.stderr.write(f"pianod: {message} ({time.monotonic() - self._began_s:.0f} s)\n")


@contextmanager
def lock(progress: Progress) -> Iterator[None]:
    """Hold the one lock of this clone, waiting for another set-up to finish."""
    with (ROOT / ".venv.lock").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say("another call is setting up, waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def stamp(kind: str) -> Path:
    """Return the file that says what a finished environment was made of."""
    return VENV / f".pianod-{kind}"


def is_finished(kind: str, fingerprint: str) -> bool:
    """Tell whether the environment is there, whole and up to date; a full one serves for running too."""
    kinds = ("full",) if kind == "full" else ("run", "full")
    made_of = [stamp(kind).read_text().strip() for kind in kinds if stamp(kind).is_file()]
    return os.access(PYTHON, os.X_OK) and fingerprint in made_of


def must_start_over() -> bool:
    """Tell whether what is there is unusable: interrupted, moved with the clone, or its Python has gone."""
    if not VENV.exists():
        return False
    moved = any(
        not stamp(kind).read_text().strip().endswith(f" {ROOT}") for kind in ("run", "full") if stamp(kind).is_file()
    )
    return UNFINISHED.exists() or moved or not os.access(PYTHON, os.X_OK)


def check_python() -> None:
    """Refuse a Python that cannot make the environment, and say what to install."""
    minor = sys.version_info.minor
    version = f"3.{minor}"
    try:
        import ensurepip  # noqa: F401  # Debian leaves it out of its bare Python
    except ImportError as error:
        raise SetUpError(
            f"{sys.executable} cannot make an environment: install python{version}-venv "
            f"(apt install python{version}-venv) and call again."
        ) from error
    if minor < 13:
        return
    missing = missing_packages("compile") if sys.platform == "linux" else ""
    if not any(shutil.which(compiler) for compiler in ("c++", "g++", "clang++")):
        missing = missing or "a C++ compiler"
    if missing:
        raise SetUpError(
            f"with Python {version}, MIDI has to be compiled, and this is missing (Debian, Ubuntu: apt install ...): "
            f"{missing}. Install that, or Python 3.12 or 3.11, for which it comes ready-made, and call again."
        )


def missing_packages(group: str) -> str:
    """Return the packages of a group of system_packages.txt that are not there, by the names Debian has for them."""
    script = 'root=$1 python=$2; . "$root/bin/system_packages.sh"; missing_packages "$3"'
    words = ["sh", "-c", script, "sh", str(ROOT), sys.executable, group]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def onnx_runtime() -> str:
    """Return `cpu` or `gpu`: what the environment has, else what was asked for, else what the machine has."""
    installed = {path.name.split("-")[0] for path in VENV.glob("lib/python*/site-packages/onnxruntime*.dist-info")}
    if len(installed) > 1:
        raise SetUpError(f"both onnxruntime and onnxruntime-gpu are installed in {VENV}: delete it and call again.")
    if installed:
        return "gpu" if installed == {"onnxruntime_gpu"} else "cpu"
    asked = os.environ.get("PIANOD_SETUP_RUNTIME", "auto")
    if asked in ("cpu", "gpu"):
        return asked
    if asked != "auto":
        raise SetUpError(f"PIANOD_SETUP_RUNTIME is {asked!r}; it may be auto, cpu or gpu.")
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return "cpu"
    return "gpu" if Path("/proc/driver/nvidia/version").exists() or has_gpu_by_query() else "cpu"


def has_gpu_by_query() -> bool:
    """Ask NVIDIA's own tool, where it is installed, whether there is a GPU."""
    if not shutil.which("nvidia-smi"):
        return False
    try:
        answer = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and "GPU" in answer.stdout


def make_venv() -> None:
    """Make an empty environment with this Python."""
    subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True, stdout=subprocess.DEVNULL)


def pip_install(arguments: list[str], progress: Progress, phase: str) -> None:
    """Run pip's install, keep its output in the log, and show which package it is at."""
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--retries", "2"]
    said: list[str] = []
    with LOG.open("a") as log:
        log.write(f"$ pip install {' '.join(arguments)}\n")
        with subprocess.Popen(
            [*command, "--progress-bar", "off", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            close_fds=False,  # pip keeps the lock, should we be killed while it works
            text=True,
            errors="replace",
        ) as process:
            for line in process.stdout or ():
                log.write(line)
                said.append(line)
                words = line.split()
                if words[:1] in (["Collecting"], ["Downloading"], ["Building"], ["Installing"]):
                    progress.say(phase, " ".join(words[:2]).lower())
    if process.returncode == 0:
        return
    if any(sign in line for line in said for sign in NO_NETWORK):
        raise NetworkError(
            "the package index cannot be reached. The first start needs the network, once; connect and call again. "
            f"What pip said: {LOG}"
        )
    reasons = [line.strip() for line in said if line.startswith("ERROR")] or [line.strip() for line in said[-1:]]
    raise SetUpError(f"pip could not install the packages: {' '.join(reasons)[:300]} All it said: {LOG}")


def install(kind: str, progress: Progress) -> None:
    """Install the packages of `run` or `full` into an environment that exists."""
    runtime = onnx_runtime()
    size = "about 300 MB" if UNFINISHED.exists() else "what has changed"
    if kind == "full":
        index = os.environ.get("PIANOD_SETUP_TORCH_INDEX")
        pip_install([*(["--index-url", index] if index else []), TORCH], progress, "installing torch:")
        pip_install(["-e", f".[{runtime},train,export,dev]"], progress, "installing everything for developers:")
        return
    try:
        pip_install(["-e", f".[{runtime}]"], progress, f"installing ({runtime}, {size}):")
    except NetworkError:
        raise
    except SetUpError:
        if runtime == "cpu":
            raise
        progress.say("no GPU build of ONNX Runtime for this machine, taking the CPU build:")
        pip_install(["-e", ".[cpu]"], progress, f"installing (cpu, {size}):")


def set_up(kind: str, fingerprint: str) -> None:
    """Bring the environment to `run` or `full`, under the lock, and stamp it last."""
    progress = Progress()
    with lock(progress):
        if is_finished(kind, fingerprint):
            progress.end("ready")
            return
        LOG.write_text("")
        if must_start_over():
            progress.say("clearing an environment that cannot be used")
            shutil.rmtree(VENV)
        if not VENV.exists():
            check_python()
            progress.say(f"first call: making .venv with Python {platform.python_version()}")
            VENV.mkdir()
            UNFINISHED.touch()
            make_venv()
        install(kind, progress)
        written = stamp(kind).with_suffix(".new")
        written.write_text(f"{fingerprint}\n")
        written.replace(stamp(kind))
        UNFINISHED.unlink(missing_ok=True)
        progress.end("ready")


def main() -> int:
    """Run as a command; return the exit code."""
    if len(sys.argv) != 3 or sys.argv[1] not in ("run", "full"):
        sys.stderr.write("usage: set_up.py run|full FINGERPRINT (called by bin/pianod and bin/test)\n")
        return 2
    try:
        set_up(sys.argv[1], sys.argv[2])
    except KeyboardInterrupt:
        sys.stderr.write("\npianod: set-up interrupted; the next call starts over.\n")
        return 130
    except (SetUpError, OSError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"{chr(10) if sys.stderr.isatty() else ''}pianod: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
