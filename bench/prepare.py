"""Preparing a corpus: files a second of the processor, ours and those of a pipeline as MidiTok's page shows it.

Both read, both write what training reads. Ours also cleans, merges and finds chords; MidiTok's also makes tokens, which
ours does while it trains. Ours without chords is beside it, since MidiTok's pipeline finds none.
"""

import resource
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bench.machine import circumstances
from bench.pieces import random_performance
from piano.midi.file import MidiTrack, write_performance
from train.corpus.prepare import prepare
from train.corpus.sources import folder_sources

FILES, QUICK_FILES = 200, 20
NOTES = 3000
ROUNDS = 3
ALIKE = "pianod, without chords"


def measure(files: int, folder: Path | None = None, processes: int = 1) -> dict[str, Any]:
    """Prepare so many made-up files, or those of a folder, and return the figures."""
    about, music = circumstances(), "made-up" if folder is None else "real"
    with tempfile.TemporaryDirectory(prefix="pianod-bench-") as scratch:
        if folder is None:
            folder = Path(scratch) / "midi"
            made_up_files(folder, files)
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".mid", ".midi"))
        sources = folder_sources(folder, None, licence="unknown")

        def ours() -> None:
            prepare(sources, Path(scratch) / "prepared", processes=processes)

        def without_chords() -> None:
            prepare(sources, Path(scratch) / "prepared", processes=processes, chords=False)

        theirs, reason = miditok(paths, Path(scratch) / "tokens", processes)
        works = {"pianod": ours, ALIKE: without_chords}
        taken = in_turns(works | ({"MidiTok": theirs} if theirs else {}), ROUNDS)
    rates = {name: len(paths) / seconds for name, seconds in taken.items()}
    figures: dict[str, Any] = {"kind": "prepare", **about, "files": len(paths), "music": music, "processes": processes}
    figures["files_per_s"] = rates
    figures["over_miditok"] = rates["pianod"] / rates["MidiTok"] if "MidiTok" in rates else None
    figures["alike_over_miditok"] = rates[ALIKE] / rates["MidiTok"] if "MidiTok" in rates else None
    figures["missing"] = {} if reason is None else {"MidiTok": reason}
    return figures


def in_turns(works: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """Return the least seconds of the processor, all processes together, that each work took, all done in turns.

    Other work on the machine does not change them.
    """
    taken: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds):
        for name in list(works)[:: 1 if number % 2 else -1]:
            began_s = _processor_s()
            works[name]()
            taken[name].append(_processor_s() - began_s)
    return {name: min(times) for name, times in taken.items()}


def _processor_s() -> float:
    us, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return us.ru_utime + us.ru_stime + children.ru_utime + children.ru_stime


def made_up_files(folder: Path, count: int) -> None:
    """Write files of random music."""
    folder.mkdir(parents=True)
    for number in tqdm(range(count), desc="writing", unit="file"):
        write_performance(folder / f"{number}.mid", [MidiTrack("piano", random_performance(NOTES, seed=number))])


def miditok(paths: Sequence[Path], out: Path, processes: int) -> tuple[Callable[[], None] | None, str | None]:
    """Return MidiTok's pipeline over files, in so many processes, or why there is none."""
    try:
        from miditok import REMI, TokenizerConfig
    except ImportError as error:
        return None, str(error)
    tokenizer = REMI(TokenizerConfig())

    def work() -> None:
        tokenizer.tokenize_dataset(
            list(paths), out, overwrite_mode=True, verbose=False, parallel_workers_size=processes
        )

    return work, None
