"""Sound from a MIDI file: by FluidSynth and a soundfont, where the machine has them. Quietly absent otherwise."""

import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from loguru import logger

PLACES = tuple(
    Path(place).expanduser()
    for place in (
        "/usr/share/sounds/sf2",
        "/usr/share/soundfonts",
        "/usr/local/share/soundfonts",
        "/opt/homebrew/share/soundfonts",
        "~/.local/share/soundfonts",
        "~/Library/Audio/Sounds/Banks",
    )
)
"""The folders in which soundfonts usually lie."""

ENDINGS = (".sf2", ".sf3")
_RATE_HZ = 44_100
_GAIN = 0.8
_LONGEST_S = 120.0


def _how_to_get(package: str) -> str:
    """Say how the synthesiser is installed on this kind of system."""
    if sys.platform == "darwin":
        return "brew install fluid-synth, and a .sf2 file in ~/Library/Audio/Sounds/Banks"
    if sys.platform == "win32":
        return "choco install fluidsynth, or fluidsynth.org"
    return f"sudo apt install {package}; Fedora, Arch: fluidsynth, soundfont-fluid"


def find_soundfont(places: Iterable[Path] = PLACES) -> Path | None:
    """Return the largest soundfont of the first folder that has one: the larger, the better its piano."""
    for place in places:
        if place.is_dir():
            found = sorted(path for path in place.iterdir() if path.suffix.lower() in ENDINGS and path.is_file())
            if found:
                return max(found, key=lambda path: path.stat().st_size)
    return None


def what_is_missing(places: Iterable[Path] = PLACES) -> str:
    """Say what sound files need and this computer does not have, and how to get it; empty where it has all."""
    for name, package, is_there in (
        ("FluidSynth", "fluidsynth", shutil.which("fluidsynth") is not None),
        ("a soundfont", "fluid-soundfont-gm", find_soundfont(places) is not None),
    ):
        if not is_there:
            return f"{name} is not installed ({_how_to_get(package)})"
    return ""


def can_synthesise(places: Iterable[Path] = PLACES) -> bool:
    """Say whether there is a synthesiser and a soundfont."""
    return not what_is_missing(places)


def synthesise(midi: Path, wav: Path, places: Iterable[Path] = PLACES) -> bool:
    """Write the sound of a MIDI file; False, and one line in the log, where that is not possible."""
    program = shutil.which("fluidsynth")
    soundfont = find_soundfont(places)
    if program is None or soundfont is None:
        logger.info("no sound file: {}", what_is_missing(places))
        return False
    words = [program, "-ni", "-q", "-g", str(_GAIN), "-r", str(_RATE_HZ), "-F", str(wav), str(soundfont), str(midi)]
    try:
        done = subprocess.run(words, capture_output=True, timeout=_LONGEST_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        logger.warning("no sound file: FluidSynth failed: {}", error)
        return False
    if done.returncode != 0 or not wav.is_file():
        logger.warning("no sound file: FluidSynth ended with {}", done.returncode)
        return False
    return True
