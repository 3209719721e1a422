"""`python -m train evaluate TARGET`: what a model costs in bits per note on whole performances, beside n-grams."""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from piano.errors import ConfigError, CorpusError, MidiFileError, PianodError
from piano.midi.file import read_performance
from piano.tokens.encoding import TokenArray, encode
from piano.whole_file import write_report
from train.corpus.cleaning import clean
from train.corpus.note_cache import NoteCache
from train.corpus.sources import midi_files
from train.evaluate import task_evaluation
from train.evaluate.with_cues import with_cues
from train.places import add_place_arguments, place_of
from train.predictors.ngram import NGram
from train.predictors.scoring import PARTS, Scorer, Tally, WindowScorer, tally
from train.predictors.scoring_job import Asked, ScoringJob, Way, tally_all
from train.predictors.targets import checksum_of, load_predictor
from train.tables import text_table
from workers.place import LIMIT_S
from workers.result_list import ResultList

NGRAM = "ngram"
_DEFAULT_ORDER = 4


@dataclass(frozen=True, slots=True)
class Measured:
    """One row of the table: a model, and what it came to on each dataset."""

    name: str
    datasets: dict[str, Tally]

    @property
    def total(self) -> Tally:
        """Return all datasets together."""
        return sum(self.datasets.values(), Tally())

    def to_json(self) -> dict[str, Any]:
        """Return the figures of all datasets together, and of each under `datasets`."""
        return {
            "model": self.name,
            **self.total.to_json(),
            "datasets": {name: figures.to_json() for name, figures in self.datasets.items()},
        }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", help=f"folder of a checkpoint or of a bundle, `embedded`, or `{NGRAM}` alone")
    parser.add_argument("--corpus", type=Path, help="the note cache that `prepare` wrote")
    parser.add_argument("--split", help="the split of the corpus to measure on (default: test; validation for tasks)")
    parser.add_argument("--dataset", action="append", help="only this dataset of the corpus; may be repeated")
    parser.add_argument("--midi", "--folder", type=Path, help="measure on the MIDI files there instead of a split")
    parser.add_argument("--limit", type=int, metavar="PIECES", help="only the first so many performances")
    parser.add_argument(
        "--ngram", type=int, nargs="+", default=[], metavar="ORDER", help="also n-grams of the corpus's training split"
    )
    parser.add_argument(
        "--cues",
        action="store_true",
        help="with and without beats and chords told, where the corpus has them annotated",
    )
    parser.add_argument("--batch", type=int, default=8, help="windows computed together (default: %(default)s)")
    parser.add_argument("--bf16", action="store_true", help="a checkpoint in half precision: faster where there is AMX")
    parser.add_argument(
        "--recall",
        type=float,
        nargs="+",
        default=[],
        metavar="X",
        help="also mixed with the memory of what came before in the piece, so strongly; 1 fits real music best",
    )
    parser.add_argument(
        "--pulse",
        type=float,
        nargs="+",
        default=[],
        metavar="X",
        help="beside each --recall, also leaning on the rhythm that is going on, as pulse_guard does",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file")
    add_place_arguments(parser, "the performances, or the answers that are sampled", limit_s=LIMIT_S)
    task_evaluation.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Measure, print the table, and write the figures; return the exit status."""
    _check(args)
    place_of(args)
    if args.tasks:
        return task_evaluation.run(args)
    orders = args.ngram or ([_DEFAULT_ORDER] if args.target == NGRAM else [])
    cache = NoteCache.load(args.corpus) if args.corpus else None
    pieces = _midi_pieces(args.midi) if args.midi else _corpus_pieces(cache, args.split or "test", args.dataset)
    pieces = pieces[: args.limit]
    rows = _model_rows(args, pieces, cache) if args.target != NGRAM else []
    if orders and cache:
        ngrams = _ngrams(cache, args.dataset, orders)
        places = [row.name.startswith("told: ") for row in rows]
        at = places.index(True) if True in places else len(rows)
        rows[at:at] = [Measured(name, tally(ngrams[name], _streams(pieces, cache, name))) for name in ngrams]
    if not rows[0].total.notes:
        raise CorpusError("there is not one note in the performances to measure on")
    print(bits_table(rows))
    print(parts_table(rows))
    if args.json:
        _write(args.json, rows, args)
    return 0


def _model_rows(args: argparse.Namespace, pieces: list[int | Path], cache: NoteCache | None) -> list[Measured]:
    """Return the rows of the model: as it is, in each way of remembering, and with cues."""
    ways = {args.target: Way()}
    for recall in args.recall:
        name = f"{args.target}, recall {recall:g}"
        ways[name] = Way(recall)
        ways |= {f"{name}, pulse {pulse:g}": Way(recall, pulse) for pulse in args.pulse}

    def asked() -> Iterator[Asked]:
        for row, way in ways.items():
            for name, events in _streams(pieces, cache, row):
                yield Asked(row, name, events, way)
        if args.cues and cache:
            yield from with_cues(cache, [piece for piece in pieces if isinstance(piece, int)])

    job = ScoringJob(args.target, checksum_of(args.target), args.batch, args.bf16)
    found = tally_all(job, asked(), place_of(args), ResultList(args.resume))
    return [Measured(row, found.get(row, {})) for row in {**ways, **dict.fromkeys(found)}]


def load_scorer(target: str, *, batch: int = 8, bf16: bool = False) -> WindowScorer:
    """Load a checkpoint or a bundle, see `train.predictors.targets`, as a scorer of whole performances."""
    return WindowScorer(load_predictor(target, bf16=bf16), batch)


def bits_table(rows: Sequence[Measured]) -> str:
    """Return the figures of all models as text, and below a model its figures on each of several datasets."""
    lines: list[tuple[str, ...]] = []
    for row in rows:
        parts = [(f"  {name}", part) for name, part in row.datasets.items()] if len(row.datasets) > 1 else []
        for name, figures in [(row.name, row.total), *parts]:
            counts = (f"{figures.pieces:,}", f"{figures.notes:,}", f"{figures.tokens_per_note:.3f}")
            lines.append((name, *counts, f"{figures.nats_per_token:.4f}", f"{figures.bits_per_note:.2f}"))
    return text_table(("", "pieces", "notes", "tokens/note", "nats/token", "bits/note"), lines)


def parts_table(rows: Sequence[Measured]) -> str:
    """Return what the bits per note of each model are paid for, as text; what is not told is left empty."""
    bits = [["" if value is None else f"{value:.2f}" for value in row.total.bits_by_part.values()] for row in rows]
    return text_table(("bits/note for", *PARTS), [(row.name, *of) for row, of in zip(rows, bits, strict=True)])


def _check(args: argparse.Namespace) -> None:
    """Report every fault of the arguments at once, before any work."""
    faults = []
    if args.midi and args.split:
        faults.append("--midi and --split exclude each other")
    if not args.corpus and not args.midi:
        faults.append("--corpus CACHE or --midi FOLDER is needed: what to measure on")
    if not args.corpus and (args.ngram or args.target == NGRAM):
        faults.append("n-grams are trained on the corpus: --corpus CACHE is needed")
    if args.cues and (not args.corpus or args.target == NGRAM):
        faults.append("--cues asks for a model and for a corpus, whose cache holds the cues: --corpus CACHE")
    if min(args.ngram, default=1) < 1:
        faults.append("--ngram: an order is 1 or more")
    if min(args.recall, default=0) < 0:
        faults.append("--recall is 0 or more")
    if args.batch < 1 or (args.limit is not None and args.limit < 1):
        faults.append("--batch and --limit are 1 or more")
    if args.json and not args.json.resolve().parent.is_dir():
        faults.append(f"--json {args.json}: there is no such folder")
    if faults:
        raise ConfigError("\n".join(["the arguments of evaluate", *(f"  {fault}" for fault in faults)]))


def _corpus_pieces(cache: NoteCache | None, split: str, datasets: list[str] | None) -> list[int | Path]:
    pieces: list[int | Path] = [*cache.select(split=split, datasets=datasets)] if cache else []
    if not pieces:
        raise CorpusError(f"the corpus has no pieces of split {split!r}" + (f" in {datasets}" if datasets else ""))
    return pieces


def _midi_pieces(folder: Path) -> list[int | Path]:
    files: list[int | Path] = [*midi_files(folder)]
    if not files:
        raise CorpusError(f"{folder}: there are no MIDI files in this folder")
    return files


def _streams(pieces: list[int | Path], cache: NoteCache | None, model: str) -> Iterator[tuple[str, TokenArray]]:
    """Yield the dataset and the event tokens of each piece, a number in the cache or a MIDI file; damaged files not."""
    for piece in tqdm(pieces, desc=model, unit="piece"):
        if isinstance(piece, Path):
            try:
                yield "midi", encode(clean(read_performance(piece, warn=tqdm.write)).performance)
            except MidiFileError as fault:
                tqdm.write(f"left out: {fault}")
        elif cache:
            yield cache.pieces[piece].dataset, encode(cache.performance(piece))


def _ngrams(cache: NoteCache, datasets: list[str] | None, orders: list[int]) -> dict[str, Scorer]:
    """Train n-grams on the training split of the datasets."""
    pieces = _corpus_pieces(cache, "train", datasets)
    training = [events for _, events in _streams(pieces, cache, "n-gram: encoding")]
    longest = NGram.fit(training, max(orders), progress=True)
    return {f"{NGRAM}-{order}": longest.shortened(order) for order in orders}


def _write(path: Path, rows: Sequence[Measured], args: argparse.Namespace) -> None:
    """Write the first row's figures as JSON, and all other rows under `baselines`."""
    source = {"midi": str(args.midi)} if args.midi else {"split": args.split or "test"}
    content = {**source, **rows[0].to_json(), "baselines": {row.name: row.to_json() for row in rows[1:]}}
    try:
        write_report(path, json.dumps(content, indent=2) + "\n")
    except OSError as fault:
        raise PianodError(f"{path}: cannot be written ({fault.strerror}); choose another --json") from fault
