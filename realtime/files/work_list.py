"""Which files a command works on, and where what it makes of each goes: asked and refused before any work begins."""

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from piano.errors import ConfigError
from piano.midi.load import MIDI_ENDINGS, is_midi_name
from realtime.files.done_index import DoneIndex
from realtime.files.output_paths import variant_path
from workers.stores import is_stored, path_of

_WRITTEN = ".mid"
"""How what is made of a wrapped file ends: it is written without the wrapper."""

_WRAPPED = ".rmi"


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One file to work on: where it is, its name within what was asked for (which its seed is made from), and what is
    to be written."""

    source: Path
    name: str
    targets: tuple[Path, ...]  # (variants,)


def work_list(words: Sequence[str], out: Path | None, suffix: str, variants: int) -> list[WorkItem]:
    """Return what is to be done for files, folders and patterns, each file once.

    Without `out` a target stands beside its file with the suffix in its name; a folder as `out` takes the place of the
    folder that was asked for. What such a command has made before is no input. ConfigError says what is wrong.
    """
    search = _Search(out)
    found = _once(entry for word in words for entry in search.files(word))
    alone = len(found) == 1 and len(words) == 1 and path_of(words[0]).is_file()
    is_file = out is not None and out.suffix.lower() in MIDI_ENDINGS and not out.is_dir()
    if is_file and not alone:
        raise ConfigError(f"--out {out} is one file, and there are {len(found)} to work on: name a folder")
    if out is not None and not is_file and not out.is_dir() and (out.exists() or (alone and _is_a_files_name(out))):
        raise ConfigError(f"--out {out} is neither a folder nor a MIDI file (.mid): choose another name")
    items = []
    for source, name in found:
        if out is None:
            target = source.with_name(f"{source.stem}-{suffix}{_ending(source)}")
        else:
            target = out if is_file else (out / name).with_suffix(_ending(source))
        items.append(WorkItem(source, name, tuple(variant_path(target, index, variants) for index in range(variants))))
    _check(items)
    return items


def _is_a_files_name(path: Path) -> bool:
    """Say whether a name ends as those of files do; a folder may be called `songs-1.2`."""
    return path.suffix[1:].isalpha() and len(path.suffix) <= 5


def _ending(source: Path) -> str:
    return _WRITTEN if source.suffix.lower() == _WRAPPED else source.suffix


class _Search:
    """What words mean, as files with their names within what was asked for."""

    def __init__(self, out: Path | None) -> None:
        self._out = out.resolve() if out is not None else None
        self._made: dict[Path, frozenset[str]] = {}

    def files(self, word: str) -> Iterator[tuple[Path, str]]:
        """Yield the files that a word means; ConfigError if there is none."""
        path = path_of(word)
        if path.is_file():
            yield path, path.name
            return
        if path.is_dir():
            found = list(self._in_folder(path))
            if not found:
                made = any(map(self._was_made_here, path.rglob("*")))
                passed = "; what pianod made here is passed over: name such a file itself" if made else ""
                raise ConfigError(
                    f"{word}: there is no MIDI file ({', '.join(MIDI_ENDINGS)}) in this folder to work on{passed}"
                )
        else:
            found = list(self._fitting(path)) if glob.has_magic(word) and not is_stored(path) else []
            if not found:
                if path.exists():
                    raise ConfigError(
                        f"{word}: is a pipe or a device; write what comes from it into a file, and give that"
                    )
                what = "no MIDI file fits this pattern" if glob.has_magic(word) else "there is no such file or folder"
                raise ConfigError(f"{word}: {what}; check how it is written")
        yield from found

    def _fitting(self, pattern: Path) -> Iterator[tuple[Path, str]]:
        magic = next(index for index, part in enumerate(pattern.parts) if glob.has_magic(part))
        base = Path(*pattern.parts[:magic])
        for match in map(Path, sorted(glob.glob(str(pattern), recursive=True))):
            if match.is_dir():
                yield from ((file, file.relative_to(base).as_posix()) for file, _ in self._in_folder(match))
            elif self._is_input(match):
                yield match, match.relative_to(base).as_posix()

    def _in_folder(self, folder: Path) -> Iterator[tuple[Path, str]]:
        out_inside = self._out is not None and folder.resolve() in self._out.parents
        for entry in sorted(folder.rglob("*")):
            inside = entry.relative_to(folder)
            is_hidden = any(part.startswith(".") for part in inside.parts)
            if not is_hidden and not (out_inside and self._out in entry.resolve().parents) and self._is_input(entry):
                yield entry, inside.as_posix()

    def _is_input(self, path: Path) -> bool:
        """Say whether a path is a MIDI file, and not one of those that were made here."""
        return is_midi_name(path.name) and path.is_file() and not self._was_made_here(path)

    def _was_made_here(self, path: Path) -> bool:
        if path.parent not in self._made:
            self._made[path.parent] = DoneIndex(path.parent).outputs
        return path.name in self._made[path.parent]


def _once(found: Iterator[tuple[Path, str]]) -> list[tuple[Path, str]]:
    kept: dict[str, tuple[Path, str]] = {}  # by texts, which take a third of what paths do
    for source, name in found:
        kept.setdefault(str(source.resolve()), (source, name))
    return list(kept.values())


def _check(items: Sequence[WorkItem]) -> None:
    """Refuse to write over what is read, or two things in one place."""
    sources = {str(item.source.resolve()) for item in items}
    owners: dict[str, Path] = {}
    for item in items:
        own = str(item.source.resolve())
        for target in item.targets:
            place = str(target.resolve())
            if place == own:
                raise ConfigError(f"{item.source} would be its own output: choose another place with --out")
            if place in sources:
                raise ConfigError(f"{item.source}: its output {target} is a file to be read: choose another --out")
            if place in owners:
                raise ConfigError(
                    f"{owners[place]} and {item.source} would both be written to {target}: "
                    "ask for them one at a time, or for the folder above them"
                )
            owners[place] = item.source
