"""bin/bench's set-up, with a Python that only notes what it was asked for."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

PYTHON = """#!/bin/sh
case "$*" in
    *version_info*) echo 3.12; exit 0 ;;
    "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    *"{refused}"*) echo "ERROR: no such package"; exit 1 ;;
esac
echo "$0 $*" >> "{log}"
"""


@dataclass
class Clone:
    """A clone, and a PATH with one Python."""

    folder: Path
    path: str

    def bench(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Call bin/bench."""
        command = [str(self.folder / "bin" / "bench"), *arguments]
        return subprocess.run(command, env={"PATH": self.path}, capture_output=True, text=True, check=False)

    def asked(self, what: str) -> list[str]:
        """Return what Python was asked for, of one kind, without the place of the clone."""
        lines = (self.folder / "asked").read_text().replace(f"{self.folder}/", "").splitlines()
        return [line for line in lines if what in line]

    def make_whole(self) -> None:
        """Put the environment in place that bin/test makes."""
        (self.folder / ".venv" / "bin").mkdir(parents=True)
        shutil.copy(Path(self.path.split(os.pathsep)[0]) / "python3.12", self.folder / ".venv" / "bin" / "python")
        script = 'root=$1; . "$root/bin/environment.sh"; fingerprint'
        printed = subprocess.run(["sh", "-c", script, "sh", str(self.folder)], capture_output=True, check=True).stdout
        (self.folder / ".venv" / ".pianod-full").write_bytes(printed)


def clone_at(folder: Path, *, refused: str = "no such words") -> Clone:
    """Make a clone whose pip refuses what has these words in it."""
    shutil.copytree(ROOT / "bin", folder / "bin", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    programs = folder.parent / "programs"
    programs.mkdir()
    (programs / "python3.12").write_text(PYTHON.format(log=folder / "asked", refused=refused))
    (programs / "python3.12").chmod(0o755)
    return Clone(folder, f"{programs}{os.pathsep}{os.environ['PATH']}")


def test_torch_is_installed_once_and_nothing_is_compiled(tmp_path: Path) -> None:
    clone = clone_at(tmp_path / "clone")
    ran = clone.bench("--quick")
    assert ran.returncode == 0, ran.stderr
    assert len(clone.asked("torch==")) == 1
    assert clone.asked("compiled") == []
    assert clone.asked("-m bench")[0].endswith("-m bench --quick")
    clone.bench("--quick", "--compiled")
    assert len(clone.asked("torch==")) == 1, "the environments are made once"
    assert len(clone.asked("-r .venv-bench/compiled.txt")) == 1


def test_where_bin_test_has_run_torch_is_not_installed_at_all(tmp_path: Path) -> None:
    clone = clone_at(tmp_path / "clone")
    clone.make_whole()
    assert clone.bench().returncode == 0
    assert clone.asked("torch==") == []
    places = {line.split()[0].removesuffix("/bin/python") for line in clone.asked("pip install")}
    assert places == {".venv-bench", ".venv-bench-optimum"}
    shutil.rmtree(clone.folder / ".venv")
    assert clone.bench().returncode == 0
    assert len(clone.asked("torch==")) == 1, "what they rested on has gone"


@pytest.mark.parametrize("peers", [".venv-bench-optimum/asked.txt", ".venv-bench/asked.txt"])
def test_peers_that_cannot_be_installed_are_told_and_stop_nothing(tmp_path: Path, peers: str) -> None:
    clone = clone_at(tmp_path / "clone", refused=peers)
    ran = clone.bench()
    assert ran.returncode == 0, ran.stderr
    assert "could not install" in ran.stderr
    assert "no such package" in ran.stderr
    assert len(clone.asked("-m bench")) == 1
