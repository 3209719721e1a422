"""`python -m train evaluate MODEL --tasks`: how well a model does each task, beside what does it without a model."""

import argparse
import time
from pathlib import Path

from tqdm import tqdm

from piano.errors import ConfigError, CorpusError
from piano.sampling.sampler import SamplingSettings
from piano.solve.evidence import Evidence
from piano.solve.solver import SolveRequest
from piano.tasks.repair_tasks import VELOCITY_NOISE
from train.corpus.note_cache import NoteCache
from train.evaluate.excerpts import NOTES_PLAN, VELOCITY_PLAN
from train.evaluate.situations import GROUPS, situations
from train.places import place_of
from train.predictors.targets import load_predictor
from workers.result_list import ResultList


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `evaluate` takes beside its own arguments."""
    group = parser.add_argument_group("tasks", f"groups of tasks: {', '.join(GROUPS)}")
    group.add_argument(
        "--tasks", nargs="?", const="all", metavar="NAMES", help="measure tasks, by names or groups with commas between"
    )
    counts, lengths_s = zip(NOTES_PLAN, VELOCITY_PLAN, strict=True)
    default = "(default: {:g}, where only velocities are asked {:g})"
    group.add_argument("--pieces", type=int, metavar="N", help=f"how many excerpts {default.format(*counts)}")
    group.add_argument(
        "--excerpt-s", type=float, metavar="S", help=f"their length, 0: whole pieces {default.format(*lengths_s)}"
    )
    group.add_argument("--seed", type=int, default=0, help="of all that is drawn (default: %(default)s)")
    group.add_argument("--preview", action=argparse.BooleanOptionalAction, help="only with previews, or only without")
    group.add_argument(
        "--noise",
        type=float,
        default=VELOCITY_NOISE,
        help="how far a velocity that is read live may be off, inf: not believed at all (default: %(default)g)",
    )
    group.add_argument("--live", action="store_const", const=False, dest="preview", help="the same as --no-preview")
    group.add_argument("--temperature", type=float, default=1.0, help="of what is sampled (default: %(default)g)")
    group.add_argument("--top-p", type=float, default=1.0, help="of what is sampled (default: %(default)g)")
    group.add_argument(
        "--repetition-guard", type=float, default=0.0, help="of what is sampled, as is --recall (default: %(default)g)"
    )
    group.add_argument(
        "--samples",
        type=int,
        default=1,
        help="draw so many of every four seconds and go on with the one that agrees most with the others; it takes as "
        "many times as long (default: %(default)s)",
    )
    group.add_argument(
        "--evidence",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="take what is read of noisy notes, or of a score, as evidence; else as a hint to what is drawn",
    )
    group.add_argument("--out", type=Path, metavar="FOLDER", help="write tasks.json, tasks.md and tasks.png there")


def run(args: argparse.Namespace) -> int:
    """Measure, print the tables, and write them; return the exit status."""
    from train.evaluate.task_answers import solving
    from train.evaluate.task_bench import Bench, Material, Model  # bits per note need neither scipy nor mir_eval
    from train.evaluate.task_report import TaskReport
    from train.evaluate.task_results import ResultRow

    _check(args)
    cases = situations(args.tasks, args.preview, args.noise)
    split = args.split or "validation"
    material = Material(NoteCache.load(args.corpus), split, args.dataset, args.midi, args.seed)
    sampling = SamplingSettings(
        temperature=args.temperature,
        top_p=args.top_p,
        repetition_guard=args.repetition_guard,
        recall=args.recall[0] if args.recall else 0.0,
    )
    told = ("seed", "noise", "temperature", "top_p", "repetition_guard", "samples", "evidence")
    settings = {name: getattr(args, name) for name in told} | {"recall": sampling.recall}
    data = {"midi": str(args.midi)} if args.midi else {"split": split, "data": ", ".join(args.dataset or ["all"])}
    rows: list[ResultRow] = []
    took_s: dict[str, float] = {}
    request = SolveRequest(
        sampling=sampling, samples=args.samples, evidence=Evidence(seed=args.seed) if args.evidence else None
    )
    predictor = load_predictor(args.target, bf16=args.bf16)
    solve = solving(args.target, place_of(args), ResultList(args.resume))
    bench = Bench(material, Model(predictor, solve, request), args.pieces, args.excerpt_s)
    report = TaskReport(args.target, {**data, **bench.extent, **settings}, rows, took_s)
    for case in tqdm(cases, desc="tasks", unit="task"):
        begun_s = time.monotonic()
        rows += bench.measure(case)
        took_s[case.name] = time.monotonic() - begun_s
        if args.out and rows:
            report.write(args.out)  # what is measured so far outlasts a run that is broken off
    if not rows:
        raise CorpusError("nothing is asked in these excerpts by these tasks: take more --pieces, or longer ones")
    print(report.markdown())
    return 0


def _check(args: argparse.Namespace) -> None:
    """Report every fault of the arguments at once, before any work."""
    faults = []
    if not args.corpus:
        faults.append("baselines are fitted on a training split: --corpus CACHE is needed")
    if (args.pieces is not None and args.pieces < 1) or args.samples < 1:
        faults.append("--pieces and --samples are 1 or more")
    if args.excerpt_s is not None and args.excerpt_s < 0:
        faults.append("--excerpt-s is 0 (whole pieces) or more")
    if args.seed < 0 or not args.noise > 0:
        faults.append("--seed is 0 or more, --noise above 0")
    if not 0 <= args.temperature <= 10 or not 0 < args.top_p <= 1:
        faults.append("--temperature is 0 to 10, --top-p above 0 and at most 1")
    if (
        not 0 <= args.repetition_guard <= 10
        or len(args.recall) > 1
        or not all(0 <= value <= 10 for value in args.recall)
    ):
        faults.append("--repetition-guard is 0 to 10, and so is --recall, one number with --tasks")
    if faults:
        raise ConfigError("\n".join(["the arguments of evaluate --tasks", *(f"  {fault}" for fault in faults)]))
