"""The command line of training: `python -m train COMMAND`, from `fetch` and `prepare` to `fit` and `evaluate`.

Each sub-command lives in a module of its own with `add_arguments(parser)` and `run(args) -> int`, which is imported
only when its name is given: preparing a corpus needs no torch.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence

from piano.interrupted import held_back
from train.command_end import ended

COMMANDS = {
    "fetch": ("train.corpus.fetch", "bring a public data set here"),
    "prepare": ("train.corpus.prepare", "turn MIDI files into one note cache"),
    "unpack": ("train.corpus.unpack", "lay a note cache out on the disk, so that it is read piece by piece"),
    "fit": ("train.fit.command", "train a model on a note cache"),
    "curve": ("train.fit.curve", "draw how the bits per note of one or more runs went down"),
    "pack": ("train.pack.command", "make one folder that trains a recipe on another machine, without a network"),
    "join": ("train.pack.join", "put together the checkpoint that a packed run brought back"),
    "grow": ("train.model.grow", "make a checkpoint deeper or wider that begins as the same function"),
    "note-posterior": ("train.fit.note_posterior", "train the network that tells how far noisy notes were moved"),
    "shrink": ("train.model.shrink", "write a checkpoint with weights of 16 bits, half as large"),
    "evaluate": ("train.evaluate.command", "measure a model in bits per note"),
    "primers": ("train.sampling_study.primers", "cut excerpts of real music, to be gone on with"),
    "trials": ("train.trials.command", "try what a recipe should be, on small models at equal compute"),
    "grid": ("train.sampling_study.grid", "let a bundle play in several ways of sampling"),
    "compare": ("train.sampling_study.compare", "hold generated music against real music"),
    "tell": ("train.sampling_study.tell", "see whether generated music can be told from real music, and by what"),
    "round-trip": ("train.corpus.round_trip", "check that tokens keep every note of a note cache"),
}
"""The module of each sub-command, and what the help says of it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sub-command that the arguments name and return the exit status, see `ended`."""
    given = sys.argv[1:] if arguments is None else arguments

    def run() -> int:
        args = _parse(given)
        return int(args.run(args))

    return ended(" ".join(("python -m train", *given[:1])), run)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return what the arguments say; the module of the sub-command is imported here, which may take seconds."""
    parser = argparse.ArgumentParser(prog="python -m train", description="Train and measure models of piano music.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    named = arguments[0] if arguments else None
    for name, (module_name, summary) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        if name == named:
            with held_back():
                module = importlib.import_module(module_name)
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
