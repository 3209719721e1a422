"""Draw the pictures of docs/offline.md anew, with the embedded model: `python docs/tasks/draw.py`, some minutes.

The piece is beside this file: the beginning of Schubert's Moment musical no. 3 (op. 94, D 780), as it is played in
https://github.com/cemfi/hannds (MIT License, copyright 2017 cemfi). The noise on it is drawn with a fixed seed.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from tqdm import tqdm

from piano.midi.file import MidiTrack, read_performance, write_performance
from piano.notes import NoteArray, Performance, sort_notes

HERE = Path(__file__).parent
PIECE = HERE / "moment.mid"
SAME = ("--seed", "7", "--plot", "--plot-span", "1-15")
COMMAND = re.compile(r"^!\[(?P<command>[^\]]+)\]\(tasks/(?P<picture>[a-z-]+\.png)\)$", re.MULTILINE)

_RNG = np.random.default_rng(7)


def off_in_time(notes: NoteArray) -> None:
    """Move onsets by N(0, 80 ms)."""
    notes["onset_s"] = np.maximum(notes["onset_s"] + _RNG.normal(0, 0.08, notes.size), 0)


def off_in_length(notes: NoteArray) -> None:
    """Change lengths by N(0, 80 ms)."""
    notes["duration_s"] = np.maximum(notes["duration_s"] + _RNG.normal(0, 0.08, notes.size), 0.03)


def wrong_keys(notes: NoteArray) -> None:
    """Miss one key in twenty by a semitone or two."""
    missed = _RNG.random(notes.size) < 0.05
    notes["pitch"][missed] += _RNG.choice(np.array([-2, -1, 1, 2]), int(missed.sum())).astype(np.int8).astype(np.uint8)


def noisy_velocities(notes: NoteArray) -> None:
    """Read velocities with N(0, 30)."""
    notes["velocity"] = np.clip(np.rint(notes["velocity"] + _RNG.normal(0, 30, notes.size)), 1, 127)


def curved_velocities(notes: NoteArray) -> None:
    """Read velocities by a keyboard whose curve is wrong."""
    notes["velocity"] = np.clip(np.rint(127 * (notes["velocity"] / 127) ** 2.2), 1, 127)


NOISE: dict[str, tuple[Callable[[NoteArray], None], ...]] = {
    "off-80-ms.mid": (off_in_time,),
    "off-in-time.mid": (off_in_time, off_in_length),
    "slips.mid": (wrong_keys,),
    "all-of-it.mid": (off_in_time, off_in_length, wrong_keys, noisy_velocities),
    "curve.mid": (curved_velocities,),
    "noisy.mid": (noisy_velocities,),
}
"""The inputs that are not the piece itself, and what lies on each."""


def make_inputs(folder: Path) -> None:
    """Write the piece, and the piece with each noise, to a folder."""
    piece = read_performance(PIECE)
    (folder / PIECE.name).write_bytes(PIECE.read_bytes())
    for name, faults in NOISE.items():
        notes = piece.notes.copy()
        for fault in faults:
            fault(notes)
        write_performance(folder / name, [MidiTrack("piano", Performance(sort_notes(notes), piece.pedals))])


def main() -> None:
    """Run every command that docs/offline.md shows a picture of, and put the picture in its place."""
    shown = COMMAND.findall((HERE.parent / "offline.md").read_text(encoding="utf-8"))
    with TemporaryDirectory() as name:
        folder = Path(name)
        make_inputs(folder)
        for command, picture in tqdm(shown, unit="picture"):
            out = folder / f"{Path(picture).stem}.mid"
            what, file, *flags = command.split()
            run = [sys.executable, "-m", "realtime", what, str(folder / file), *flags, "--out", str(out), *SAME]
            subprocess.run(run, check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            (HERE / picture).write_bytes(out.with_suffix(".png").read_bytes())


if __name__ == "__main__":
    main()
