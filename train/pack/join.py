"""`python -m train join PARTS OUT`: the checkpoint that a packed run brought back, put together and checked."""

import argparse
from pathlib import Path

from train.model.checkpoint import load_checkpoint
from train.pack.parts import join_parts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("parts", type=Path, metavar="PARTS", help="the folder that a packed run brought back")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder of the checkpoint")


def run(args: argparse.Namespace) -> int:
    join_parts(args.parts, args.out)
    model, metadata = load_checkpoint(args.out)
    bits = metadata.get("validation_bits_per_note")
    said = "never validated" if bits is None else f"{bits:.2f} bits a note on validation"
    print(f"{args.out}: {model.parameter_count() / 1e6:.1f} M parameters, step {metadata.get('step')}, {said}")
    return 0
