"""A bundle on disk: the folder with a manifest and ONNX files, verified whole before anything of it is used.

A bundle may come from a stranger: it is data. Nothing in it is executed, its names stay inside its folder, links are
not followed, sizes are checked before memory is taken, and what is verified is the bytes that are then loaded.
"""

import hashlib
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from inference.graph_check import OnnxDamageError, has_external_data
from inference.manifest import MANIFEST_NAME, GraphFile, Manifest, ManifestError
from piano.errors import BundleError
from piano.tokens.vocabulary import VOCABULARY

LARGEST_MANIFEST_BYTES = 1 << 20
LARGEST_GRAPH_BYTES = 1 << 30
LARGEST_CACHE_BYTES = 4 << 30

_REMEDY = "Get the bundle again, or export the checkpoint anew with: python -m export CHECKPOINT -o BUNDLE"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A verified bundle: where it lies, what it says, and the bytes of each ONNX file by name."""

    folder: Path
    manifest: Manifest
    files: Mapping[str, bytes]

    @classmethod
    def load(cls, folder: Path | str) -> "Bundle":
        """Read and verify a bundle; BundleError names the file, what is wrong with it, and the way out."""
        folder = Path(folder)
        manifest = read_manifest(folder)
        return cls(folder, manifest, {graph.name: _read_graph(folder, graph) for graph in manifest.graphs})

    def graph(self, kind: str) -> GraphFile | None:
        """Return the entry of the first graph of a kind (`fused`, `prompt` or `portable`), if the bundle has one."""
        return next((graph for graph in self.manifest.graphs if graph.kind == kind), None)


def read_manifest(folder: Path) -> Manifest:
    """Read what a bundle says of itself; BundleError as of `Bundle.load`, but nobody has looked at its graphs."""
    path = folder / MANIFEST_NAME
    if not folder.is_dir():
        raise BundleError(f"{folder}: there is no such bundle (a folder with a {MANIFEST_NAME}). Check the path.")
    data = _read(path, LARGEST_MANIFEST_BYTES)
    try:
        manifest = Manifest.from_json(data)
    except ManifestError as error:
        raise BundleError(f"{path}: {error}. {_REMEDY}") from error
    if manifest.shape.cache_bytes > LARGEST_CACHE_BYTES:
        raise BundleError(
            f"{path}: its cache would take {manifest.shape.cache_bytes >> 20} MiB, more than the "
            f"{LARGEST_CACHE_BYTES >> 20} allowed. Export the model with a shorter context."
        )
    if manifest.vocabulary != VOCABULARY.fingerprint or manifest.shape.vocabulary < VOCABULARY.size:
        raise BundleError(
            f"{path}: the model speaks another vocabulary (fingerprint "
            f"{manifest.vocabulary!r:.40}, {manifest.shape.vocabulary} tokens) than this program "
            f"({VOCABULARY.fingerprint!r}, {VOCABULARY.size} tokens). "
            "Use a bundle made for this version, or the version of pianod that the bundle was made with."
        )
    return manifest


def _read_graph(folder: Path, graph: GraphFile) -> bytes:
    path = folder / graph.name
    data = _read(path, LARGEST_GRAPH_BYTES, graph.bytes)
    if hashlib.sha256(data).hexdigest() != graph.sha256:
        raise BundleError(f"{path}: it is damaged: its checksum is not the one in the manifest. {_REMEDY}")
    try:
        external = has_external_data(data)
    except OnnxDamageError as error:
        raise BundleError(f"{path}: it is not an ONNX model: {error}. {_REMEDY}") from error
    if external:
        raise BundleError(f"{path}: it refers to weights in other files, which a bundle must not. {_REMEDY}")
    return data


def _read(path: Path, largest: int, expected: int | None = None) -> bytes:
    """Read a regular file of at most `largest` bytes, and of exactly the expected size where one is given."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise BundleError(f"{path}: it is a link or no regular file, which a bundle must not hold. {_REMEDY}")
        if status.st_size > largest:
            raise BundleError(f"{path}: it has {status.st_size} bytes, more than the {largest} allowed. {_REMEDY}")
        if expected is not None and status.st_size != expected:
            fault = "truncated" if status.st_size < expected else "longer than it should be"
            raise BundleError(f"{path}: it is {fault}: {status.st_size} bytes instead of {expected}. {_REMEDY}")
        with path.open("rb") as file:
            return file.read(status.st_size)
    except FileNotFoundError as error:
        raise BundleError(f"{path}: it is missing. {_REMEDY}") from error
    except OSError as error:
        raise BundleError(f"{path}: it cannot be read: {error.strerror}. Check its permissions.") from error
