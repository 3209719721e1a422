"""A checkpoint in parts: few files, none of them large, so that it comes through where files are few and small.

    checkpoint.json   the configuration, and the size and SHA-256 of each part
    weights.00 …      the weights, cut

A set of parts replaces the one before it file by file, in a moment; whether it is whole the digests tell.
"""

import hashlib
import json
import math
import shutil
from pathlib import Path

from piano.errors import CheckpointError
from train.model.checkpoint import CONFIG, WEIGHTS

PART_BYTES = 15 * 2**20
MOST_PARTS = 6
"""With the list of parts and the log of the run these are eight files."""

LIST = "checkpoint.json"


def check_size(parameters: int) -> None:
    """Raise CheckpointError where the weights of a model, at two bytes each, would need too many parts."""
    if (needed := math.ceil(2 * parameters / PART_BYTES)) > MOST_PARTS:
        raise CheckpointError(
            f"{parameters:,} parameters are {needed} parts of {PART_BYTES:,} bytes, more than {MOST_PARTS}: "
            "a smaller model, or train without packing"
        )


def write_parts(checkpoint: Path, folder: Path, staging: Path) -> None:
    """Cut a checkpoint into parts in a folder, in place of those there; `staging` is for files in the making."""
    weights = (checkpoint / WEIGHTS).read_bytes()
    cuts = [weights[start : start + PART_BYTES] for start in range(0, len(weights), PART_BYTES)]
    names = [f"weights.{number:02}" for number in range(len(cuts))]
    parts = [{"file": name, "bytes": len(cut), "sha256": _digest(cut)} for name, cut in zip(names, cuts, strict=True)]
    described = {"config": json.loads((checkpoint / CONFIG).read_text()), "parts": parts}
    folder.mkdir(parents=True, exist_ok=True)
    staging.mkdir(parents=True, exist_ok=True)
    for name, cut in zip(names, cuts, strict=True):
        (staging / name).write_bytes(cut)
    (staging / LIST).write_text(json.dumps(described, indent=1) + "\n")
    for name in (*names, LIST):
        shutil.move(staging / name, folder / name)


def join_parts(folder: Path, out: Path) -> None:
    """Make a checkpoint of its parts; CheckpointError if one is missing, damaged or of another checkpoint."""
    try:
        described = json.loads((folder / LIST).read_text())
        parts = [(part["file"], part["sha256"]) for part in described["parts"]]
        config = json.dumps(described["config"], indent=2)
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise CheckpointError(f"{folder / LIST}: not the list of a checkpoint's parts ({fault})") from fault
    weights = bytearray()
    for name, digest in parts:
        path = folder / Path(name).name
        try:
            cut = path.read_bytes()
        except OSError as fault:
            raise CheckpointError(f"{path}: cannot be read ({fault.strerror}); bring it back again") from fault
        if _digest(cut) != digest:
            raise CheckpointError(
                f"{path}: damaged, or of another moment than {LIST}, if the run was cut off while it wrote"
            )
        weights += cut
    out.mkdir(parents=True, exist_ok=True)
    (out / WEIGHTS).write_bytes(weights)
    (out / CONFIG).write_text(config + "\n")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
