"""`python -m train shrink CHECKPOINT OUT`: a checkpoint with weights of 16 bits, as `models/` holds them.

Training computes in 16 bits anyway, and what is exported has 8. A run is gone on with from `state.pt`, which keeps all.
"""

import argparse
from pathlib import Path

import torch

from piano.errors import CheckpointError
from train.model.checkpoint import load_checkpoint, save_checkpoint


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="folder of a checkpoint, as runs/X/best")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder of the new one, as models/X")


def run(args: argparse.Namespace) -> int:
    if args.out.resolve() == args.checkpoint.resolve():
        raise CheckpointError(f"{args.out}: would be written over with fewer bits; choose another folder")
    model, metadata = load_checkpoint(args.checkpoint)
    save_checkpoint(args.out, model, metadata, torch.float16)
    size = sum(path.stat().st_size for path in args.out.iterdir())
    print(f"{args.out}: {size / 1e6:.1f} MB")
    return 0
