"""`python -m train compare FOLDER …`: generated music beside real music, in numbers and as a picture.

Two questions. Does a long piece stay within what real performances show, minute after minute? And is a continuation
nearer to the music that it goes on from than another real excerpt would be? Files with a track `continuation` beside
others, as `pianod continue` writes them, answer the second; the others, where there are any, answer the first. Of
several folders, one for each way of sampling, `train.sampling_study.choice` makes one figure each, to choose by.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from piano.errors import CorpusError, MidiFileError, PianodError
from piano.midi.file import merge_tracks, read_tracks
from piano.notes import NoteArray
from piano.whole_file import write_report
from train.corpus.note_cache import NoteCache
from train.corpus.sources import midi_files
from train.sampling_study.choice import Figure, figure_table
from train.sampling_study.music_statistics import STATISTICS, STRETCH_S, TRAITS, Stretch, stretches, traits_apart
from train.tables import text_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BAND = (5, 95)
"""The percentiles of real music between which generated music should stay."""

EXCERPT_S = 30.0
"""How much of a continuation and of a real excerpt is compared with the primer, in seconds."""

_FEWEST_NOTES = 8
_SEED = 2_718_281
_OTHERS = 20
_MOST_TRIES = 1000


@dataclass(frozen=True, slots=True)
class LongRun:
    """How generated music stands beside real music: one row a stretch, one column for each of `STATISTICS`."""

    generated: list[list[Stretch]]
    real: NDArray[np.float64]  # (stretches, 6)

    @property
    def band(self) -> NDArray[np.float64]:
        """Return the lower and the upper edge of what real music shows, (2, 6)."""
        return np.nanpercentile(self.real, BAND, axis=0)

    @property
    def shares(self) -> NDArray[np.float64]:
        """Return the share of each piece's stretches that lie in the band, (pieces, 6), of pieces that have any."""
        low, high = self.band
        pieces = [np.array([stretch.values for stretch in piece]) for piece in self.generated if piece]
        shares = [((values >= low) & (values <= high)).mean(axis=0) for values in pieces]
        return np.array(shares).reshape(-1, len(STATISTICS))

    def share_within(self, from_s: float = 0.0) -> NDArray[np.float64]:
        """Return the share of generated stretches, from a moment of their piece on, that lie in the band, (6,)."""
        low, high = self.band
        found = [stretch for piece in self.generated for stretch in piece if stretch.start_s >= from_s]
        values = np.array([stretch.values for stretch in found])
        if not values.size:
            return np.full(len(STATISTICS), np.nan)
        return np.asarray(((values >= low) & (values <= high)).mean(axis=0))


@dataclass(frozen=True, slots=True)
class Nearness:
    """How far continuations, and other real excerpts, are from the primers: means over the files, each (4,)."""

    continuation: NDArray[np.float64]
    real: NDArray[np.float64]
    shares: NDArray[np.float64]  # (files, 4)
    """For each file, the share of other excerpts from which the primer is farther than from its continuation."""

    @property
    def files(self) -> int:
        """Return the number of continuations."""
        return len(self.shares)

    @property
    def nearer(self) -> NDArray[np.float64]:
        """Return the share of pairs of a continuation and another excerpt of which the continuation is nearer, (4,)."""
        return np.asarray(self.shares.mean(axis=0))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", type=Path, nargs="+", help="the generated MIDI files; of several folders each is a line of one table"
    )
    parser.add_argument("--corpus", type=Path, required=True, help="the note cache of real music")
    parser.add_argument("--split", default="validation", help="default: %(default)s")
    parser.add_argument("--dataset", action="append", help="only this dataset of the corpus; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the long run into a PNG file")


def run(args: argparse.Namespace) -> int:
    """Compare, print the tables, and write what was asked for; return the exit status."""
    if args.plot is not None and len(args.folder) > 1:
        raise PianodError("--plot draws one folder: name one, or leave it out")
    cache = NoteCache.load(args.corpus)
    numbers = cache.select(split=args.split, datasets=args.dataset)
    if not numbers:
        raise CorpusError(f"{args.corpus}: there are no pieces of split {args.split!r} to compare with")
    real = [cache.performance(number).notes for number in tqdm(numbers, desc="real music", unit="piece")]
    values = _real_values(real)
    found = {folder.name or str(folder): _compare(folder, real, values) for folder in args.folder}
    first = next(iter(found))
    if len(found) == 1:
        _print(*found[first])
    print(figure_table({name: _figure(*each) for name, each in found.items()}))
    try:
        if args.json is not None:
            content = {name: _as_json(*each) for name, each in found.items()}
            write_report(args.json, json.dumps(content if len(found) > 1 else content[first], indent=2) + "\n")
        if args.plot is not None:
            draw_long_run(args.plot, found[first][0])
    except OSError as error:
        raise PianodError(f"{error.filename}: cannot be written ({error.strerror}); choose another place") from error
    return 0


def _compare(folder: Path, real: Sequence[NoteArray], values: NDArray[np.float64]) -> tuple[LongRun, Nearness | None]:
    """Compare one folder with real music and the statistics of its stretches."""
    files = list(_read(folder))
    pieces = [notes for notes, tracks in files if tracks is None] or [notes for notes, _ in files]
    long_run = LongRun([list(_stretches(notes)) for notes in pieces], values)
    return long_run, near([tracks for _, tracks in files if tracks], real)


def _figure(long_run: LongRun, nearness: Nearness | None) -> Figure:
    return Figure(long_run.shares, np.zeros((0, len(TRAITS))) if nearness is None else nearness.shares)


def _print(long_run: LongRun, nearness: Nearness | None) -> None:
    print(long_run_table(long_run))
    if nearness is not None:
        print(nearness_table(nearness))


def near(pairs: Sequence[tuple[NoteArray, NoteArray]], real: Sequence[NoteArray]) -> Nearness | None:
    """Compare each primer with its continuation and with excerpts of other real music; None without a pair."""
    rng = np.random.default_rng(_SEED)
    own, others, nearer = [], [], []
    for primer, continuation in pairs:
        begin = continuation[continuation["onset_s"] < continuation["onset_s"][0] + EXCERPT_S]
        distance = traits_apart(primer, begin)
        of_others = np.array([traits_apart(primer, _excerpt(real, rng)) for _ in range(_OTHERS)])
        own.append(distance)
        others.append(of_others.mean(axis=0))
        nearer.append((distance < of_others).mean(axis=0))
    if not own:
        return None
    return Nearness(np.mean(own, axis=0), np.mean(others, axis=0), np.array(nearer))


def long_run_table(long_run: LongRun) -> str:
    """Return, for each statistic, the band of real music and how much of the generated music lies in it."""
    low, high = long_run.band
    values = np.array([stretch.values for piece in long_run.generated for stretch in piece])
    late = max((piece[-1].start_s for piece in long_run.generated if piece), default=0.0) / 2
    all_of_it, second_half = long_run.share_within(), long_run.share_within(late)
    middle = np.nanmedian(values, axis=0) if values.size else np.full(len(STATISTICS), np.nan)
    real = np.nanmedian(long_run.real, axis=0)
    about = f"{len(values)} stretches of {STRETCH_S:.0f} s; the band holds {BAND[1] - BAND[0]} % of real ones"
    head = ("", "real median", "band", "median", "in band", f"from {late:.0f} s on")
    lines = []
    for index, name in enumerate(STATISTICS):
        band = f"{low[index]:.1f} to {high[index]:.1f}"
        shares = (f"{all_of_it[index]:.0%}", f"{second_half[index]:.0%}")
        lines.append((name, f"{real[index]:.1f}", band, f"{middle[index]:.1f}", *shares))
    return f"{about}\n{text_table(head, lines)}"


def nearness_table(nearness: Nearness) -> str:
    """Return how far continuations and other excerpts are from the primers, trait by trait."""
    figures = zip(TRAITS, nearness.continuation, nearness.real, nearness.nearer, strict=True)
    lines = [(name, f"{own:.2f}", f"{other:.2f}", f"{nearer:.0%}") for name, own, other, nearer in figures]
    about = f"{nearness.files} continuations, and {_OTHERS} other excerpts for each"
    return f"{about}\n{text_table(('', 'continuation', 'other music', 'nearer than other'), lines)}"


def draw_long_run(path: Path, long_run: LongRun) -> None:
    """Draw each statistic over the minutes: the band and the median of real music, and the generated pieces."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 6), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 3, sharex=True)
    for index, name in enumerate(STATISTICS):
        _draw_one(axes.flat[index], long_run, index, name)
    for below in axes[1]:
        below.set_xlabel("minutes")
    axes[0, 0].legend(loc="upper left", fontsize="small")
    figure.savefig(path)


def _draw_one(axes: "Axes", long_run: LongRun, index: int, name: str) -> None:
    low, high = long_run.band[:, index]
    axes.axhspan(low, high, color="#1f6fb4", alpha=0.15, label=f"{BAND[1] - BAND[0]} % of real music")
    axes.axhline(float(np.nanmedian(long_run.real[:, index])), color="#1f6fb4", linewidth=1, label="its median")
    for piece in long_run.generated:
        minutes = [(stretch.start_s + STRETCH_S / 2) / 60 for stretch in piece]
        axes.plot(minutes, [stretch.values[index] for stretch in piece], color="#d9541e", alpha=0.5, linewidth=1)
    axes.plot([], [], color="#d9541e", label="generated pieces")
    axes.set_title(name, fontsize="medium")


def _read(folder: Path) -> Iterator[tuple[NoteArray, tuple[NoteArray, NoteArray] | None]]:
    """Yield the new notes of each file, from 0 s on, and its primer and continuation if it has both."""
    files = midi_files(folder)
    if not files:
        raise CorpusError(f"{folder}: there are no MIDI files in this folder")
    for path in tqdm(files, desc="generated music", unit="file"):
        try:
            tracks = read_tracks(path, warn=tqdm.write)
        except MidiFileError as fault:
            tqdm.write(f"left out: {fault}")
            continue
        made = [track for track in tracks if track.name == "continuation"]
        primer = merge_tracks([track for track in tracks if track.name != "continuation"]).notes
        new = merge_tracks(made or tracks).notes
        has_both = bool(made) and min(new.size, primer.size) >= _FEWEST_NOTES
        yield _from_zero(new), (primer, new) if has_both else None


def _from_zero(notes: NoteArray) -> NoteArray:
    moved = notes.copy()
    moved["onset_s"] -= moved["onset_s"][:1].sum()
    return moved


def _stretches(notes: NoteArray) -> Iterator[Stretch]:
    return stretches(notes, float((notes["onset_s"] + notes["duration_s"]).max(initial=0.0)))


def _real_values(real: Sequence[NoteArray]) -> NDArray[np.float64]:
    values = [stretch.values for notes in real for stretch in _stretches(_from_zero(notes))]
    if not values:
        raise CorpusError(f"no real piece lasts {STRETCH_S:.0f} s: there is nothing to compare with")
    return np.array(values)


def _excerpt(real: Sequence[NoteArray], rng: np.random.Generator) -> NoteArray:
    """Return some seconds of some real piece; one with a few notes at least."""
    for _ in range(_MOST_TRIES):
        notes = real[int(rng.integers(len(real)))]
        start_s = float(notes["onset_s"][int(rng.integers(notes.size))])
        excerpt = notes[(notes["onset_s"] >= start_s) & (notes["onset_s"] < start_s + EXCERPT_S)]
        if excerpt.size >= _FEWEST_NOTES:
            return excerpt
    raise CorpusError("the real music is too thin to be compared with: name a corpus of whole pieces")


def _as_json(long_run: LongRun, nearness: Nearness | None) -> dict[str, Any]:
    low, high = long_run.band
    within = long_run.share_within()
    figure = _figure(long_run, nearness)
    content: dict[str, Any] = {"figure": figure.value, "error": figure.error}
    content |= {
        name: {"low": low[index], "high": high[index], "share_within": within[index]}
        for index, name in enumerate(STATISTICS)
    }
    if nearness is not None:
        content["continuations"] = {
            name: {
                "continuation": nearness.continuation[index],
                "other": nearness.real[index],
                "nearer": nearness.nearer[index],
            }
            for index, name in enumerate(TRAITS)
        }
    return content
