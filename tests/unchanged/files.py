"""What the commands on files write, as fingerprints: three files made here, every command, one seed."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from realtime.cli.command_line import main
from realtime.cli.demo_phrases import NAMES, phrase_path
from tests.support.midi_files import song

SEED = ("--seed", "11", "--verbosity", "0")
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "continue": ("--seconds", "6"),
    "continue-part": ("--seconds", "4", "--start-s", "1", "--end-s", "4", "--transpose", "2", "--top-p", "0.95"),
    "fill": ("--keep", "right"),
    "fill-gap": ("--gap", "1-2.5", "--samples", "1"),
    "fill-live": ("--keep", "melody", "--no-preview", "--best-of", "2"),
    "velocities": (),
    "velocities-beam": ("--from-nothing", "--strategy", "beam", "--beams", "2"),
    "clean": ("--all", "--samples", "1"),
    "clean-onset": ("--onset", "--strategy", "greedy"),
    "perform": ("--bpm", "100", "--samples", "1"),
}
"""By what each is called; the word before the first hyphen is the command."""

NEW: Mapping[str, tuple[str, ...]] = {
    "new": ("--seconds", "8"),
    "new-notes": ("--notes", "40", "--composer", "chopin", "--density", "4"),
}


def sources(folder: Path) -> list[Path]:
    """Write the three files and return their paths: two phrases of the demo, and a song of many tracks."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.mid" for name in (*NAMES, "song")]
    for path, data in zip(paths, (*(phrase_path(name).read_bytes() for name in NAMES), song()), strict=True):
        path.write_bytes(data)
    return paths


def fingerprint(data: bytes) -> str:
    """Return the SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def file_records(folder: Path, names: frozenset[str] | None = None) -> Iterator[tuple[str, str]]:
    """Yield a name and a fingerprint for each file that the commands write; with names, of these commands alone."""
    paths = sources(folder / "sources")
    for name, flags in COMMANDS.items():
        if names is None or name in names:
            out = folder / name
            code = main([name.split("-")[0], *map(str, paths), "--out", str(out), "--jobs", "1", *SEED, *flags])
            yield from _written(name, out, code)
    for name, flags in NEW.items():
        if names is None or name in names:
            out = folder / name
            code = main(["new", "--out", str(out / "piece.mid"), "--jobs", "1", *SEED, *flags])
            yield from _written(name, out, code)


def _written(name: str, out: Path, code: int) -> Iterator[tuple[str, str]]:
    """Yield the exit code and what was written, save the list of what was made."""
    yield f"file/{name}", f"exit {code}"
    for path in sorted(out.glob("*.mid")):
        yield f"file/{name}/{path.name}", fingerprint(path.read_bytes())
