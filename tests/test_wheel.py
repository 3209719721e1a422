"""The wheel: built from what is here, installed into an empty environment, and played from there, without a network.

The packages that pianod needs are lent from the environment of the tests; pianod itself must come from the wheel alone.
"""

import os
import re
import shutil
import subprocess
import sys
import urllib.request
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from piano.midi.file import read_tracks

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("piano", "inference", "workers", "train", "export", "realtime", "pyproject.toml", "README.md", "LICENSE")


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment with pianod in it, and a place to work."""

    bin: Path
    folder: Path

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start a program of the environment."""
        kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PIANOD_TAKES")}
        nowhere = {"JACK_DEFAULT_SERVER": "there-is-none", "JACK_NO_START_SERVER": "1", "PIANOD_TAKES": ""}
        return subprocess.Popen(
            [self.bin / words[0], *words[1:]],
            cwd=self.folder,
            env={**kept, **nowhere},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> str:
        """Run a program of the environment to its end; return what it printed."""
        process = self.start(*words)
        out, err = process.communicate(timeout=600)
        assert process.returncode == 0, err
        return out


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of the sources."""
    sources, folder = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("wheel")
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, sources)
    words = [sys.executable, "-m", "pip", "wheel", str(sources), "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*words, "-w", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [made] = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Install the wheel into an empty environment."""
    place = tmp_path_factory.mktemp("environment")
    venv.create(place, symlinks=True)
    python = place / "bin" / "python"
    words = ["-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [packages] = place.glob("lib/python*/site-packages")
    lent = next(path for path in sys.path if path.endswith("site-packages"))
    (packages / "lent.pth").write_text(f"{lent}\n")  # a .pth file there is not read, so that pianod is not lent
    return Installed(place / "bin", tmp_path_factory.mktemp("work"))


def test_it_holds_what_a_player_needs_and_no_tests(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = [*(ROOT / "realtime" / "embedded").iterdir(), *(ROOT / "realtime" / "panel" / "static").iterdir()]
    wanted += [*(ROOT / "realtime" / "cli" / "demo_phrases").glob("*.mid"), *(ROOT / "realtime").rglob("*.py")]
    missing = {str(path.relative_to(ROOT)) for path in wanted if path.is_file()} - names
    assert missing == set()
    assert not [name for name in names if name.startswith(("tests/", "bench/"))]
    assert [name for name in names if name.endswith("licenses/LICENSE")]


def test_the_program_is_the_wheels_and_tells_its_version(installed: Installed) -> None:
    where = installed.run("python", "-c", "import realtime; print(realtime.__file__)")
    assert Path(where.strip()).is_relative_to(installed.bin.parent)
    lines = installed.run("pianod", "--version").splitlines()
    assert [line.split()[0] for line in lines] == ["pianod", "model:", "runs", "Python"]


def test_the_demo_is_played_from_it(installed: Installed) -> None:
    installed.run("pianod", "demo", "--out", "demo", "--seed", "3")
    player, pianod = read_tracks(installed.folder / "demo" / "duet.mid")
    assert player.performance.notes.size > 10
    assert pianod.performance.notes.size > 10
    assert np.all(pianod.performance.notes["duration_s"] > 0)
    assert (installed.folder / "demo" / "duet.png").read_bytes().startswith(b"\x89PNG")


def test_the_panel_is_served_from_it(installed: Installed) -> None:
    process = installed.start("pianod", "--panel-port", "0")
    try:
        assert process.stderr is not None
        said = ""
        while (found := re.search(r"the panel is at (\S+)", said)) is None:
            line = process.stderr.readline()
            assert line, said
            said += line
        with urllib.request.urlopen(found[1]) as page:
            assert b"<script" in page.read()
        with urllib.request.urlopen(f"{found[1].rstrip('/')}/static/main.js") as script:
            assert script.status == 200
    finally:
        process.terminate()
        process.communicate(timeout=60)
