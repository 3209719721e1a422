"""The packages that travel with a run, because a machine with PyTorch need not have them."""

import importlib.metadata
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from piano.errors import ConfigError

PACKAGES = ("annotated-types", "pydantic", "pydantic-core", "typing-extensions", "typing-inspection")
"""What `train.fit.trainer` imports beside numpy, PyTorch, safetensors, tensorboard and tqdm."""

_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")


def fill_site(folder: Path, python: str) -> None:
    """Put the packages, in the versions that are installed here, into a folder that can stand on `sys.path`.

    For the Python that runs here they are copied; for another one (`"3.12"`) they are fetched, for Linux on x86-64.
    ConfigError if that fails.
    """
    folder.mkdir()
    if python == ".".join(platform.python_version_tuple()[:2]):
        for package in PACKAGES:
            _copy(importlib.metadata.distribution(package), folder)
        return
    pinned = [f"{package}=={importlib.metadata.version(package)}" for package in PACKAGES]
    with tempfile.TemporaryDirectory() as wheels:
        target = ["--python-version", python, "--implementation", "cp", "--only-binary=:all:", "--no-deps"]
        platforms = [part for name in _PLATFORMS for part in ("--platform", name)]
        command = [sys.executable, "-m", "pip", "download", "-q", *target, *platforms, "-d", wheels, *pinned]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise ConfigError(f"packages for Python {python} could not be fetched: {done.stderr.strip()[-400:]}")
        for wheel in sorted(Path(wheels).glob("*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(folder)


def _copy(package: importlib.metadata.Distribution, folder: Path) -> None:
    for file in package.files or []:
        if ".." not in file.parts and file.suffix != ".pyc":
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(package.locate_file(file)), target)
