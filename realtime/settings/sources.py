"""Where settings come from: defaults < TOML file < environment (`PIANOD_…`) < command line; all faults told at once."""

import difflib
import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from piano.errors import ConfigError
from realtime.settings.all_settings import PREFIX, Settings
from realtime.settings.words import fault_in_words, faults_as_text, flag_of

SET_UP_PREFIX = "PIANOD_SETUP_"
"""Variables that steer bin/pianod's set-up, and are no settings of the daemon."""

LARGEST_FILE = 1 << 18
"""Bytes of a TOML file; a larger one is refused."""

DEFAULT_FILE = Path("pianod.toml")
"""The TOML file that is read where it exists in the working directory, unless another is named."""

OPEN_THE_MACHINE = ("panel_host", "link")
"""Settings that open the machine to others in its network: a file that merely lies in the working directory may not
set them."""


def load_settings(
    flags: Mapping[str, Any] | None = None, *, config: Path | None = None, tell: Callable[[str], None] = lambda _: None
) -> Settings:
    """Return the settings from all four places; `flags` are the settings given on the command line.

    `config` names the TOML file; without it, `pianod.toml` in the working directory is read where there is one, which
    `tell` is told of; what would open the machine to others is not taken from there.
    Raises ConfigError, which tells all faults at once, each with the place it comes from.
    """
    flags = dict(flags or {})
    path = config or DEFAULT_FILE
    from_file = _read_toml(path) if config or path.is_file() else {}
    if from_file and not config:
        from_file = _of_this_folder(from_file, path, tell)

    class FileBelowEnvironment(Settings):
        """The settings with one file among their sources."""

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],  # noqa: ARG003
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        ) -> tuple[Any, ...]:
            return init_settings, env_settings, lambda: from_file

    faults = []
    settings = None
    try:
        settings = FileBelowEnvironment(**flags)
    except ValidationError as error:
        faults = [
            f"{details['loc'][0]} in {path} is no setting{_perhaps(str(details['loc'][0]))}"
            if details["type"] == "extra_forbidden"
            else fault_in_words(details, Settings.model_fields, lambda name: _place_of(name, flags, path))
            for details in error.errors(include_url=False)
        ]
    faults += [f"{name} in the environment is no setting{_perhaps(_bare(name))}" for name in _strange_variables()]
    if settings is None or faults:
        raise ConfigError(faults_as_text(faults, "the settings"))
    return settings


def _of_this_folder(found: dict[str, Any], path: Path, tell: Callable[[str], None]) -> dict[str, Any]:
    """Return what is taken from a file that was not asked for, and tell of it: it may have come with other files."""
    refused = [name for name in OPEN_THE_MACHINE if name in found]
    taken = {name: value for name, value in found.items() if name not in refused}
    if taken:
        tell(f"settings of {path.absolute()}: {', '.join(taken)}")
    for name in refused:
        tell(f"{name} of {path.absolute()} is left out: give {flag_of(name)}, or the file by --config {path}")
    return taken


def _bare(variable: str) -> str:
    return variable.removeprefix(PREFIX).lower()


def _strange_variables() -> list[str]:
    """Return the variables of the environment that look like settings and are none."""
    ours = (name for name in sorted(os.environ) if name.startswith(PREFIX) and not name.startswith(SET_UP_PREFIX))
    return [name for name in ours if _bare(name) not in Settings.model_fields]


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
        if len(data) > LARGEST_FILE:
            raise ConfigError(f"{path} is larger than settings can be ({LARGEST_FILE:,} bytes)")
        return tomllib.loads(data.decode())
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not a TOML file: it is not text in UTF-8") from error
    except RecursionError as error:
        raise ConfigError(f"{path} is not a file of settings: it is nested too deeply") from error
    except ValueError as error:  # TOMLDecodeError, and numbers of thousands of digits
        raise ConfigError(f"{path} is not a TOML file: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}; name another with --config") from error


def _place_of(name: str, flags: Mapping[str, Any], path: Path) -> str:
    """Return where a setting got its value, as the user wrote it."""
    if name in flags:
        return flag_of(name)
    if f"{PREFIX}{name}".upper() in (key.upper() for key in os.environ):
        return f"{PREFIX}{name.upper()}"
    return f"{name} in {path}"


def _perhaps(name: str) -> str:
    near = difflib.get_close_matches(name, Settings.model_fields, n=1)
    return f"; perhaps {near[0]}" if near else "; docs/settings.md lists them all"
