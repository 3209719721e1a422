"""`python -m train trials TRIALS.toml`: small models that differ in one thing each, at equal compute.

Each trial is measured on the same excerpts of validation music, in bits per note, whatever its context and its layout
of tokens. A line of results.jsonl is a finished trial, which is not repeated.
"""

import argparse
import shutil
from pathlib import Path

import torch
from tqdm import tqdm

from piano.errors import ConfigError, PianodError
from piano.whole_file import write_report
from train.corpus.note_cache import NoteCache
from train.trials.trial_plan import load_plan
from train.trials.trial_report import draw_scaling, rows_of, scaling_table, trials_table
from train.trials.trial_result import RESULTS, Result, load_results, matching
from train.trials.trial_run import measure_trial

REPORT = "report.md"
PICTURE = "scaling.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("trials", type=Path, help="a TOML file, such as configs/trials.toml")
    parser.add_argument("--corpus", type=Path, help="the note cache that `prepare` wrote")
    parser.add_argument("--out", type=Path, required=True, help=f"folder of {RESULTS}; finished trials stay")
    parser.add_argument("--threads", type=int, default=1, help="threads of the processor (default: %(default)s)")
    parser.add_argument(
        "--report", action="store_true", help=f"run nothing; write {REPORT}, and {PICTURE} of the sizes, into --out"
    )


def run(args: argparse.Namespace) -> int:
    if args.threads < 1:
        raise ConfigError(f"--threads {args.threads}: it is 1 or more")
    plan = load_plan(args.trials)
    path = args.out / RESULTS
    finished, waiting = matching(plan, load_results(path))
    if args.report:
        return _report(args.out, finished, len(waiting), scaling=plan.scaling)
    if args.corpus is None:
        raise ConfigError("--corpus CACHE is needed: what to train and measure on")
    cache = NoteCache.load(args.corpus)
    torch.set_num_threads(args.threads)
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise PianodError(f"{args.out}: cannot be made ({fault.strerror}); choose another --out") from fault
    for trial in tqdm(waiting, desc="trials", unit="trial"):
        folder = args.out / trial.label
        result = measure_trial(trial, plan, cache, folder)
        result.append_to(path)
        shutil.rmtree(folder)
        tqdm.write(f"{trial.label}: {result.bits_per_note:.3f} bits a note, {result.seconds:.0f} s")
    return 0


def _report(folder: Path, finished: list[Result], missing: int, *, scaling: bool) -> int:
    """Write what there is; say how many trials are not finished."""
    fewest = 2 if scaling else 1
    if len(rows_of(finished)) < fewest:
        raise PianodError(f"{folder / RESULTS}: holds too few finished trials to report on: run them first")
    text = scaling_table(finished) if scaling else trials_table(finished)
    write_report(folder / REPORT, text + "\n")
    if scaling:
        draw_scaling(folder / PICTURE, finished)
    print(text)
    if missing:
        print(f"{missing} trials are not finished")
    return 0
