"""From journals to MIDI files: at the end of a take, and at the next start for takes that a crash or a power cut ended.

A journal goes only when its MIDI file is on the disk, whole and under its own name; whatever interrupts this, the next
start does it again. Runs on a thread that may wait for the disk.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from loguru import logger

from piano.whole_file import whole_file
from realtime.midi.held_notes import HeldNotes
from realtime.take.journal import SUFFIX, JournalReader, lock, sync_folder, to_disk
from realtime.take.midi_export import midi_of
from realtime.take.take import TakeRecord, TakeSource

LARGEST_JOURNAL_BYTES = 1 << 30
"""A larger one is left as it is: three days at 100 messages a second."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """The MIDI file of a take, and how many lines of its journal were damaged."""

    midi: Path
    damaged: int
    left_down: tuple[bytes, ...] = ()
    """What ends the notes and lifts the pedals that were down at the far end of the output by the journal's end."""


def recover(folder: Path) -> Iterator[Recovered]:
    """Yield each take that was left behind in a folder, once its MIDI file is written; those in use are left alone.

    One that cannot be recovered now stays for the next start, and the log says so.
    """
    try:
        journals = sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)
    except OSError:  # no folder, no takes; one that cannot be read is told when the new take is to be written
        return
    for path in journals:
        try:
            recovered = _recover(path)
        except OSError as error:
            logger.warning("the take in {} cannot be recovered now: {}", path, error.strerror or error)
            continue
        if recovered is not None:
            yield recovered


def _recover(path: Path) -> Recovered | None:
    """Recover one take; None if it is in use, empty, or no file of ours."""
    if not path.is_file() or path.is_symlink():
        return None
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as file:
        if not lock(path, descriptor):
            return None
        size = os.fstat(descriptor).st_size
        if size > LARGEST_JOURNAL_BYTES:
            logger.warning("{} has {:,} bytes, too many for a take; it stays as it is", path, size)
            return None
        return keep(path, file)


def keep(path: Path, file: BinaryIO) -> Recovered | None:
    """Make a MIDI file of a journal that is open and locked, and delete the journal; None if no note is in it."""
    reader, down = JournalReader(file), HeldNotes()
    midi = midi_of(_watched(reader, down))
    target = None if midi is None else write_recovered(path.with_suffix(".mid"), midi)
    if reader.is_ours or os.fstat(file.fileno()).st_size == 0:
        path.unlink(missing_ok=True)
    return None if target is None else Recovered(target, reader.damaged, tuple(down.lift()))


def _watched(records: Iterable[TakeRecord], down: HeldNotes) -> Iterator[TakeRecord]:
    """Yield the records, and push what went out to the far end."""
    for record in records:
        if record.source is not TakeSource.PLAYED:
            down.push(record.data)
        yield record


def write_recovered(path: Path, data: bytes) -> Path:
    """Write a file that appears whole or not at all, and outlasts a power cut; return where it is.

    What lies there already and is something else stays: the file is then called recovered.
    """
    if path.is_file() and path.read_bytes() != data:
        path = path.with_stem(f"{path.stem} recovered")
    with whole_file(path) as partial:
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            to_disk(file.fileno())
    sync_folder(path.parent)
    return path
