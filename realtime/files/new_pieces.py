"""`pianod new`: pieces from nothing, by the live engine on a clock that does not wait. Main thread."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from loguru import logger

from piano.errors import ConfigError
from piano.midi.file import midi_bytes
from piano.midi.load import MIDI_ENDINGS
from realtime.engine.from_settings import seed_of
from realtime.files.batch_run import Made, Tell, Work, cores_each, run_all
from realtime.files.continuation import NOTHING
from realtime.files.continue_files import progress_of
from realtime.files.done_index import DoneIndexes, fingerprint
from realtime.files.draw_pieces import draw_pieces, events_text, piece_tracks
from realtime.files.output_paths import check_file, variant_path
from realtime.files.session_maker import SessionMaker
from realtime.files.task_commands import decisive, same_model
from realtime.files.task_requests import NewPiecesRequest
from realtime.files.work_list import WorkItem
from realtime.settings import SettingMark, Settings

_NO_PART_OF_THE_WISH = {"out", "events", "jobs", "cluster", "limit_s", "again"}


def run_new(settings: Settings, request: NewPiecesRequest) -> int:
    """Make new pieces; return the exit code. With a seed, what is there by the same wishes is not made again."""
    if request.out.suffix.lower() not in MIDI_ENDINGS:
        raise ConfigError(f"--out {request.out} is no MIDI file (.mid): choose another name")
    told = decisive(settings, SettingMark.DECIDES_PIECE)
    told |= {"command": type(request).__name__, **request.model_dump(exclude=_NO_PART_OF_THE_WISH)}
    works: list[Work] = []
    indexes = DoneIndexes()
    for number in range(request.variants):
        path = variant_path(request.out, number, request.variants)
        check_file(path, "--out")
        wish = fingerprint(b"", told | {"number": number})
        is_made = settings.seed is not None and indexes.of(path.parent).has(path.name, wish)
        if not is_made or request.again or request.events is not None:
            works.append(Work(number, WorkItem(path, path.name, (path,)), wish, 1))
    if request.events is not None:
        check_file(request.events, "--events")
    if len(works) < request.variants:
        made = request.variants - len(works)
        logger.info("{} of {} pieces were made before; --again makes them once more", made, request.variants)
    if not works:
        return 0
    plain = Settings.model_validate(settings.model_dump())
    maker = PieceMaker(plain, request, seed_of(settings), cores=cores_each(len(works), request, settings.threads))
    return run_all(same_model(maker, settings, told), works, request, side_by_side=1, verbosity=settings.verbosity)


@dataclass
class PieceMaker(SessionMaker):
    """Makes pieces; one for each process. A piece has its own seed, whichever process makes it."""

    request: NewPiecesRequest
    seed: int

    def make(self, works: Sequence[Work], tell: Tell) -> Iterator[Made]:
        """Make pieces, one behind the other."""
        for work in works:
            yield self._made(work, tell)

    def _made(self, work: Work, tell: Tell) -> Made:
        request, [path] = self.request, work.item.targets
        seeds = [self.seed + work.number + request.variants * attempt for attempt in range(request.retries + 1)]
        report = progress_of(request, lambda share, notes: tell(work.number, share, notes))
        seed, made = draw_pieces(self.settings, request, self.session, NOTHING, seeds, report)
        tracks = piece_tracks(request, NOTHING, made)
        files: list[tuple[Path, bytes]] = [(path, midi_bytes(tracks, bpm=request.bpm))]
        if request.events is not None:
            events = variant_path(request.events, work.number, request.variants)
            files.append((events, events_text(seed, made).encode()))
        if request.plot:
            from realtime.files.piano_roll import draw_roll

            picture = io.BytesIO()
            draw_roll(picture, tracks, title=path.stem)
            files.append((path.with_suffix(".png"), picture.getvalue()))
        if made.is_short:
            logger.warning("{} ends by itself before the length asked for; --retries N draws again", path)
        return Made(work.number, tuple(files), f"{path}: {made.performance.notes.size} new notes, seed {seed}")
