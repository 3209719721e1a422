"""Presets: ways of playing by name, kept in one file of the player's. Belongs to the panel's thread.

A name is a key in that file and never a path. The file is written whole beside itself and then put in place, so that
a crash leaves the old one or the new one.
"""

import json
import os
import sys
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from piano.errors import ConfigError
from piano.whole_file import write_whole
from realtime.control.protocol import ControlError
from realtime.settings import SettingMark, marked

MOST_PRESETS = 100
_LARGEST_FILE = 1 << 20

KEPT = marked(SettingMark.PRESET)
"""How to play: what a player means by a preset, and would want on another piano too."""

NOT_KEPT = tuple(name for name in marked(SettingMark.LIVE) if name not in KEPT)
"""Settings of the moment, or of the place: of this keyboard and what is plugged into it, and of this machine."""


def presets_file() -> Path:
    """Return where presets are kept unless a setting says otherwise."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "pianod" / "presets.json"
    folder = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(folder) if folder.startswith("/") else Path.home() / ".config") / "pianod" / "presets.json"


class Presets:
    """The presets in a file, read anew each time: another pianod may have written it."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = (path or presets_file()).expanduser()
        self.names: tuple[str, ...] = ()
        """The presets there are, as far as they were read last."""
        self.refresh()

    def refresh(self) -> None:
        """Read which presets there are; a file that cannot be read has none."""
        try:
            self.names = tuple(sorted(self._read()))
        except ConfigError:
            self.names = ()

    def recall(self, name: str) -> dict[str, Any]:
        """Return the settings of a preset; what is no way of playing, or no longer known, is left out."""
        presets = self._read()
        if name not in presets:
            raise ControlError(f"there is no preset {name!r}")
        return {key: value for key, value in presets[name].items() if key in KEPT}

    def save(self, name: str, settings: Mapping[str, Any]) -> None:
        """Keep settings under a name, in place of what was kept under it."""
        presets = self._read()
        if name not in presets and len(presets) >= MOST_PRESETS:
            raise ControlError(f"{MOST_PRESETS} presets are kept, which is the most: forget one first")
        presets[name] = {key: value for key, value in settings.items() if key in KEPT}
        self._write(presets)

    def forget(self, name: str) -> None:
        """Forget a preset."""
        presets = self._read()
        if presets.pop(name, None) is None:
            raise ControlError(f"there is no preset {name!r}")
        self._write(presets)

    def _read(self) -> dict[str, dict[str, Any]]:
        """Return all presets; ConfigError if the file is none of ours."""
        try:
            with self._path.open("rb") as file:
                data = file.read(_LARGEST_FILE + 1)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ConfigError(
                f"{self._path} cannot be read: {error.strerror}; name another file with --presets"
            ) from error
        try:
            presets: Any = json.loads(data) if len(data) <= _LARGEST_FILE else None
        except (ValueError, RecursionError):
            presets = None
        if not _holds_presets(presets):
            raise ConfigError(f"{self._path} holds no presets: move it away, or name another file with --presets")
        return dict(presets)

    def _write(self, presets: dict[str, dict[str, Any]]) -> None:
        text = json.dumps(presets, indent=2, sort_keys=True) + "\n"
        if len(text) > _LARGEST_FILE:
            raise ControlError(f"the presets take more than {_LARGEST_FILE:,} bytes: forget one first")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, text.encode())
        except OSError as error:
            raise ConfigError(
                f"{self._path} cannot be written: {error.strerror}; name another file with --presets"
            ) from error
        self.names = tuple(sorted(presets))


def _holds_presets(read: Any) -> bool:
    """Say whether what was read are presets: settings by name, none of which is made of parts, or no number."""
    return isinstance(read, dict) and all(
        isinstance(preset, dict)
        and all(
            value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and isfinite(value))
            for value in preset.values()
        )
        for preset in read.values()
    )
