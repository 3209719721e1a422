"""`python -m train prepare`: MIDI files in zips or in a folder to one note cache and a report.

The files are read and cleaned by several processes; the parent gathers what they return, in the order of the
list, so that the cache does not depend on their number.
"""

import argparse
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from piano.errors import CorpusError, MidiFileError, PianodError
from piano.midi.file import MidiTrack, merge_tracks, read_tracks
from piano.midi.load import LARGEST_FILE_BYTES
from piano.midi.one_piano import merge_pedals
from piano.notes import Performance, no_notes
from train.corpus.annotations import cues_of
from train.corpus.archives import member_of
from train.corpus.cache_writer import CacheWriter
from train.corpus.cleaning import LONGEST_SILENCE_S, clean
from train.corpus.corpus_report import REPORT_NAME, CorpusReport, FileOutcome, Outcomes
from train.corpus.note_cache import CACHE_NAME, pack
from train.corpus.prepared import DONE_NAME, Prepared, keeping
from train.corpus.sources import CorpusSource, folder_sources, splits_of_few, zip_sources
from train.corpus.spool import Spool
from workers.in_turn import send_in_turn
from workers.place import Place, Tell, check_address
from workers.result_list import ResultList
from workers.stores import path_of

PLAYER = "player"
OF_A_TAKE = frozenset((PLAYER, "pianod", "passed on"))
"""The names of the tracks of a take, as `realtime.take` writes them."""

_SOURCES_A_GROUP = 16
"""How many files go to a process at once."""

_LIMIT_S = 60.0
"""How long a file may take on a cluster, in seconds; it is some hundredths of one."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--zips", type=Path, metavar="DIR", help="folder of zips, one per data set, named in --splits")
    source.add_argument("--folder", metavar="DIR", help="folder of MIDI files, with sub-folders, also as s3://…")
    parser.add_argument("--splits", type=Path, metavar="CSV", help="dataset,file,split,composer,title for --zips")
    parser.add_argument("--split-csv", type=Path, metavar="CSV", help="file,split[,composer,title] for --folder")
    parser.add_argument("--licence", default="unknown", help="licence of the files in --folder")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help=f"where {CACHE_NAME} and the report go")
    parser.add_argument(
        "--longest-silence",
        type=float,
        default=LONGEST_SILENCE_S,
        metavar="S",
        help="seconds without a key down that are left in (default: %(default)s)",
    )
    parser.add_argument(
        "--chords",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="find the chords of pieces that nobody annotated; takes a third as long as all else together",
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="default: one per core")
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="work on a Dask cluster that sees the files under the same paths: its scheduler's address, or local:N",
    )


def run(args: argparse.Namespace) -> int:
    """Write the cache and the report, and print the report's table."""
    if args.zips is not None:
        if args.splits is None:
            raise CorpusError("--zips needs --splits, the table that says which file is in which split")
        sources = zip_sources(args.zips, args.splits)
    else:
        sources = folder_sources(path_of(args.folder), args.split_csv, licence=args.licence)
    if args.cluster is not None:
        check_address(args.cluster)
    report = prepare(
        sources,
        args.out,
        longest_silence_s=args.longest_silence,
        processes=args.processes,
        cluster=args.cluster,
        chords=args.chords,
    )
    print(report.table())
    return 0


def prepare(
    sources: Sequence[CorpusSource],
    out: Path,
    *,
    longest_silence_s: float = LONGEST_SILENCE_S,
    processes: int = 1,
    cluster: str | None = None,
    chords: bool = True,
) -> CorpusReport:
    """Read and clean all sources, write cache and report into the folder `out`, and return the report.

    What an earlier call with the same wishes had prepared when it broke off is not prepared again. Processes of this
    machine share the files, or the workers of a Dask cluster, which read them by their paths. Without `chords`, pieces
    of which nobody annotated any have none.
    """
    if not sources:
        raise CorpusError("there is no MIDI file to read")
    if longest_silence_s <= 0 or processes < 1:
        raise ValueError(f"longest silence {longest_silence_s} s and {processes} processes must be above 0")
    place = Place(jobs=processes, cluster=cluster, limit_s=_LIMIT_S)
    outcomes: Outcomes
    came: Spool[FileOutcome] = Spool()
    with CacheWriter(out / CACHE_NAME) as cache:
        done = ResultList(out / DONE_NAME)
        prepared = send_in_turn(
            _Preparing(longest_silence_s, chords),
            sources,
            place,
            lost=_lost,
            keeping=keeping(done, longest_silence_s, chords),
            a_group=_SOURCES_A_GROUP if cluster is not None or processes > 1 else 1,
        )
        with closing(done):
            for one in tqdm(prepared, total=len(sources), desc="reading", unit="file"):
                came.append(one.outcome)
                if one.columns is not None:
                    cache.add(one.columns)
        outcomes = came
        if any(source.is_split_later for source in sources):  # in small folders alone
            names = [outcome.piece.file for outcome in came if not outcome.refusal]
            splits = dict(zip(names, splits_of_few(names), strict=True))
            outcomes = [_split_again(outcome, splits) for outcome in came]
        report = CorpusReport(outcomes, longest_silence_s)
        if not len(cache):
            raise CorpusError(f"none of {len(sources)} files could be used; the first: {report.refused()[0].refusal}")
        cache.finish(outcome.piece for outcome in outcomes if not outcome.refusal)
    report.save(out / REPORT_NAME)
    done.forget()
    return report


def _split_again(outcome: FileOutcome, splits: Mapping[str, str]) -> FileOutcome:
    """Return the outcome of a file with the split that it has among those that can be read."""
    piece = outcome.piece
    return replace(outcome, piece=replace(piece, split=splits.get(piece.file, piece.split)))


@dataclass(frozen=True, slots=True)
class _Preparing:
    """Prepares sources, wherever it is sent to."""

    longest_silence_s: float
    finds_chords: bool

    def open(self) -> None:
        """Nothing is to be loaded."""

    def make(self, works: Sequence[CorpusSource], tell: Tell) -> Iterator[Prepared]:  # noqa: ARG002
        """Prepare sources one after the other."""
        for work in works:
            yield prepare_one(work, self.longest_silence_s, finds_chords=self.finds_chords)


def _lost(source: CorpusSource, why: str) -> Prepared:
    return Prepared(FileOutcome(source.piece, refusal=f"{source.piece.file}: it was given up ({why})"), None)


def prepare_one(
    source: CorpusSource, longest_silence_s: float = LONGEST_SILENCE_S, *, finds_chords: bool = True
) -> Prepared:
    """Read, clean and pack one file; a file that cannot be used is refused with the reason, never an exception."""
    try:
        tracks = read_tracks(_bytes(source), name=source.piece.file, warn=tqdm.write)
    except PianodError as error:
        return Prepared(FileOutcome(source.piece, refusal=str(error)), None)
    tracks = players_part(tracks)
    piece = replace(source.piece, tracks=tuple(track.name for track in tracks))
    merged = _one_piano(tracks)
    try:
        merged = replace(merged, cues=cues_of(source, merged.notes, finds_chords=finds_chords))
    except PianodError as error:
        return Prepared(FileOutcome(piece, refusal=str(error)), None)
    cleaned = clean(merged, longest_silence_s)
    performance = cleaned.performance
    outcome = FileOutcome(
        piece,
        notes=int(performance.notes.size),
        pedals=int(performance.pedals.size),
        seconds=performance.end_s,
        off_keyboard=cleaned.off_keyboard,
        doubles=sum(track.performance.notes.size for track in tracks) - int(merged.notes.size),
        silence_cut_s=cleaned.silence_cut_s,
    )
    if performance.notes.size == 0:
        return Prepared(replace(outcome, refusal=f"{piece.file}: there is no note on the 88 keys in it"), None)
    return Prepared(outcome, pack(performance))


def _one_piano(tracks: Sequence[MidiTrack]) -> Performance:
    """Return tracks, each of which one piano can play, as one performance; one that is alone with notes is that."""
    sounding = [track.performance for track in tracks if track.performance.notes.size]
    if len(sounding) != 1:
        return merge_tracks(tracks)
    return Performance(sounding[0].notes, merge_pedals([track.performance.pedals for track in tracks]))


def players_part(tracks: Sequence[MidiTrack]) -> tuple[MidiTrack, ...]:
    """Return the tracks that somebody played: of a take of pianod's, not what pianod answered, nor what it passed on.

    The other tracks stay in their places, without notes.
    """
    names = {track.name for track in tracks if track.performance.notes.size}
    if PLAYER not in {track.name for track in tracks} or not names <= OF_A_TAKE:
        return tuple(tracks)
    silent = Performance(no_notes())
    return tuple(track if track.name == PLAYER else replace(track, performance=silent) for track in tracks)


def _bytes(source: CorpusSource) -> bytes | Path:
    """Return the bytes of a file in a zip, or the path of a file in a folder."""
    if source.member is None:
        return source.path
    try:
        return member_of(source.path, source.member, LARGEST_FILE_BYTES)
    except (OSError, KeyError, zipfile.BadZipFile, ValueError) as error:
        raise MidiFileError(f"{source.piece.file}: cannot be read from {source.path.name} ({error})") from error
