"""Any TOML file and any environment are settings, or a ConfigError: `python -m tests.fuzz.configuration --seconds 60`.

The first byte says what the rest is: a file, a recipe for training, or lines for the environment.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from piano.errors import ConfigError
from realtime.settings import PREFIX, load_settings
from tests.fuzz.drive import fuzz
from train.recipe import load_recipe

INSTRUMENTED = (
    "realtime.settings.sources",
    "realtime.settings.all_settings",
    "realtime.settings.words",
    "tomllib._parser",
)

CONFIGS = Path(__file__).parents[2] / "configs"


def check(data: bytes) -> None:
    """Load settings from these bytes."""
    kind, rest = data[:1], data[1:]
    with TemporaryDirectory() as name:
        path = Path(name) / "pianod.toml"
        path.write_bytes(b"" if kind == b"e" else rest)
        with patch.dict(os.environ, dict(_variables(rest)) if kind == b"e" else {}):
            try:
                if kind == b"r":
                    load_recipe(path)
                else:
                    load_settings(config=path)
            except ConfigError as error:
                if not str(error).strip() or len(str(error)) > 100_000:
                    raise AssertionError("a message that helps nobody") from error


def _variables(data: bytes) -> Iterator[tuple[str, str]]:
    for line in data.decode("utf-8", "surrogateescape").replace("\0", "").splitlines():
        name, has_value, value = line.partition("=")
        if has_value and name:
            yield PREFIX + name, value


def seeds() -> Iterator[bytes]:
    """Yield the presets and recipes there are, and an environment."""
    for path in sorted(CONFIGS.glob("*.toml")):
        yield (b"f" if path.name.startswith("live") else b"r") + path.read_bytes()
    yield b"ftemperature = 1.5\nseed = 7\ncomposer = 'bach'\ntakes = ''\n[x]\ny = [1, {z = 2020-01-01}]\n"
    yield b"eTEMPERATURE=0.5\nSEED=\nCOMPOSER=bach\nTHRU=true\n"


if __name__ == "__main__":
    fuzz("configuration", check, seeds(), INSTRUMENTED)
