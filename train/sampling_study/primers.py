"""`python -m train primers`: excerpts of real music as MIDI files, to be gone on with; and what truly follows."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from piano.errors import CorpusError, PianodError
from piano.midi.file import MidiTrack, write_performance
from piano.notes import Performance
from piano.whole_file import write_report
from train.corpus.note_cache import NoteCache
from train.evaluate.excerpts import ExcerptPlan, cut, draw_excerpts

PRIMER, CONTINUATION = "primer", "continuation"
"""The name of the track with what follows."""

PIECES_NAME = "pieces.json"
"""The file beside what follows that says which piece each excerpt is from, by its number."""

_SEED = 7


def add_arguments(parser: argparse.ArgumentParser) -> None:
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
    works, pieces = primer_works(cache, numbers), dict[str, str]()
    for number, both in enumerate(draw_excerpts(cache, numbers, ExcerptPlan(args.count, 2 * args.seconds, args.seed))):
        primer = cut(both.performance, 0.0, args.seconds, None, both.name).performance
        after = cut(both.performance, args.seconds, 2 * args.seconds, None, both.name).performance
        _write(args.out, number, [MidiTrack(PRIMER, primer)])
        if args.truth is not None:
            truth = [MidiTrack(PRIMER, primer), MidiTrack(CONTINUATION, _later(after, args.seconds))]
            _write(args.truth, number, truth)
        pieces[_name(number)] = works[both.file]
    if args.truth is not None:
        _write_pieces(args.truth, pieces)
    print(f"{args.out}: {args.count} excerpts of {args.seconds:g} s")
    return 0


def primer_works(cache: NoteCache, numbers: Sequence[int]) -> Mapping[str, str]:
    """Return the work that each piece is a performance of, by its file: composer and title, or the file's own name."""
    pieces = (cache.pieces[number] for number in numbers)
    return {piece.file: f"{piece.composer}: {piece.title}" if piece.title else piece.file for piece in pieces}


def read_pieces(folder: Path) -> Mapping[str, str]:
    """Return which work each excerpt is from, by its number, as `primers --truth` wrote it; else a PianodError."""
    try:
        content = json.loads((folder / PIECES_NAME).read_text())
        return {str(number): str(piece) for number, piece in content.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise PianodError(
            f"{folder / PIECES_NAME}: cannot be read ({error}); `python -m train primers --truth {folder}` writes it"
        ) from error


def _write_pieces(folder: Path, pieces: Mapping[str, str]) -> None:
    try:
        write_report(folder / PIECES_NAME, json.dumps(pieces, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise PianodError(f"{error.filename}: cannot be written ({error.strerror}); choose another place") from error


def _name(number: int) -> str:
    return f"{number + 1:02}"


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
    write_performance(folder / f"{_name(number)}.mid", tracks)
