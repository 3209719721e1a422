"""What is measured, by its folder: a checkpoint or a bundle, as a predictor of windows or as a session to play from."""

import hashlib
from pathlib import Path

from piano.errors import ConfigError
from piano.session import Session
from train.predictors.scoring import Predictor

EMBEDDED = Path(__file__).resolve().parents[2] / "realtime" / "embedded"
"""The bundle in the repository."""


def load_predictor(target: str, *, bf16: bool = False) -> Predictor:
    """Load a checkpoint or a bundle from its folder, or the bundle in the repository if the target is `embedded`."""
    folder, is_bundle = _find(target)
    if is_bundle:
        from train.predictors.onnx_predictor import OnnxPredictor  # a baseline alone needs neither of the two libraries

        return OnnxPredictor(folder)
    from train.predictors.torch_predictor import TorchPredictor

    return TorchPredictor.load(folder, bf16=bf16)


def load_session(target: str) -> Session:
    """Load a target, as for a predictor, to play from on one core."""
    folder, is_bundle = _find(target)
    if is_bundle:
        from inference.bundle import Bundle
        from inference.onnx_session import OnnxSession

        return OnnxSession(Bundle.load(folder), threads=1)
    from train.predictors.torch_session import TorchSession

    return TorchSession.load(folder)


def checksum_of(target: str) -> str:
    """Return what tells a target from another: of a bundle its manifest's checksum, of a checkpoint that of its files.

    A manifest has the checksums of the graphs in it, which are compared when they are loaded.
    """
    folder, is_bundle = _find(target)
    checksum = hashlib.sha256()
    for name in ("manifest.json",) if is_bundle else ("config.json", "model.safetensors"):
        try:
            checksum.update((folder / name).read_bytes())
        except OSError as error:
            raise ConfigError(f"{folder / name}: cannot be read: {error.strerror or error}") from error
    return checksum.hexdigest()


def check_target(target: str, checksum: str) -> None:
    """Raise ConfigError if a target, where this runs, is another than the one of the checksum."""
    found = checksum_of(target)
    if found != checksum:
        raise ConfigError(
            f"{target}: a worker has another model under this name (checksum {found[:12]}, not {checksum[:12]}); copy "
            "it to every machine, or put it on shared storage"
        )


def _find(target: str) -> tuple[Path, bool]:
    """Return the folder of a target, and whether it is a bundle's."""
    folder = EMBEDDED if target == "embedded" else Path(target)
    is_bundle = (folder / "manifest.json").is_file()
    if not is_bundle and not (folder / "config.json").is_file():
        raise ConfigError(f"{folder}: neither a checkpoint (config.json) nor a bundle (manifest.json) is here")
    return folder, is_bundle
