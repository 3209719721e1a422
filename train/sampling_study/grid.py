"""`python -m train grid BUNDLE`: pieces and continuations in several ways of sampling, for `compare` to choose from."""

import argparse
from pathlib import Path

import numpy as np

from piano.errors import CorpusError, PianodError
from piano.midi.file import MidiTrack, read_performance, write_performance
from piano.notes import Performance
from piano.sampling.density_guard import drawn_notes_per_s
from piano.sampling.sampler import SamplingSettings
from piano.solve.limits import ENDS_EVENT
from piano.tokens.encoding import decode, encode
from piano.tokens.vocabulary import STEP_S, VOCABULARY, Kind
from train.corpus.sources import midi_files
from train.sampling_study.side_by_side import ExcerptRequest, PlayedPiece, play_side_by_side


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, help="the folder of the model's bundle")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="a folder for each way goes here")
    parser.add_argument(
        "--way", action="append", required=True, metavar="NAME:SETTING=NUMBER,…",
        help="a way of sampling, such as tame:temperature=0.9,top_p=0.95; what is not named is off; may be repeated",
    )  # fmt: skip
    parser.add_argument("--pieces", type=int, default=8, help="pieces from nothing; default: %(default)s")
    parser.add_argument("--tokens", type=int, default=10_000, help="how long each is; default: %(default)s")
    parser.add_argument("--primers", type=Path, metavar="FOLDER", help="MIDI files to be gone on with")
    parser.add_argument(
        "--primer-tokens", type=int, default=700, help="how much of each is heard; shorter ones are left out (700)"
    )
    parser.add_argument("--more-tokens", type=int, default=900, help="how long continuations are (900)")
    parser.add_argument("--seed", type=int, default=1000, help="of the first piece; default: %(default)s")


def run(args: argparse.Namespace) -> int:
    """Play, and write one MIDI file for each piece and continuation; return the exit status."""
    ways = dict(way_of(text) for text in args.way)
    primers = [] if args.primers is None else _primers(args.primers, args.primer_tokens)
    for name, sampling in ways.items():
        folder = args.out / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PianodError(f"{folder}: cannot be made ({error.strerror}); choose another place") from error
        seeds = range(args.seed, args.seed + args.pieces)
        new = [ExcerptRequest(seed, sampling, drawn_notes_per_s(seed)) for seed in seeds]
        for number, piece in enumerate(play_side_by_side(args.bundle, new, args.tokens, ["opening"]), 1):
            write_performance(folder / f"piece-{number:02}.mid", [MidiTrack("piece", _performance(piece))])
        continued = [
            ExcerptRequest(args.seed + number, sampling, primer=primer) for number, primer in enumerate(primers)
        ]
        for number, piece in enumerate(play_side_by_side(args.bundle, continued, args.more_tokens), 1):
            write_performance(folder / f"continued-{number:02}.mid", _parted(piece))
        print(f"{folder}: {args.pieces} pieces, {len(primers)} continuations", flush=True)
    return 0


def way_of(text: str) -> tuple[str, SamplingSettings]:
    """Return the name of a way of sampling and its settings; PianodError if they are none."""
    name, _, told = text.partition(":")
    try:
        pairs = [pair.split("=") for pair in told.split(",") if pair]
        settings = {key: int(value) if key == "top_k" else float(value) for key, value in pairs}
        return name, SamplingSettings(**settings)  # type: ignore[arg-type]
    except (ValueError, TypeError) as error:
        raise PianodError(f"--way {text}: {error}; write NAME:temperature=0.95,top_p=0.98") from error


def _primers(folder: Path, length: int) -> list[tuple[int, ...]]:
    """Return the first tokens of the files that have as many, where those end with an event."""
    files = midi_files(folder)
    streams = [encode(read_performance(path, warn=print)) for path in files]
    primers = [tuple(stream[:length].tolist()) for stream in streams if stream.size >= length]
    primers = [primer for primer in primers if ENDS_EVENT[primer[-1]]]
    if not primers:
        raise CorpusError(f"{folder}: no MIDI file there has {length} tokens up to the end of an event")
    return primers


def _performance(piece: PlayedPiece) -> Performance:
    return decode(np.asarray(piece.tokens, np.int32)).performance


def _parted(piece: PlayedPiece) -> list[MidiTrack]:
    """Return what was heard and what was played on as two tracks."""
    whole = _performance(piece)
    heard = np.asarray(piece.tokens[: piece.heard])
    end_s = STEP_S * int(VOCABULARY.values[heard][VOCABULARY.kinds[heard] == Kind.TIME].sum())
    is_heard = whole.notes["onset_s"] <= end_s + STEP_S / 2
    pedal_is_heard = whole.pedals["time_s"] <= end_s + STEP_S / 2
    return [
        MidiTrack(name, Performance(whole.notes[notes], whole.pedals[pedals]))
        for name, notes, pedals in (
            ("primer", is_heard, pedal_is_heard),
            ("continuation", ~is_heard, ~pedal_is_heard),
        )
    ]
