"""`python -m train primers`: excerpts of real music as MIDI files, to be gone on with; and what truly follows."""

import argparse
from pathlib import Path

from piano.errors import CorpusError, PianodError
from piano.midi_file import MidiTrack, write_performance
from piano.notes import Performance
from train.corpus import NoteCache
from train.excerpts import ExcerptPlan, cut, draw_excerpts

_SEED = 7


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("--corpus", type=Path, required=True, help="the note cache of real music")
    parser.add_argument("--split", default="validation", help="default: %(default)s")
    parser.add_argument("--dataset", action="append", help="only this dataset of the corpus; may be repeated")
    parser.add_argument("--count", type=int, default=24, help="excerpts; default: %(default)s")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long each is; default: %(default)s")
    parser.add_argument("--seed", type=int, default=_SEED, help="places of the excerpts; default: %(default)s")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where to write the excerpts")
    parser.add_argument(
        "--truth", type=Path, metavar="FOLDER", help="write them there too with what follows as their continuation"
    )


def run(args: argparse.Namespace) -> int:
    """Write the excerpts; return the exit status."""
    if args.count < 1 or args.seconds <= 0:
        raise PianodError("--count and --seconds are above 0")
    cache = NoteCache.load(args.corpus)
    numbers = cache.select(split=args.split, datasets=args.dataset)
    if not numbers:
        raise CorpusError(f"{args.corpus}: there are no pieces of split {args.split!r} to take excerpts from")
    for number, both in enumerate(draw_excerpts(cache, numbers, ExcerptPlan(args.count, 2 * args.seconds, args.seed))):
        primer = cut(both.performance, 0.0, args.seconds, None, both.name).performance
        after = cut(both.performance, args.seconds, 2 * args.seconds, None, both.name).performance
        _write(args.out, number, [MidiTrack("primer", primer)])
        if args.truth is not None:
            truth = [MidiTrack("primer", primer), MidiTrack("continuation", _later(after, args.seconds))]
            _write(args.truth, number, truth)
    print(f"{args.out}: {args.count} excerpts of {args.seconds:g} s")
    return 0


def _later(performance: Performance, by_s: float) -> Performance:
    notes, pedals = performance.notes.copy(), performance.pedals.copy()
    notes["onset_s"] += by_s
    pedals["time_s"] += by_s
    return Performance(notes, pedals)


def _write(folder: Path, number: int, tracks: list[MidiTrack]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PianodError(f"{folder}: cannot be made ({error.strerror}); choose another place") from error
    write_performance(folder / f"{number + 1:02}.mid", tracks)
