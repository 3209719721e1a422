"""`pianod fill|velocities|clean|perform`: from what was asked for to the files that are made. Main thread."""

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from loguru import logger

from inference.bundle import read_manifest
from inference.manifest import MANIFEST_NAME
from piano.errors import BundleError, MidiFileError
from piano.midi.document import MidiDocument
from piano.midi.load import load_midi
from piano.session import Sessions
from piano.solve.sequential_sessions import SequentialSessions
from piano.solve.slips import STREAMS
from piano.solve.solver import SolveRequest, solve_together
from realtime.engine.find_bundle import bundle_folder, open_bundle
from realtime.engine.from_settings import seed_of
from realtime.engine.open_model import sampling_of, styles_of
from realtime.files.batch_run import Made, Maker, Tell, Work, cores_each, run_all
from realtime.files.done_index import DoneIndexes, fingerprint, seed_for
from realtime.files.file_tasks import pose_file
from realtime.files.output_paths import check_folder
from realtime.files.posed import Posed, TaskOutcome, TaskSettings
from realtime.files.task_requests import (
    CleanRequest,
    FilesRequest,
    FillRequest,
    PerformRequest,
    TaskRequest,
    VelocitiesRequest,
)
from realtime.files.work_list import WorkItem, work_list
from realtime.settings import ModelGroup, SettingMark, Settings, marked

SUFFIXES: dict[type[FilesRequest], str] = {
    FillRequest: "filled",
    VelocitiesRequest: "velocities",
    CleanRequest: "cleaned",
    PerformRequest: "performed",
}
"""What is added to the name of a file that is written beside its original."""

_NO_PART_OF_THE_WISH = {"files", "out", "jobs", "cluster", "limit_s", "again", "batch"}
TASK_SAMPLING = {"temperature": 0.8, "top_p": 0.95, "recall": 1.4}
"""How tasks are drawn unless the settings say otherwise: more carefully than free playing (docs/tasks.md)."""


def run_task(settings: Settings, request: TaskRequest) -> int:
    """Do a task on all files that are asked for; return the exit code."""
    unsaid = {name: value for name, value in TASK_SAMPLING.items() if name not in settings.model_fields_set}
    settings = settings.model_copy(update=unsaid)
    items = work_list(request.files, request.out, SUFFIXES[type(request)], request.variants)
    told = decisive(settings)
    works, faults = works_of(items, request, told)
    if not works:
        return 2 if faults else 0
    seed = seed_of(settings)
    logger.debug("seed {}", seed)
    cores = cores_each(len(works), request, settings.threads, side_by_side=request.batch)
    maker = TaskMaker(model_settings(settings), task_settings_of(settings), request, seed, cores)
    checked = same_model(maker, settings, told)
    code = run_all(checked, works, request, side_by_side=request.batch, verbosity=settings.verbosity)
    return 2 if faults else code


def decisive(settings: Settings, mark: SettingMark = SettingMark.DECIDES_TASK) -> dict[str, Any]:
    """Return the settings on which it depends what is made, by their mark, and the fingerprint of the model."""
    told = {name: getattr(settings, name) for name in marked(mark)} | {"model": _checksum(settings)}
    if mark is SettingMark.DECIDES_PIECE and settings.like is not None:
        told["like"] = hashlib.sha256(load_midi(settings.like.expanduser(), "--like")).hexdigest()
    return told


def works_of(items: Sequence[WorkItem], request: FilesRequest, settings: dict[str, Any]) -> tuple[list[Work], int]:
    """Return what is left to do, and how many files cannot be read; those are told at once."""
    told = {**settings, "command": type(request).__name__, **request.model_dump(exclude=_NO_PART_OF_THE_WISH)}
    for folder in sorted({target.parent for item in items for target in item.targets}):
        check_folder(folder, "--out" if request.out else "the folder")
    works, done, faults, indexes = [], 0, 0, DoneIndexes()
    for number, item in enumerate(items):
        try:
            data = load_midi(item.source, str(item.source))
        except MidiFileError as error:
            if len(items) == 1:
                raise
            logger.error("{}", error)
            faults += 1
            continue
        wish = fingerprint(data, told)
        if not request.again and all(indexes.of(target.parent).has(target.name, wish) for target in item.targets):
            done += 1
        else:
            works.append(Work(number, item, wish, len(data)))
    if done:
        logger.info("{} of {} files were done before; --again makes them once more", done, len(items))
    return works, faults


def task_settings_of(settings: Settings) -> TaskSettings:
    """Return the settings as every task takes them."""
    return TaskSettings(sampling_of(settings), styles_of(settings), settings.strength)


def model_settings(settings: Settings) -> ModelGroup:
    """Return which model is to be loaded: a record that can travel to other processes."""
    return ModelGroup(model=settings.model, provider=settings.provider, threads=settings.threads)


def open_rows(settings: ModelGroup, rows: int, cores: int = 1) -> Sessions:
    """Return so many streams of the model side by side: in one graph call each step, where there are several.

    Steps of several tokens are shared among so many cores.
    """
    bundle = open_bundle(settings)
    if rows > 1:
        from inference.batch_session import BatchSession

        return BatchSession(bundle, rows, provider=settings.provider, threads=settings.threads or 1, abreast=cores)
    from inference.onnx_session import OnnxSession

    return SequentialSessions(OnnxSession(bundle, provider=settings.provider, threads=settings.threads or 1))


def same_model(maker: Maker, settings: ModelGroup, told: Mapping[str, Any]) -> Maker:
    """Return a maker that opens only where the model is the one of `told`, see `decisive`."""
    model = ModelGroup(model=settings.model, provider=settings.provider, threads=settings.threads)
    return _OfModel(maker, model, str(told["model"]))


@dataclass
class _OfModel:
    """A maker that may travel to a machine with another bundle under the same name, and refuses it there."""

    maker: Maker
    model: ModelGroup
    checksum: str

    def open(self) -> None:
        """Load the model; BundleError if it is another."""
        folder = bundle_folder(self.model)
        try:
            found = hashlib.sha256((folder / MANIFEST_NAME).read_bytes()).hexdigest()
        except OSError:
            found = self.checksum  # the maker says what is missing
        if found != self.checksum:
            raise BundleError(
                f"{folder}: a worker has another bundle under this name (checksum {found[:12]}, not "
                f"{self.checksum[:12]}); copy the bundle to every machine, or put it on shared storage"
            )
        self.maker.open()

    def make(self, works: Sequence[Work], tell: Tell) -> Iterator[Made]:
        """Do works as the maker does."""
        return self.maker.make(works, tell)


def _checksum(model: ModelGroup) -> str:
    """Return what tells the model from every other; BundleError if there is none. Whoever plays it verifies it."""
    folder = bundle_folder(model)
    read_manifest(folder)
    return hashlib.sha256((folder / MANIFEST_NAME).read_bytes()).hexdigest()


@dataclass
class TaskMaker:
    """Makes the files of one task; one for each process."""

    model: ModelGroup
    playing: TaskSettings
    request: TaskRequest
    seed: int
    cores: int = 1
    """For each process; what is made does not depend on it."""
    _sessions: Sessions | None = field(default=None, init=False)

    def open(self) -> None:
        """Load the model."""
        beams = self.request.beams if self.request.strategy == "beam" else 1
        streams = STREAMS if isinstance(self.request, CleanRequest) else 1
        self._sessions = open_rows(self.model, max(self.request.batch, beams, streams), self.cores)

    def make(self, works: Sequence[Work], tell: Tell) -> Iterator[Made]:
        """Do works side by side, each variant of one behind the other."""
        documents: dict[int, MidiDocument] = {}
        for work in works:
            try:
                documents[work.number] = document = work.document()
                if document.warning:
                    logger.warning("{}", document.warning)
                self._pose(documents[work.number], work, 0)
            except MidiFileError as error:
                documents.pop(work.number, None)
                yield Made(work.number, fault=str(error))
        able = [work for work in works if work.number in documents]
        files: dict[int, list[tuple[Path, bytes]]] = {work.number: [] for work in able}
        notes = dict.fromkeys(files, 0)
        says: dict[int, list[str]] = {work.number: [] for work in able}
        for variant in range(self.request.variants):
            posed = [self._pose(documents[work.number], work, variant) for work in able]
            for work, outcome in zip(able, self._solve(able, posed, variant, tell), strict=True):
                files[work.number] += self._files(work.item.targets[variant], outcome)
                notes[work.number] += outcome.notes
                says[work.number] += [outcome.says] if outcome.says else []
                if outcome.warning:
                    logger.warning("{}: {}", work.item.targets[variant], outcome.warning)
        for work in able:
            names = ", ".join(str(target) for target in work.item.targets)
            told = "; ".join(says[work.number]) or f"{notes[work.number]} notes"
            yield Made(work.number, tuple(files[work.number]), f"{names}: {told}")

    def _pose(self, document: MidiDocument, work: Work, variant: int) -> Posed:
        return pose_file(document, self.request, self.playing, seed_for(self.seed, work.item.name, variant))

    def _solve(self, works: Sequence[Work], posed: Sequence[Posed], variant: int, tell: Tell) -> list[TaskOutcome]:
        if self._sessions is None:
            raise RuntimeError("the maker has not been opened")
        exercises = [exercise for one in posed for exercise in one.exercises]
        requests = [
            self._telling(one, place, work, variant, tell)
            for work, one in zip(works, posed, strict=True)
            for place in range(len(one.exercises))
        ]
        answers = iter(solve_together(self._sessions, exercises, requests))
        return [one.outcome([next(answers) for _ in one.exercises]) for one in posed]

    def _telling(self, posed: Posed, place: int, work: Work, variant: int, tell: Tell) -> SolveRequest:
        """Return the request of one exercise, which tells how far its file is with it."""
        parts = len(posed.exercises) * self.request.variants
        before = variant * len(posed.exercises) + place

        def report(share: float) -> None:
            tell(work.number, (before + share) / parts, posed.asked_notes * self.request.variants)

        return replace(posed.request, report=report)

    def _files(self, target: Path, outcome: TaskOutcome) -> list[tuple[Path, bytes]]:
        files = [(target, outcome.document.to_bytes())]
        if self.request.plot:
            from realtime.files.piano_roll import draw_roll

            picture = io.BytesIO()
            draw_roll(
                picture,
                outcome.picture,
                title=target.stem,
                span_s=self.request.plot_span,
                shows_velocities=outcome.shows_velocities,
            )
            files.append((target.with_suffix(".png"), picture.getvalue()))
        return files
