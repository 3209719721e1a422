"""What `python -m export` does: a checkpoint is loaded, exported and verified, and what was found is printed."""

import argparse
import math
from pathlib import Path

from export.exporter import ExportOptions, export_bundle
from export.graph import PRECISIONS
from export.music import MADE_UP, music_windows
from export.quantise import BLOCK_SIZES
from export.verify import Verification
from train.model.checkpoint import load_checkpoint


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="folder of the checkpoint")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="BUNDLE", help="folder of the new bundle")
    parser.add_argument(
        "--music",
        type=Path,
        metavar="FILE",
        help="a note cache or a MIDI file to verify on; notes made up at random if not given",
    )
    parser.add_argument("--windows", type=_positive, default=16, help="windows of music to verify on (default: 16)")
    parser.add_argument("--precision", choices=PRECISIONS, default="int8", help="of the weights (default: int8)")
    parser.add_argument(
        "--block", type=int, choices=BLOCK_SIZES, default=BLOCK_SIZES[0], help="weights with one scale (default: 128)"
    )
    parser.add_argument(
        "--portable",
        action="store_true",
        help="add the graph of standard operators, which a GPU needs; in single precision, it is four times as large",
    )
    parser.add_argument("--licence", help="licence of the model; that of its training data if not given")
    parser.add_argument(
        "--figure", type=_figure, action="append", default=[], metavar="NAME=NUMBER", help="one more measured figure"
    )


def run(args: argparse.Namespace) -> int:
    """Export a checkpoint, print what was verified, and return the exit status."""
    model, metadata = load_checkpoint(args.checkpoint)
    windows = music_windows(args.music, length=model.config.context, count=args.windows)
    options = ExportOptions(args.precision, args.block, args.portable, args.licence, dict(args.figure))
    found = export_bundle(model, metadata, args.output, windows, options)
    print(report(found, args.output, str(args.music or MADE_UP), len(windows)))
    return 0


def report(found: Verification, folder: Path, music: str, windows: int) -> str:
    """Return what a person should know of an export."""
    size = sum(path.stat().st_size for path in folder.iterdir())
    return "\n".join(
        (
            f"{folder}: {size / 1e6:.2f} MB",
            f"  verified on {found.verified_tokens} tokens in {windows} windows of {music}",
            f"  against PyTorch: logits within {found.largest_logit_error:.3g}, "
            f"divergence {found.divergence_nats_per_token:.2g} nats a token",
            f"  singly, in chunks, after rollbacks: logits within {found.portioning_logit_error:.3g}, "
            f"divergence {found.portioning_divergence_nats_per_token:.2g} nats a token",
            f"  bits per note: {found.torch_bits_per_note:.3f} in PyTorch, {found.export_bits_per_note:.3f} exported "
            f"({found.change_percent:+.3f} %)",
        )
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {number}")
    return number


def _figure(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        value = float(number)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=NUMBER") from error
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{name} must be a finite number, not {number}")
    return name, value
