"""`pianod continue`: each file goes on, by the live engine on a clock that does not wait. Main thread.

The file stays as it is, and the new music comes on a track of its own. Where speed or pitch are to change, nothing
of the file can stay: then what was heard and what is new are written into a new one.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from loguru import logger

from piano.errors import ConfigError, MidiFileError
from piano.midi.document import MidiDocument
from piano.midi.file import MidiTrack, midi_bytes
from piano.midi.piano_part import PianoPart
from piano.notes import Performance
from realtime.engine.from_settings import seed_of
from realtime.files.batch_run import Made, Tell, Work, cores_each, run_all
from realtime.files.continuation import Continuation, DrawProgress, PieceLength
from realtime.files.done_index import seed_for
from realtime.files.draw_pieces import CONTINUATION, PRIMER, draw_pieces, events_text, piece_tracks, primer_of
from realtime.files.output_paths import check_file, variant_path
from realtime.files.requests import ContinueRequest, PieceRequest
from realtime.files.session_maker import SessionMaker
from realtime.files.task_commands import decisive, same_model, works_of
from realtime.files.task_requests import ContinueFilesRequest
from realtime.files.work_list import work_list
from realtime.settings import SettingMark, Settings

SUFFIX = "continued"


def run_continue(settings: Settings, request: ContinueFilesRequest) -> int:
    """Go on with all files that are asked for; return the exit code."""
    items = work_list(request.files, request.out, SUFFIX, request.variants)
    if request.events is not None:
        if len(items) > 1:
            raise ConfigError(f"--events {request.events} is one file, and there are {len(items)} to go on with")
        check_file(request.events, "--events")
    told = decisive(settings, SettingMark.DECIDES_PIECE)
    works, faults = works_of(items, request, told)
    if not works:
        return 2 if faults else 0
    plain = Settings.model_validate(settings.model_dump())
    cores = cores_each(len(works), request, settings.threads)
    maker = ContinueMaker(plain, request, seed_of(settings), is_alone=len(items) == 1, cores=cores)
    code = run_all(same_model(maker, settings, told), works, request, side_by_side=1, verbosity=settings.verbosity)
    return 2 if faults else code


@dataclass
class ContinueMaker(SessionMaker):
    """Makes files that go on; one for each process. A file that is alone has the seeds that are asked for, as live."""

    request: ContinueFilesRequest
    seed: int
    is_alone: bool

    def make(self, works: Sequence[Work], tell: Tell) -> Iterator[Made]:
        """Go on with files, one behind the other."""
        for work in works:
            try:
                yield self._made(work, tell)
            except MidiFileError as error:
                yield Made(work.number, fault=str(error))

    def _made(self, work: Work, tell: Tell) -> Made:
        document = work.document()
        if document.warning:
            logger.warning("{}", document.warning)
        part = PianoPart.of(document, self.request.track)
        files: list[tuple[Path, bytes]] = []
        says: list[str] = []
        for variant, target in enumerate(work.item.targets):
            wish = self.request.of_file(work.item.source, target)
            primer = primer_of(part.performance, wish)
            base = part.until(np.inf if wish.end_s is None else wish.end_s, wish.start_s + primer.end_s)
            seeds = self._seeds(work, variant)
            report = self._report(work, variant, wish, tell)
            drawn, made = draw_pieces(self.settings, wish, self.session, primer, list(seeds), report)
            files += self._files(target, part, base, wish, primer, made)
            if wish.events is not None:
                text = events_text(seeds[drawn], made)
                files.append((variant_path(wish.events, variant, self.request.variants), text.encode()))
            says.append(f"{target}: {made.performance.notes.size} new notes, seed {seeds[drawn]}")
            if made.is_short:
                logger.warning("{} ends by itself before the length asked for; --retries N draws again", target)
        return Made(work.number, tuple(files), "\n".join(says))

    def _seeds(self, work: Work, variant: int) -> dict[int, int]:
        """Return the seeds to draw with, each with the one that was asked for it by."""
        wanted = [variant + self.request.variants * attempt for attempt in range(self.request.retries + 1)]
        if self.is_alone:
            return {self.seed + step: self.seed + step for step in wanted}
        return {seed_for(self.seed, work.item.name, step): self.seed + step for step in wanted}

    def _report(self, work: Work, variant: int, wish: ContinueRequest, tell: Tell) -> Callable[[DrawProgress], None]:
        def told(share: float, notes: float) -> None:
            tell(work.number, (variant + share) / self.request.variants, notes * self.request.variants)

        return progress_of(wish, told)

    def _files(
        self,
        target: Path,
        part: PianoPart,
        base: MidiDocument,
        wish: ContinueRequest,
        primer: Performance,
        made: Continuation,
    ) -> list[tuple[Path, bytes]]:
        if wish.speed != 1.0 or wish.transpose:
            tracks = piece_tracks(wish, primer, made)
            files = [(target, midi_bytes(tracks))]
        else:
            new = _later(made.performance, wish.start_s)
            tracks = [MidiTrack(PRIMER, _later(primer, wish.start_s)), MidiTrack(CONTINUATION, new)]
            files = [(target, part.with_new_part(base, CONTINUATION, new).to_bytes())]
        if self.request.plot:
            from realtime.files.piano_roll import draw_roll

            picture = io.BytesIO()
            draw_roll(picture, tracks, title=target.stem, span_s=self.request.plot_span)
            files.append((target.with_suffix(".png"), picture.getvalue()))
        return files


def progress_of(request: PieceRequest, tell: Callable[[float, float], None]) -> Callable[[DrawProgress], None]:
    """Return what takes how far a piece is, and tells which share of it is done and how many notes it will have."""
    length = PieceLength(request.length_s, request.notes)

    def report(progress: DrawProgress) -> None:
        by_time = 0.0 if length.seconds is None else progress.seconds / length.seconds
        by_notes = 0.0 if length.notes is None else progress.notes / length.notes
        share = min(max(by_time, by_notes), 1.0)
        if share > 0:
            tell(share, progress.notes / share)

    return report


def _later(performance: Performance, by_s: float) -> Performance:
    notes, pedals = performance.notes.copy(), performance.pedals.copy()
    notes["onset_s"] += by_s
    pedals["time_s"] += by_s
    return Performance(notes, pedals)
