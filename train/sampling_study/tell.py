"""`python -m train tell FOLDER …`: can generated music be told from what pianists play, and by what?

Excerpts of some seconds each become numbers (`excerpt_statistics`), and a classifier that has seen others of both
kinds is asked which kind they are (`two_sample`); of what goes on from a phrase it is also told how that lies to the
phrase (`phrase_statistics`). Continuations stand against what the pianist truly played from the
same moment on; new pieces against excerpts of real music. Real music against other real music says how far from 0.5
the figure comes by chance. Both sides are rounded alike, as tokens are.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from piano.errors import CorpusError, MidiFileError, PianodError
from piano.midi.file import merge_tracks, read_tracks
from piano.notes import Performance
from piano.whole_file import write_report
from train.corpus.note_cache import NoteCache
from train.corpus.sources import midi_files
from train.evaluate.excerpts import ExcerptPlan, cut, draw_excerpts
from train.places import add_place_arguments, place_of
from train.sampling_study.findings import REAL, Found, order_of_telling
from train.sampling_study.primers import CONTINUATION, PRIMER, primer_works, read_pieces
from train.sampling_study.telling_job import Excerpt, Question, answered
from train.sampling_study.two_sample import FOLDS
from train.tables import text_table
from workers.place import LIMIT_S
from workers.result_list import ResultList

SECONDS = 25.0
"""The length of an excerpt."""

FIGURES = (
    "figures of 4 intervals returned",
    "top line figures returned",
    "pulse",
    "equal waits",
    "notes over 4 s",
)
"""The statistics that are shown for every way, whether they tell much or not."""

CONTINUATIONS, PIECES = "continuations", "free playing"

_LONGEST_REST_S = 10.0
"""A continuation begins where the last key of its primer came up: at most so long before the primer's end."""

_SEED = 2_718_281


@dataclass(frozen=True, slots=True)
class Way:
    """What was found in one folder: continuations by the number of their primer, and excerpts of new pieces."""

    continuations: Mapping[str, Excerpt]
    pieces: Sequence[Excerpt]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, nargs="+", help="generated MIDI files, a folder for each way of playing")
    parser.add_argument("--corpus", type=Path, required=True, help="the note cache of real music")
    parser.add_argument("--split", default="validation", help="default: %(default)s")
    parser.add_argument("--dataset", action="append", help="only this dataset of the corpus; may be repeated")
    parser.add_argument("--truth", type=Path, metavar="FOLDER", help="what `primers --truth` wrote, for continuations")
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help="of an excerpt, and of a primer; default: %(default)s"
    )
    parser.add_argument("--most", type=int, default=12, help="statistics to show of each way; default: %(default)s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file")
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="draw what tells most of the last way into a PNG file"
    )
    add_place_arguments(parser, "the excerpts and the forests", limit_s=LIMIT_S)


def run(args: argparse.Namespace) -> int:
    """Tell each way from real music, print the tables, and write what was asked for; return the exit status."""
    place = place_of(args)
    if args.seconds <= 0 or args.most < 0:
        raise PianodError("--seconds is above 0 and --most at least 0")
    cache = NoteCache.load(args.corpus)
    numbers = cache.select(split=args.split, datasets=args.dataset)
    if not numbers:
        raise CorpusError(f"{args.corpus}: there are no pieces of split {args.split!r} to compare with")
    ways = {folder.name or str(folder): read_way(folder, args.seconds) for folder in args.folder}
    asked: dict[str, list[Question]] = {}
    if any(way.continuations for way in ways.values()):
        if args.truth is None:
            raise PianodError("--truth FOLDER is missing: what the pianists played, as `primers --truth` writes it")
        asked[CONTINUATIONS] = _continuations(ways, args.truth, cache, numbers, args.seconds)
    if any(way.pieces for way in ways.values()):
        asked[PIECES] = _pieces(ways, cache, numbers, args.seconds)
    every = [one for questions in asked.values() for one in questions]
    told = iter(answered(every, args.seconds, place, ResultList(args.resume)))
    found = {title: list(islice(told, len(questions))) for title, questions in asked.items()}
    print("\n\n".join(told_table(title, lines, args.most) for title, lines in found.items()))
    try:
        if args.json is not None:
            content = {title: {each.name: _as_json(each) for each in lines} for title, lines in found.items()}
            write_report(args.json, json.dumps(content, indent=2) + "\n")
        if args.plot is not None:
            from train.sampling_study.tell_plot import draw_told

            draw_told(args.plot, found)
    except OSError as error:
        raise PianodError(f"{error.filename}: cannot be written ({error.strerror}); choose another place") from error
    return 0


def read_way(folder: Path, seconds: float) -> Way:
    """Read the MIDI files of a folder: the beginning of each continuation, and each piece in excerpts."""
    files = midi_files(folder)
    if not files:
        raise CorpusError(f"{folder}: there are no MIDI files in this folder")
    continuations: dict[str, Excerpt] = {}
    pieces: list[Excerpt] = []
    for path in tqdm(files, desc=folder.name, unit="file"):
        try:
            tracks = read_tracks(path)
        except MidiFileError as fault:
            tqdm.write(f"left out: {fault}")
            continue
        made = [track for track in tracks if track.name == CONTINUATION]
        music = merge_tracks(made or tracks)
        if made:
            start_s = min(seconds, float(music.notes["onset_s"].min(initial=np.inf)))
            if start_s < seconds - _LONGEST_REST_S:
                raise CorpusError(
                    f"{path}: goes on at {start_s:.1f} s; --seconds ({seconds:g}) is how long primers are"
                )
            heard = merge_tracks([track for track in tracks if track.name == PRIMER])
            continuations[primer_number(path)] = Excerpt(
                path.stem, _part(music, start_s, seconds), _part(heard, 0.0, seconds)
            )
        else:
            count = int(music.end_s // seconds)
            pieces += [Excerpt(path.stem, _part(music, index * seconds, seconds)) for index in range(count)]
    return Way(continuations, pieces)


def primer_number(path: Path) -> str:
    """Return the number of the primer that a file goes on with: the beginning of its name, as `primers` writes it."""
    return path.stem.split("-")[0]


def told_table(title: str, lines: Sequence[Found], most: int) -> str:
    """Return how well each way is told, the figures to look at, and the statistics that tell most of each."""
    heads = ("returned", "in top line", "pulse", "equal waits", "over 4 s")
    about = (
        f"{title}: told from real music (area under the ROC curve, {FOLDS}-fold by piece); medians, over 4 s the mean"
    )
    rows = [("real", f"{lines[0].told.excerpts[0]}", "", *(f"{lines[0].of(name)[0]:.3f}" for name in FIGURES))]
    for each in lines:
        auc = f"{each.told.auc:.3f} ± {each.told.error:.3f}"
        figures = (f"{each.of(name)[1]:.3f}" for name in FIGURES)
        rows.append((each.name, f"{each.told.excerpts[1]}", auc, *figures))
    text = [about, text_table(("", "excerpts", "AUC", *heads), rows)]
    for each in lines:
        if each.name != REAL and most:
            text += ["", *_most_telling(each, most)]
    return "\n".join(text)


def _most_telling(each: Found, most: int) -> list[str]:
    rows = []
    for column in order_of_telling(each.told)[:most]:
        medians = (f"{value:.3f}" for value in each.told.medians[:, column])
        alone, share = each.told.single[column], each.told.importance[column]
        rows.append((f"  {each.statistics[column]}", f"{alone:.3f}", *medians, f"{share:.1%}"))
    return [f"{each.name}: what tells most", text_table(("", "AUC alone", "real", "made", "in forest"), rows)]


def _continuations(
    ways: Mapping[str, Way], truth: Path, cache: NoteCache, numbers: Sequence[int], seconds: float
) -> list[Question]:
    """Ask for continuations beside what the pianists played; first other real music, as many excerpts."""
    pieces = read_pieces(truth)
    played = {
        number: excerpt._replace(work=pieces[number])
        for number, excerpt in read_way(truth, seconds).continuations.items()
        if number in pieces
    }
    if not played:
        raise CorpusError(f"{truth}: there is nothing that pianists played on; write it with `primers --truth`")
    others = _excerpts(cache, numbers, ExcerptPlan(len(played), 2 * seconds, _SEED))
    questions = [Question(REAL, list(played.values()), [_halved(excerpt, seconds) for excerpt in others])]
    for name, way in ways.items():
        made = {number: excerpt for number, excerpt in way.continuations.items() if number in played}
        if len(made) < len(way.continuations):
            raise CorpusError(f"{name}: there are continuations of other excerpts than those of {truth}")
        if made:
            theirs = [excerpt for number, excerpt in played.items() if number in made]
            ours = [made[number]._replace(work=pieces[number]) for number in played if number in made]
            questions.append(Question(name, theirs, ours))
    return questions


def _pieces(ways: Mapping[str, Way], cache: NoteCache, numbers: Sequence[int], seconds: float) -> list[Question]:
    """Ask for new pieces beside real music; first other real music. As many real excerpts as the largest way has."""
    most = max(len(way.pieces) for way in ways.values())
    real = _excerpts(cache, numbers, ExcerptPlan(most, seconds, _SEED + 1))
    others = _excerpts(cache, numbers, ExcerptPlan(most, seconds, _SEED))
    every = [Question(name, real, way.pieces) for name, way in ways.items() if way.pieces]
    return [Question(REAL, real, others), *every]


def _excerpts(cache: NoteCache, numbers: Sequence[int], plan: ExcerptPlan) -> list[Excerpt]:
    works = primer_works(cache, numbers)
    return [Excerpt(works[each.file], each.performance) for each in draw_excerpts(cache, numbers, plan)]


def _halved(excerpt: Excerpt, seconds: float) -> Excerpt:
    """Return the second half of an excerpt, which goes on from the first."""
    return Excerpt(excerpt.work, _part(excerpt.music, seconds, seconds), _part(excerpt.music, 0.0, seconds))


def _part(music: Performance, start_s: float, seconds: float) -> Performance:
    return cut(music, start_s, start_s + seconds, None, "").performance


def _as_json(each: Found) -> dict[str, Any]:
    order = order_of_telling(each.told)
    return {
        "auc": each.told.auc,
        "error": each.told.error,
        "excerpts": each.told.excerpts,
        "figures": {name: dict(zip(("real", "made"), each.of(name), strict=True)) for name in FIGURES},
        "statistics": {
            each.statistics[column]: {
                "auc": each.told.single[column],
                "real_median": each.told.medians[0, column],
                "made_median": each.told.medians[1, column],
                "importance": each.told.importance[column],
            }
            for column in order
        },
    }
