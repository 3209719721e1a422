"""Writes a bundle so that it is there whole or not at all: into a folder beside it, the manifest last, then renamed."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from inference.manifest import MANIFEST_NAME, GraphFile, Manifest
from piano.errors import BundleError


@dataclass(frozen=True, slots=True)
class GraphBytes:
    """A graph to be written: its kind (`fused` or `portable`), its precision, and the ONNX file's bytes."""

    kind: str
    precision: str
    data: bytes

    def entry(self, name: str) -> GraphFile:
        """Return how the manifest lists it."""
        return GraphFile(name, self.kind, self.precision, len(self.data), hashlib.sha256(self.data).hexdigest())


def graph_files(graphs: Mapping[str, GraphBytes]) -> tuple[GraphFile, ...]:
    """Return how the manifest lists the graphs, by file name."""
    return tuple(graph.entry(name) for name, graph in graphs.items())


def write_bundle(folder: Path, manifest: Manifest, graphs: Mapping[str, GraphBytes]) -> None:
    """Write a bundle, in the place of an older one if there is one.

    BundleError if the folder holds anything else, or cannot be written; what was there then stays as it was.
    """
    check_destination(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            partial.chmod(0o755)
            for name, graph in graphs.items():
                _write(partial / name, graph.data)
            text = json.dumps(manifest.to_json(), indent=2, allow_nan=False) + "\n"
            _write(partial / MANIFEST_NAME, text.encode())
            _exchange(partial, folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise BundleError(
            f"{folder}: it cannot be written: {error.strerror}. Choose another folder with -o."
        ) from error


def check_destination(folder: Path) -> None:
    """Raise BundleError if a bundle may not be written here: it would replace something that is no bundle."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise BundleError(f"{folder}: it is there and no folder. Choose another place for the bundle with -o.")
    if folder.is_dir():
        strangers = [path.name for path in folder.iterdir() if path.name != MANIFEST_NAME and path.suffix != ".onnx"]
        if strangers:
            raise BundleError(
                f"{folder}: it holds more than a bundle ({sorted(strangers)[0]}), which would be lost. "
                "Choose another folder with -o."
            )


def _exchange(partial: Path, folder: Path) -> None:
    """Put the new folder in the place of the old one, which comes back if that fails."""
    if not folder.exists():
        partial.rename(folder)
        return
    holder = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    old = folder.rename(holder / "old")
    try:
        partial.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    finally:
        shutil.rmtree(holder, ignore_errors=True)


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
