"""`python -m train pack RECIPE OUT`: one folder that trains the recipe on another machine, without a network.

    run.py          begins the run: `python3 OUT/run.py --minutes 9`
    python.txt      the Python that it needs
    packages.zip    the packages `piano` and `train`, and what they import that a machine with PyTorch may not have
    notes.cache     the pieces that the recipe trains and validates on, no others, packed tighter
    recipe.json     the recipe, checked
    init/           the checkpoint to start from, if there is one, in 16 bits

Everything but the archive, which `run.py` unpacks beside itself, is used where it lies.
"""

import argparse
import platform
import shutil
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import torch

import piano
import train
from piano.cue_arrays import CueArray
from piano.errors import ConfigError
from piano.notes import Performance
from train.corpus.note_cache import CACHE_NAME, NoteCache, pack
from train.fit.batches import used_pieces
from train.model.checkpoint import load_checkpoint, save_checkpoint
from train.model.gpt2 import GPT2, GPT2Config
from train.model.warm_start import with_later_tokens
from train.pack.packed_run import CODE, INIT, PYTHON, RECIPE, SITE
from train.pack.parts import check_size
from train.pack.site import fill_site
from train.recipe import Recipe, load_recipe

_RUN = '''"""Train what is packed here: python3 run.py --minutes 9"""

import sys
import time
import zipfile
from pathlib import Path

began_s = time.monotonic()
here = Path(__file__).resolve().parent
made_for = (here / "python.txt").read_text().strip()
if made_for != "{}.{}".format(*sys.version_info[:2]):
    sys.exit("packed for Python " + made_for + ", this is " + sys.version.split()[0] + ": pack again with --python")
packages = here / "unpacked"
if not packages.is_dir():
    with zipfile.ZipFile(here / "packages.zip") as archive:
        archive.extractall(packages)
sys.path[:0] = [str(packages / "code"), str(packages / "site")]

from train.pack.packed_run import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(here, began_s))
'''


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", type=Path, help="a TOML file, such as configs/concert.toml")
    parser.add_argument("out", type=Path, metavar="OUT", help="the new folder")
    parser.add_argument("--corpus", type=Path, required=True, help="a note cache")
    parser.add_argument("--init", type=Path, help="a checkpoint whose weights to start from")
    parser.add_argument(
        "--grid-ms",
        type=int,
        choices=range(1, 11),
        default=1,
        metavar="1…10",
        help="keep times as multiples of so many milliseconds; a token counts 10 (default: 1)",
    )
    parser.add_argument(
        "--python",
        default=".".join(platform.python_version_tuple()[:2]),
        metavar="3.12",
        help="the Python there (default: as here); for another one, packages are fetched, for Linux on x86-64",
    )


def run(args: argparse.Namespace) -> int:
    recipe, out = load_recipe(args.recipe), args.out
    if out.exists() and any(out.iterdir()) and not (out / "run.py").is_file():
        raise ConfigError(f"{out}: holds something else than a packed run; choose another folder")
    cache = NoteCache.load(args.corpus)
    shape = recipe.model
    check_size(GPT2(GPT2Config(1024, shape.context, shape.layers, shape.heads, shape.width)).parameter_count())
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    write_packages(out, args.python)
    write_cache(recipe, cache, out / CACHE_NAME, args.grid_ms)
    (out / RECIPE).write_text(recipe.model_dump_json(indent=1) + "\n")
    (out / PYTHON).write_text(args.python + "\n")
    if args.init:
        model, metadata = load_checkpoint(args.init, of_older=True)
        save_checkpoint(out / INIT, with_later_tokens(model), metadata, torch.float16)
    (out / "run.py").write_text(_RUN)
    print(sizes(out))
    return 0


def write_packages(out: Path, python: str) -> None:
    """Write the code and what it imports into one archive; ConfigError if packages for that Python cannot be had."""
    with tempfile.TemporaryDirectory() as scratch:
        for package in (piano, train):
            source = Path(str(package.__file__)).parent
            shutil.copytree(source, Path(scratch) / CODE / source.name, ignore=_all_but_code)
        fill_site(Path(scratch) / SITE, python)
        shutil.make_archive(str(out / "packages"), "zip", scratch)


def write_cache(recipe: Recipe, cache: NoteCache, path: Path, grid_ms: int) -> None:
    """Write the pieces that a recipe learns from and is validated on, compressed by LZMA."""
    validation = used_pieces(recipe, cache, "validation", recipe.schedule.validation_datasets)
    kept = sorted({*used_pieces(recipe, cache, "train"), *validation})
    if grid_ms > 1:
        packed = [pack(on_grid(cache.performance(index), cache.cues(index), grid_ms)) for index in kept]
        NoteCache.join([cache.pieces[index] for index in kept], packed).save(path)
    else:
        cache.part(kept).save(path)
    loose = path.with_name(path.name + ".loose")
    path.rename(loose)
    with zipfile.ZipFile(loose) as before, zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as tight:
        for name in before.namelist():
            tight.writestr(name, before.read(name))
    loose.unlink()


def on_grid(performance: Performance, cues: CueArray, grid_ms: int) -> Performance:
    """Return a performance and its cues with all times at multiples of `grid_ms`; a note lasts one of them at least."""
    notes, pedals, cues = performance.notes.copy(), performance.pedals.copy(), cues.copy()
    grid_s = grid_ms / 1000
    end_s = np.rint((notes["onset_s"] + notes["duration_s"]) / grid_s) * grid_s
    notes["onset_s"] = np.rint(notes["onset_s"] / grid_s) * grid_s
    notes["duration_s"] = np.maximum(end_s - notes["onset_s"], grid_s)
    for part in (pedals, cues):
        part["time_s"] = np.rint(part["time_s"] / grid_s) * grid_s
    return Performance(notes, pedals, cues)


def sizes(folder: Path) -> str:
    """Return what each part of a packed run weighs."""
    found = {
        entry.name: sum(path.stat().st_size for path in (entry.rglob("*") if entry.is_dir() else [entry]))
        for entry in sorted(folder.iterdir())
    }
    lines = [f"  {name:<12} {size / 2**20:6.2f} MiB" for name, size in found.items() if size >= 2**12]
    return "\n".join([f"{folder}: {sum(found.values()) / 2**20:.1f} MiB", *lines])


def _all_but_code(folder: str, names: list[str]) -> list[str]:
    """Return what is not copied: all but modules and the folders they are in."""
    return [
        name for name in names if name == "__pycache__" or not (name.endswith(".py") or (Path(folder) / name).is_dir())
    ]
