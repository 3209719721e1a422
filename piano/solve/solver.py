"""Exercises solved by a model offline: what is asked is found, whatever the task, the length and the number of them.

Each exercise is a stream of its own and draws from a generator of its own: an answer depends on the model, the
exercise and the request, not on what is solved beside it, nor on who watches.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from piano.notes import NoteArray, Performance
from piano.sampling.sampler import Sampler, SamplingSettings
from piano.session import Session, Sessions
from piano.solve.attempts import Attempt, FinishedAttempt, SampledAttempt, VelocityAttempt
from piano.solve.beam_search import BeamAttempt
from piano.solve.cleaning import cleaned
from piano.solve.constraints import constraints_of
from piano.solve.context_window import ContextWindow
from piano.solve.evidence import TASK_NOISE, Evidence
from piano.solve.exercise_stream import ExerciseStream
from piano.solve.mbr import AgreeingAttempt
from piano.solve.sequential_sessions import SequentialSessions
from piano.solve.slips import STREAMS, SlipAttempt
from piano.solve.velocity_answers import VelocityAnswers, noise_of, velocity_exercise
from piano.tasks.exercise import Asked, Exercise
from piano.tasks.task_stream import PreviewSize
from piano.tokens.vocabulary import VOCABULARY

_LEAST_PROGRESS = 0.005
"""How much more must be done before it is reported again."""


class Strategy(StrEnum):
    """How what is asked is found."""

    SAMPLE = "sample"
    """Drawn from the model's distribution."""
    GREEDY = "greedy"
    """The likeliest token each time."""
    BEAM = "beam"
    """The likeliest of several streams that are followed side by side."""


@dataclass(frozen=True, slots=True)
class SolveRequest:
    """How an exercise is to be solved.

    `preview` is how much is announced at a time (None: nothing, as live). Of `best_of` answers the one counts that the
    model itself finds likeliest, per decision. `reading_noise` is the deviation of the readings in velocity tasks
    (None: that of training; infinite: they say nothing), where no preview shows them. With several `samples` those are
    drawn of each stretch, and one goes on: see `piano.solve.mbr`. Own keys go down as long as what
    is given goes on, or for `length_s`.
    With `evidence` what is read of notes to be cleaned, or of a score, is believed as far as it says; without, they are
    previews of a performance that is drawn. `report` is told how much is done, 0 to 1.
    """

    seed: int = 0
    sampling: SamplingSettings = field(default_factory=SamplingSettings)
    styles: tuple[str, ...] = ()
    preview: PreviewSize | None = field(default_factory=PreviewSize)
    strategy: Strategy = Strategy.SAMPLE
    beams: int = 4
    best_of: int = 1
    samples: int = 1
    reading_noise: float | None = None
    length_s: float | None = None
    evidence: Evidence | None = None
    report: Callable[[float], None] | None = None

    def __post_init__(self) -> None:
        if min(self.beams, self.best_of, self.samples) < 1:
            counts = f"{self.beams}, {self.best_of} and {self.samples}"
            raise ValueError(f"there is at least 1 beam, 1 answer and 1 sample, not {counts}")
        if self.samples > 1 and (self.best_of > 1 or self.strategy is not Strategy.SAMPLE):
            raise ValueError(f"{self.samples} samples are drawn and chosen from: best_of is 1 and the strategy SAMPLE")


@dataclass(frozen=True, slots=True)
class Solution:
    """What was found: our own notes and pedal changes alone; of a velocity task all notes, in their order.

    `log_probability` is that of all decisions, in nats at temperature 1 under the grammar and the guards; `tokens` is
    how many decisions that were: a token of our own, or to let something known come before one.
    """

    performance: Performance
    log_probability: float
    tokens: int


def solve(session: Session, exercise: Exercise, request: SolveRequest | None = None) -> Solution:
    """Return a model's answer to an exercise. The session is reset first, and nobody else may feed it meanwhile.

    ValueError if a style is unknown or the session's context is too short to play at all.
    """
    request = request or SolveRequest()
    return solve_together(SequentialSessions(session, rows_for(exercise, request)), [exercise], [request])[0]


def solve_together(
    sessions: Sessions, exercises: Sequence[Exercise], requests: Sequence[SolveRequest]
) -> list[Solution]:
    """Return the answers to several exercises, each with its request, which share the rows of a batch.

    ValueError as for `solve`, or if a beam search needs more rows than there are.
    """
    pairs = list(zip(exercises, requests, strict=True))
    jobs = [
        [_Job(exercise, request, number) for number in range(_count(exercise, request))] for exercise, request in pairs
    ]
    reports = [_Report(request.report, group) for request, group in zip(requests, jobs, strict=True)]
    for _ in _run(sessions, [job for group in jobs for job in group]):
        for report in reports:
            report.look()
    return [max((job.answer() for job in group), key=_by_own_score) for group in jobs]


def rows_for(exercise: Exercise, request: SolveRequest) -> int:
    """Return how many rows of a batch the answer to an exercise needs."""
    if request.evidence is not None and exercise.task in TASK_NOISE:
        return STREAMS if exercise.task == "clean_pitch" and request.evidence.slips is not None else 1
    return request.beams if request.strategy is Strategy.BEAM and exercise.asked is Asked.OWN_EVENTS else 1


def _count(exercise: Exercise, request: SolveRequest) -> int:
    is_sampled = request.strategy is Strategy.SAMPLE and exercise.asked is Asked.OWN_EVENTS
    is_certain = request.evidence is not None and exercise.task in TASK_NOISE
    return request.best_of if is_sampled and not is_certain else 1


def _by_own_score(answer: Solution) -> float:
    return answer.log_probability / max(1, answer.tokens)


class _Job:
    """An attempt that waits for rows, then has them, then has an answer."""

    def __init__(self, exercise: Exercise, request: SolveRequest, number: int) -> None:
        self._exercise, self._request, self._number = exercise, request, number
        self.attempt: Attempt | None = None

    @property
    def rows(self) -> int:
        """Return how many rows it needs."""
        return rows_for(self._exercise, self._request)

    @property
    def share(self) -> float:
        return self.attempt.share if self.attempt else 0.0

    def start(self, context: int) -> Attempt:
        """Begin, in rows of a context."""
        self.attempt = _attempt(self._exercise, self._request, self._number, context)
        return self.attempt

    def answer(self) -> Solution:
        """Return what was found; RuntimeError before it was."""
        if self.attempt is None or not self.attempt.is_done:
            raise RuntimeError("the answer has not been found yet")
        return Solution(self.attempt.performance(), self.attempt.score, self.attempt.decisions)


def _attempt(exercise: Exercise, request: SolveRequest, number: int, context: int) -> Attempt:
    size = request.preview if exercise.preview is not None else None
    if request.evidence is not None and exercise.preview is not None and exercise.task in TASK_NOISE:
        return _cleaning(exercise.task, exercise.preview.notes, request, request.evidence, context)
    if exercise.asked is Asked.VELOCITIES:
        noise = noise_of(exercise, size, request.reading_noise)
        return VelocityAttempt(VelocityAnswers(exercise, request.styles, size, noise), context)
    head = (VOCABULARY.bos, VOCABULARY.task(exercise.task), *(VOCABULARY.style(style) for style in request.styles))
    known = constraints_of(
        exercise, size, length_s=request.length_s, longest_preview=context // 2, evidence=request.evidence
    )
    if request.strategy is not Strategy.SAMPLE:  # the likeliest is the model's own: nothing is held back
        request = replace(request, sampling=SamplingSettings(temperature=0.0))
    playing, window = ExerciseStream(head, known, request.sampling), ContextWindow(context, len(head))
    if request.strategy is Strategy.BEAM:
        return BeamAttempt(playing, window, request.beams)
    if request.samples > 1:
        return AgreeingAttempt(playing, window, [_sampler(request, place) for place in range(request.samples)])
    return SampledAttempt(playing, window, _sampler(request, number))


def _cleaning(task: str, read: NoteArray, request: SolveRequest, evidence: Evidence, context: int) -> Attempt:
    """Return what cleans notes: keys that were missed by the model, what else is noisy by the notes around it."""
    if task == "clean_pitch" and evidence.slips is not None:
        head = (VOCABULARY.bos, VOCABULARY.task("continue"), *(VOCABULARY.style(style) for style in request.styles))
        return SlipAttempt(head, read, evidence.slips, ContextWindow(context, len(head)))
    noise = evidence.noise or TASK_NOISE[task]
    found = cleaned(read, noise)
    if not noise.velocity:
        return FinishedAttempt(Performance(found))
    by_time = np.argsort(found["onset_s"], kind="stable")
    exercise = velocity_exercise("denoise_velocity", Performance(found[by_time]))
    answers = VelocityAnswers(exercise, request.styles, request.preview, noise_of(exercise, request.preview, None))
    return VelocityAttempt(answers, context)


def _sampler(request: SolveRequest, number: int) -> Sampler:
    """Return what draws in one of several attempts."""
    sampler = Sampler(request.seed, request.sampling)
    if number:
        sampler.restart(number)
    return sampler


class _Report:
    """Tells whoever asked how far the jobs of one exercise are."""

    def __init__(self, tell: Callable[[float], None] | None, jobs: Sequence[_Job]) -> None:
        self._tell, self._jobs, self._told = tell, jobs, -1.0

    def look(self) -> None:
        """Tell, if enough has been done since the last time."""
        if self._tell is None or self._told == 1.0:
            return
        share = sum(job.share for job in self._jobs) / len(self._jobs)
        if share >= self._told + _LEAST_PROGRESS or share == 1.0:
            self._tell(share)
            self._told = share


def _run(sessions: Sessions, jobs: Sequence[_Job]) -> Iterator[None]:
    """Do the jobs, in their order, as many side by side as there are rows for; yield after each round."""
    most = max((job.rows for job in jobs), default=0)
    if most > sessions.rows:
        raise ValueError(f"{most} beams need as many rows, and there are {sessions.rows}")
    waiting, free = deque(jobs), list(range(sessions.rows))
    playing: list[tuple[Attempt, list[int]]] = []
    while waiting or playing:
        while waiting and waiting[0].rows <= len(free):
            job = waiting.popleft()
            playing.append((job.start(sessions.context), free[: job.rows]))
            del free[: job.rows]
        for attempt, rows in playing:
            if attempt.is_done:
                free += rows
        playing = [entry for entry in playing if not entry[0].is_done]
        _round(sessions, playing)
        yield


def _round(sessions: Sessions, playing: Sequence[tuple[Attempt, list[int]]]) -> None:
    """RowUpdate all rows that are due, once, and tell the attempts what follows."""
    for attempt, rows in playing:
        for source, target in attempt.copies():
            sessions.copy(rows[source], rows[target])
    moves = [attempt.moves() for attempt, _ in playing]
    merged = {rows[row]: move for (_, rows), wanted in zip(playing, moves, strict=True) for row, move in wanted.items()}
    logits = sessions.feed(merged) if merged else {}
    for (attempt, rows), wanted in zip(playing, moves, strict=True):
        attempt.accept_logits({row: logits[rows[row]] for row in wanted})
