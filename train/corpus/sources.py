"""Where the MIDI files of a corpus lie, and what is known of each: zips with a split table, or a folder."""

import codecs
import csv
import hashlib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from piano.errors import CorpusError
from piano.midi.load import is_midi_name
from train.corpus.note_cache import Piece

SPLITS = ("train", "validation", "test")

LICENCES = {
    "maestro-v3.0.0": "CC BY-NC-SA 4.0",
    "asap": "CC BY-NC-SA 4.0",
    "pop909": "MIT",
    "hannds": "MIT",
    "giantmidi": "CC BY 4.0",
    "pianolatron": "CC BY-NC-SA 4.0",
    "emopia": "CC BY-NC-SA 4.0",
    "jazz-clips": "CC BY-NC-SA 4.0",
}
"""Licences of the data sets that are known by name; what is licensed twice stands under the stricter one."""

UNKNOWN_LICENCE = "unknown"

ANNOTATIONS = "beats.zip"
"""The zip of annotated beats and chords, beside the zips of the data sets."""

SMALL_FOLDER = 200
"""How many files a folder must have to be split by shares: of fewer, a split could be left without any."""

_KEPT_OF_A_SMALL_FOLDER = 8


@dataclass(frozen=True, slots=True)
class CorpusSource:
    """One MIDI file to read: a file, or a member of a zip, and the piece it becomes.

    Its beats and chords, if they are annotated, are `NAME.beats.tsv` and `NAME.chords.tsv` in the folder or zip
    `annotations`.
    """

    piece: Piece
    path: Path
    member: str | None = None
    annotations: Path | None = None
    annotated_as: str = ""
    is_split_later: bool = False
    """Whether its split is chosen once it is known which files can be read; see `splits_of_few`."""


def zip_sources(folder: Path, splits: Path) -> list[CorpusSource]:
    """Return the files that the split table lists, each in the zip of its data set.

    The table has the columns dataset, file, split, composer, title. A data set's zip is the one whose name begins
    with its id. `beats.zip`, where it is there, holds annotations as DATASET/FILE.beats.tsv and .chords.tsv.
    """
    annotations = folder / ANNOTATIONS if (folder / ANNOTATIONS).is_file() else None
    zips: dict[str, Path] = {}
    sources = []
    for row in _rows(splits, ("dataset", "file", "split")):
        dataset = row["dataset"]
        if dataset not in zips:
            zips[dataset] = _zip_of(dataset, folder)
        piece = Piece(
            dataset=dataset,
            file=row["file"],
            split=row["split"],
            composer=row.get("composer") or "",
            title=row.get("title") or "",
            licence=LICENCES.get(dataset, UNKNOWN_LICENCE),
        )
        sources.append(CorpusSource(piece, zips[dataset], row["file"], annotations, f"{dataset}/{row['file']}"))
    return sources


def folder_sources(
    folder: Path, split_csv: Path | None = None, *, licence: str = UNKNOWN_LICENCE
) -> list[CorpusSource]:
    """Return the MIDI files below a folder, in order of name, as one data set named after the folder.

    With a table (columns file, split, and if wanted composer, title) only the files that it lists are taken;
    without one a file's split follows from its path, see `split_of`; a small folder keeps an eighth of its files for
    validation, one at least, and none for the test, which is chosen again among those that can be read.
    """
    if not folder.is_dir():
        raise CorpusError(f"{folder}: there is no such folder")
    dataset = folder.resolve().name
    is_small = False
    if split_csv is None:
        files = midi_files(folder)
        names = [path.relative_to(folder).as_posix() for path in files]
        is_small = len(names) < SMALL_FOLDER
        splits = splits_of_few(names) if is_small else [split_of(name) for name in names]
        rows = [{"file": name, "split": split} for name, split in zip(names, splits, strict=True)]
    else:
        rows = list(_rows(split_csv, ("file", "split")))
    return [
        CorpusSource(
            Piece(
                dataset=dataset,
                file=row["file"],
                split=row["split"],
                composer=row.get("composer") or "",
                title=row.get("title") or "",
                licence=licence,
            ),
            folder / row["file"],
            annotations=folder,
            annotated_as=row["file"],
            is_split_later=is_small,
        )
        for row in rows
    ]


def midi_files(folder: Path) -> list[Path]:
    """Return the MIDI files below a folder, in order of name; what macOS keeps beside files (`._…`) is none."""
    return sorted(path for path in folder.rglob("*") if is_midi_name(path.name) and path.is_file())


def split_of(name: str) -> str:
    """Return the split of a file by a hash of its relative path: 90 % train, 5 % validation, 5 % test."""
    percentile = _hash(name) % 100
    if percentile < 90:
        return "train"
    return "validation" if percentile < 95 else "test"


def splits_of_few(names: Sequence[str]) -> list[str]:
    """Return the split of each of a few files: all train, but for an eighth of two or more, chosen by their hashes."""
    wanted = max(1, round(len(names) / _KEPT_OF_A_SMALL_FOLDER)) if len(names) > 1 else 0
    kept = sorted(names, key=_hash, reverse=True)[:wanted]
    return ["validation" if name in kept else "train" for name in names]


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])


def _zip_of(dataset: str, folder: Path) -> Path:
    """Return the one zip whose name begins with the data set's id."""
    found = sorted(path for path in folder.glob("*.zip") if path.stem == dataset or path.stem.startswith(f"{dataset}-"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise CorpusError(f"{folder}: data set {dataset} needs one zip whose name begins so; there is {names}")
    if not zipfile.is_zipfile(found[0]):
        raise CorpusError(f"{found[0]}: is not a zip archive; download it again")
    return found[0]


def _rows(table: Path, needed: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Yield the rows of a split table; CorpusError says what is wrong with it, and where.

    A table as spreadsheets write it is one too: in UTF-16 or Windows' own letters, with a byte order mark, semicolons
    or tabs, blanks, capitals.
    """
    try:
        lines = _text(table.read_bytes()).splitlines()
        reader = csv.DictReader(lines, delimiter=_delimiter(lines[0] if lines else ""), restkey="", restval="")
        reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
        missing = [column for column in needed if column not in reader.fieldnames]
        if missing:
            raise CorpusError(f"{table}: the column {', '.join(missing)} is missing")
        seen: dict[tuple[str, ...], str] = {}
        for raw in reader:
            row = {name: value.strip() for name, value in raw.items() if isinstance(value, str)}
            where = f"{table}, line {reader.line_num}"
            row["split"] = row["split"].lower()
            if lacking := [column for column in needed if not row[column]]:
                raise CorpusError(f"{where}: there is nothing in the column {', '.join(lacking)}")
            if row["split"] not in SPLITS:
                raise CorpusError(f"{where}: split {row['split']!r} is none of {', '.join(SPLITS)}")
            key = tuple(row[column] for column in needed if column != "split")
            if seen.setdefault(key, row["split"]) != row["split"]:
                raise CorpusError(f"{where}: {row['file']} is listed for {seen[key]} and for {row['split']}")
            yield row
    except OSError as error:
        raise CorpusError(f"{table}: cannot be read: {error.strerror or error}; check path and rights") from error
    except (UnicodeError, csv.Error) as error:
        raise CorpusError(
            f"{table}: cannot be read as a table ({error}); save it as CSV with letters in UTF-8"
        ) from error


def _text(data: bytes) -> str:
    """Return the text of a table. UnicodeError where its bytes are no letters."""
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return data.decode("utf-16")
    if b"\0" in data[:2]:  # the first letter of a table is of ASCII
        return data.decode("utf-16-be" if data[:1] == b"\0" else "utf-16-le")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252")


def _delimiter(header: str) -> str:
    """Return what stands between the columns of a table: a comma, or what its first line has in its place."""
    return max(",;\t", key=header.count)
