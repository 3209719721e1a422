"""`python -m train round-trip`: encode and decode every piece of a note cache and report what was lost.

The pieces are checked by several processes, each with the cache open for itself.
"""

import argparse
import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from piano.events import HIGHEST_PITCH, LOWEST_PITCH
from piano.notes import NoteArray, Performance
from piano.tokens.encoding import decode, encode
from train.corpus.note_cache import NoteCache

LARGEST_ONSET_ERROR_MS = 5.0
LARGEST_VELOCITY_ERROR = 2
_ROUNDING_MS = 1e-5

_cache: NoteCache | None = None
"""The cache of this worker process."""


@dataclass(frozen=True, slots=True)
class RoundTripLosses:
    """What encoding and decoding cost, in one piece or in many."""

    pieces: int = 0
    notes: int = 0
    tokens: int = 0
    lost_notes: int = 0
    outside_piano: int = 0
    lost_pedals: int = 0
    changed_streams: int = 0
    """Pieces whose decoded performance is encoded into other tokens."""
    onset_error_ms: float = 0.0
    release_error_ms: float = 0.0
    pedal_error_ms: float = 0.0
    velocity_error: int = 0

    def and_also(self, other: "RoundTripLosses") -> "RoundTripLosses":
        """Return both together: counts add up, of errors the worst stays."""
        merged = {}
        for field in fields(self):
            join = max if "error" in field.name else sum
            merged[field.name] = join((getattr(self, field.name), getattr(other, field.name)))
        return RoundTripLosses(**merged)

    @property
    def is_within_bounds(self) -> bool:
        """Return whether no note or pedal change was lost and none moved by more than the layout allows."""
        lost = self.lost_notes or self.lost_pedals or self.changed_streams
        on_time = max(self.onset_error_ms, self.pedal_error_ms) <= LARGEST_ONSET_ERROR_MS + _ROUNDING_MS
        return not lost and on_time and self.velocity_error <= LARGEST_VELOCITY_ERROR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--corpus", type=Path, required=True, metavar="CACHE", help="note cache, or the folder it is in"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="processes")


def run(args: argparse.Namespace) -> int:
    """Check every piece, print the figures and return 0, or 1 if something was lost."""
    count = len(NoteCache.load(args.corpus))
    with ProcessPoolExecutor(max(1, args.workers), initializer=_open, initargs=(args.corpus,)) as pool:
        checked = pool.map(_check_piece, range(count), chunksize=16)
        losses = _total(tqdm(checked, total=count, desc="round trip", unit="piece"))
    print(describe_round_trip(losses))
    return 0 if losses.is_within_bounds else 1


def measure_round_trip(played: Performance) -> RoundTripLosses:
    """Return what is lost when a performance is encoded and decoded."""
    tokens = encode(played)
    heard = decode(tokens).performance
    on_piano = (played.notes["pitch"] >= LOWEST_PITCH) & (played.notes["pitch"] <= HIGHEST_PITCH)
    before, after = _by_key(played.notes[on_piano]), _by_key(heard.notes)
    pedals_match = np.array_equal(played.pedals["down"], heard.pedals["down"])
    losses = RoundTripLosses(
        pieces=1,
        notes=played.notes.size,
        tokens=tokens.size,
        outside_piano=int((~on_piano).sum()),
        lost_pedals=0 if pedals_match else max(1, played.pedals.size - heard.pedals.size),
        pedal_error_ms=_worst_ms(played.pedals["time_s"] - heard.pedals["time_s"]) if pedals_match else 0.0,
        changed_streams=int(not np.array_equal(encode(heard), tokens)),
    )
    if not np.array_equal(before["pitch"], after["pitch"]):
        return replace(losses, lost_notes=max(1, before.size - after.size))
    end_error_s = (before["onset_s"] + before["duration_s"]) - (after["onset_s"] + after["duration_s"])
    velocity_error = np.abs(before["velocity"].astype(int) - after["velocity"])
    return replace(
        losses,
        onset_error_ms=_worst_ms(before["onset_s"] - after["onset_s"]),
        release_error_ms=_worst_ms(end_error_s),
        velocity_error=int(velocity_error.max(initial=0)),
    )


def describe_round_trip(losses: RoundTripLosses) -> str:
    """Return the figures as a table of lines."""
    return "\n".join(
        (
            f"pieces                  {losses.pieces:,}",
            f"notes                   {losses.notes:,} ({losses.outside_piano:,} outside the 88 keys)",
            f"tokens per note         {losses.tokens / max(losses.notes, 1):.3f}",
            f"lost notes              {losses.lost_notes:,}",
            f"lost pedal changes      {losses.lost_pedals:,}",
            f"pieces encoded anew     {losses.changed_streams:,} differ",
            f"worst onset error       {losses.onset_error_ms:.3f} ms",
            f"worst release error     {losses.release_error_ms:.3f} ms",
            f"worst pedal error       {losses.pedal_error_ms:.3f} ms",
            f"worst velocity error    {losses.velocity_error}",
        )
    )


def _open(path: Path) -> None:
    global _cache
    _cache = NoteCache.load(path)


def _check_piece(index: int) -> RoundTripLosses:
    if _cache is None:
        raise RuntimeError("the process was not given a cache")
    return measure_round_trip(_cache.performance(index))


def _total(checked: Iterable[RoundTripLosses]) -> RoundTripLosses:
    total = RoundTripLosses()
    for losses in checked:
        total = total.and_also(losses)
    return total


def _by_key(notes: NoteArray) -> NoteArray:
    return notes[np.lexsort((notes["onset_s"], notes["pitch"]))]


def _worst_ms(error_s: NDArray[np.float64]) -> float:
    return float(np.abs(error_s).max(initial=0.0) * 1000)
