"""The bench: excerpts drawn once, on which the model and its baselines are measured, situation after situation."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from piano.errors import CorpusError
from piano.events import Role
from piano.notes import NoteArray
from piano.solve.evidence import evidence_found
from piano.solve.solver import SolveRequest
from piano.tasks.exercise import Exercise, Preview
from train.corpus.note_cache import NoteCache
from train.evaluate.excerpts import NOTES_PLAN, VELOCITY_PLAN, Excerpt, ExcerptPlan, draw_excerpts, excerpts_of_folder
from train.evaluate.nearest_neighbour import NearestNeighbour
from train.evaluate.situations import Situation
from train.evaluate.task_answers import Solve
from train.evaluate.task_baselines import fit_task_baselines
from train.evaluate.task_results import MODEL, ResultRow
from train.evaluate.velocity_baselines import fit_velocity_baselines
from train.evaluate.velocity_chunks import Velocities, velocities_in_chunks
from train.predictors.scoring import Predictor

TRAINING_EXCERPTS, TRAINING_S = 256, 60.0
"""What baselines are fitted on."""

_TRAINING_SEED = 20_000
"""Added to the seed, so that no excerpt for fitting is posed as one that is measured."""

_Answers = Callable[[Iterable[Exercise]], Iterator[NoteArray]]


@dataclass(frozen=True, slots=True)
class Material:
    """Where excerpts come from: a split of a corpus or a folder, and the training split for the baselines."""

    cache: NoteCache
    split: str
    datasets: list[str] | None
    folder: Path | None
    seed: int

    def excerpts(self, count: int, length_s: float | None) -> list[Excerpt]:
        """Return what is measured on."""
        plan = ExcerptPlan(count, length_s, self.seed)
        return list(excerpts_of_folder(self.folder, plan)) if self.folder else self._drawn(self.split, plan)

    def training(self) -> list[Excerpt]:
        """Return what baselines are fitted on."""
        return self._drawn("train", ExcerptPlan(TRAINING_EXCERPTS, TRAINING_S, self.seed + _TRAINING_SEED))

    def _drawn(self, split: str, plan: ExcerptPlan) -> list[Excerpt]:
        pieces = self.cache.select(split, self.datasets)
        if not pieces:
            raise CorpusError(f"the corpus has no pieces of split {split!r} in {self.datasets or 'any data set'}")
        return list(draw_excerpts(self.cache, pieces, plan))


@dataclass(frozen=True, slots=True)
class Model:
    """What is measured: it predicts windows, and answers to exercises as it is requested."""

    predictor: Predictor
    solve: Solve
    request: SolveRequest


class Bench:
    """Excerpts for notes and for velocities, `count` of `length_s` seconds (0: whole pieces; None: as it is best)."""

    def __init__(self, material: Material, model: Model, count: int | None, length_s: float | None) -> None:
        self._seed, self._model = material.seed, model
        plans = {False: NOTES_PLAN, True: VELOCITY_PLAN}
        sizes = {kind: (count or plan[0], plan[1] if length_s is None else length_s) for kind, plan in plans.items()}
        self.extent = {name: _extent(*sizes[kind]) for name, kind in (("notes", False), ("velocities", True))}
        """How many excerpts of which length there are, in words."""
        drawn = {size: material.excerpts(size[0], size[1] or None) for size in set(sizes.values())}
        self._excerpts = {kind: drawn[size] for kind, size in sizes.items()}
        self._training = material.training()

    def measure(self, case: Situation) -> list[ResultRow]:
        """Return the rows of the baselines and of the model in a situation; none if nothing is asked in it."""
        exercises = [excerpt.pose(case.task, self._seed) for excerpt in self._excerpts[case.asks_velocities]]
        exercises = [exercise for exercise in exercises if exercise.asked_notes]
        if case.is_untouched:
            exercises = [replace(exercise, preview=Preview(exercise.performance.notes)) for exercise in exercises]
        training = [excerpt.pose(case.task, self._seed + _TRAINING_SEED) for excerpt in self._training]
        asked, stands = (
            [exercise.performance.notes[exercise.roles == role] for exercise in exercises]
            for role in (Role.OWN, Role.GIVEN)
        )
        if not asked:
            return []
        methods = self._for_velocities(case, training) if case.asks_velocities else self._for_notes(case, training)
        rows = []
        for name, answers in methods.items():
            answered = list(tqdm(answers(exercises), f"{case.name}: {name}", len(exercises), leave=False))
            velocities = case.asks_velocities
            rows.append(ResultRow.of(case.name, name, asked, answered, velocities=velocities, stands=stands))
        return rows

    def _for_velocities(self, case: Situation, training: list[Exercise]) -> dict[str, _Answers]:
        baselines = fit_velocity_baselines(training)
        neighbours = NearestNeighbour(training)

        def one_by_one(answer: Callable[[Exercise, np.random.Generator], Velocities]) -> _Answers:
            return lambda exercises: (_with_velocities(each, answer(each, rng)) for each, rng in self._each(exercises))

        def by_model(exercises: Iterable[Exercise]) -> Iterator[NoteArray]:
            posed = list(exercises)
            return map(_with_velocities, posed, velocities_in_chunks(self._model.predictor, posed, case))

        return {
            **{name: one_by_one(answer) for name, answer in baselines.items()},
            "nearest": one_by_one(lambda exercise, _: neighbours.velocities(exercise)),
            MODEL: by_model,
        }

    def _for_notes(self, case: Situation, training: list[Exercise]) -> dict[str, _Answers]:
        def one_by_one(answer: Callable[[Exercise, np.random.Generator], NoteArray]) -> _Answers:
            return lambda exercises: (answer(each, rng) for each, rng in self._each(exercises))

        def by_model(exercises: Iterable[Exercise]) -> Iterator[NoteArray]:
            posed = list(exercises)
            seeds = np.random.SeedSequence(self._seed).generate_state(len(posed)).tolist()
            request = replace(self._model.request, preview=case.preview)
            requests = [replace(request, seed=seed) for seed in seeds]
            if case.is_untouched and request.evidence is not None:
                requests = [
                    replace(one, evidence=evidence_found(case.task, exercise.performance.notes))
                    for one, exercise in zip(requests, posed, strict=True)
                ]
            return self._model.solve(posed, requests)

        return {**{name: one_by_one(answer) for name, answer in fit_task_baselines(training).items()}, MODEL: by_model}

    def _each(self, exercises: Iterable[Exercise]) -> Iterator[tuple[Exercise, np.random.Generator]]:
        """Yield each exercise with a generator of its own."""
        for number, exercise in enumerate(exercises):
            yield exercise, np.random.default_rng([self._seed, number])


def _extent(count: int, length_s: float) -> str:
    return f"{count} of {length_s:g} s" if length_s else f"{count} whole pieces"


def _with_velocities(exercise: Exercise, velocities: Velocities) -> NoteArray:
    notes = exercise.performance.notes.copy()
    notes["velocity"] = velocities
    return notes
