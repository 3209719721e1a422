"""A task on one MIDI file: what is wanted becomes an exercise, and the model's answer becomes a changed file.

Nothing here knows of folders or processes; the command line and the panel both come through here. See `pose_file`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from piano.errors import MidiFileError
from piano.midi.document import MidiDocument
from piano.midi.file import MidiTrack
from piano.midi.one_piano import settle_pedals
from piano.midi.piano_part import PianoPart, tracks_named, without_doubles
from piano.notes import HIGHEST_PITCH, LOWEST_PITCH, NoteArray, NoteMask, PedalArray, Performance, sort_notes
from piano.sampling.sampler import SamplingSettings
from piano.sampling.velocity_posterior import HALF_WAY_NOISE, noise_of_strength
from piano.solve.solver import Solution, SolveRequest, Strategy
from piano.tasks.exercise import Asked, Exercise, Gap, Preview, PreviewClock, roles_of
from piano.tasks.fill_tasks import pose_fill
from piano.tasks.repair_tasks import FLAT_DURATION_S, FLAT_INTERVAL_S, FLAT_VELOCITY, NO_READING, ONSET_MARGIN_S
from realtime.files.fill_choices import BAND, GAP, KEPT, hand_tracks
from realtime.files.task_requests import CleanRequest, FillRequest, PerformRequest, TaskRequest, VelocitiesRequest

KEPT_NAME, NEW_NAME, BEFORE_NAME = "kept", "new", "as it was"
"""How the picture calls what is given and what is new."""


_BEYOND_S = 60.0
"""How far a gap may reach beyond the music, in seconds."""

_PEDAL_AFTER_S = 0.5
"""How long after a gap, in seconds, the pedal that was pressed in it may stay down."""


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """How the model plays, whatever the task: the settings in force. `strength` is that of the velocity settings."""

    sampling: SamplingSettings = field(default_factory=SamplingSettings)
    styles: tuple[str, ...] = ()
    strength: float = 0.5


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """A changed file, what there is to see in it, and how many notes were asked for."""

    document: MidiDocument
    picture: tuple[MidiTrack, ...]
    notes: int
    shows_velocities: bool = False


@dataclass(frozen=True, slots=True)
class Posed:
    """A task on a file: the exercises to be solved, each as the request says, and what their answers make of it."""

    exercises: tuple[Exercise, ...]
    request: SolveRequest
    outcome: Callable[[Sequence[Solution]], TaskOutcome]

    @property
    def asked_notes(self) -> int:
        """Return how many notes are asked for, or are given to go by, where those are all there is."""
        return sum(exercise.asked_notes or exercise.given_notes for exercise in self.exercises)


def pose_file(document: MidiDocument, wish: TaskRequest, playing: TaskSettings, seed: int) -> Posed:
    """Return the task that a wish makes of a file. MidiFileError if the file has nothing that it could be done on."""
    request = SolveRequest(
        seed=seed,
        sampling=playing.sampling,
        styles=playing.styles,
        strategy=Strategy(wish.strategy),
        beams=wish.beams,
        best_of=wish.best_of,
        samples=wish.samples or 1,
    )
    if not wish.preview:
        request = replace(request, preview=None)
    match wish:
        case FillRequest():
            return _fill(document, wish, request)
        case VelocitiesRequest():
            strength = playing.strength if wish.noise is None else wish.noise / (wish.noise + HALF_WAY_NOISE)
            task = "clean_velocity" if wish.noise is None else "denoise_velocity"
            return _velocities(document, wish, request, task, 1.0 if wish.from_nothing else strength)
        case CleanRequest() if wish.velocity:
            return _velocities(document, wish, request, "clean_velocity", 0.5)
        case CleanRequest():
            return _clean(document, wish, request)
        case PerformRequest():
            return _perform(document, wish, request)
    raise TypeError(f"there is no task for a {type(wish).__name__}")


def _fill(document: MidiDocument, wish: FillRequest, request: SolveRequest) -> Posed:
    part, kept_tracks = _part_to_fill(document, wish)
    exercise = _exercise_to_fill(part, wish, kept_tracks, request.seed)
    own = exercise.roles == 0
    if own.all():
        raise MidiFileError(f"{document.name}: nothing in it is kept with this wish, so that there is nothing to go by")
    if not wish.preview:
        exercise = replace(exercise, preview=None)
    pedal_s = _spans_down(part.performance.pedals, exercise.pedal_roles == 0, part.performance.end_s)
    base = part.without(own, pedal_s) if wish.replace else document
    kept = Performance(part.performance.notes[~own], part.performance.pedals[exercise.pedal_roles != 0])

    def outcome(answers: Sequence[Solution]) -> TaskOutcome:
        found = answers[0].performance
        pedals = _lifted(
            found.pedals, [gap.end_s + _PEDAL_AFTER_S for gap in exercise.gaps] or [part.performance.end_s]
        )
        new = Performance(without_doubles(found.notes, kept.notes), pedals)
        made = part.with_new_part(base, f"{exercise.task.replace('_', ' ')} (pianod)", new)
        return TaskOutcome(made, (MidiTrack(KEPT_NAME, kept), MidiTrack(NEW_NAME, new)), new.notes.size)

    return Posed((exercise,), request, outcome)


def _part_to_fill(document: MidiDocument, wish: FillRequest) -> tuple[PianoPart, set[int]]:
    """Return the piano, and the tracks that are kept whole, where the wish or the names of the hands say so."""
    part = PianoPart.of(document)
    kept = tracks_named(document, wish.track) if wish.track else set()
    if wish.keep in ("right", "left") and not kept:
        kept = hand_tracks([track.name for track in document.tracks], wish.keep)
    tracks = {track for track, _ in part.slots}
    if kept - tracks:  # what is kept is no keyboard: the piano joins it
        PianoPart.of(document, wish.track)  # there must be a note in it
        part = PianoPart.of(document, [str(track + 1) for track in sorted(tracks | kept)])
    return part, kept


def _exercise_to_fill(part: PianoPart, wish: FillRequest, kept_tracks: set[int], seed: int) -> Exercise:
    performance = part.performance
    if wish.gap:
        _check_gaps(part, wish.gap)
        return _gap_exercise(performance, wish.gap)
    task = KEPT[wish.keep] if wish.keep else BAND
    if kept_tracks:
        own: NoteMask = ~part.in_tracks(kept_tracks)
    elif wish.pitches:
        pitch = performance.notes["pitch"]
        own = np.asarray((pitch >= wish.pitches[0]) & (pitch <= wish.pitches[1]), np.bool_)
    else:
        own = pose_fill(task, performance, np.random.default_rng(seed)).roles == 0
    given_pedal = roles_of(np.zeros(performance.pedals.size, np.bool_))
    preview = None if task == "duet" else Preview(performance.notes[~own])
    return Exercise(task, performance, roles_of(own), given_pedal, preview=preview)


def _check_gaps(part: PianoPart, spans: Sequence[tuple[float, float]]) -> None:
    """MidiFileError where a gap lies behind the music, or reaches far beyond it."""
    ends_s = part.performance.end_s
    for start_s, end_s in spans:
        if start_s >= ends_s or end_s > ends_s + _BEYOND_S:
            raise MidiFileError(
                f"{part.document.name}: the music ends at {ends_s:.1f} s, and --gap {start_s:g}-{end_s:g} lies beyond "
                "it: `pianod continue` goes on with it"
            )


def _gap_exercise(performance: Performance, spans: Sequence[tuple[float, float]]) -> Exercise:
    """Ask for what begins in some stretches of time, with the pedal that is pressed there, until it is lifted."""
    edges_s = np.array(spans).ravel()
    own = np.searchsorted(edges_s, performance.notes["onset_s"], side="right") % 2 == 1
    pedals = performance.pedals
    pressed = np.maximum.accumulate(np.where(pedals["down"], np.arange(pedals.size), 0))
    own_pedal = (np.searchsorted(edges_s, pedals["time_s"], side="right") % 2 == 1)[pressed]
    gaps = tuple(Gap(start_s, end_s) for start_s, end_s in spans)
    preview = Preview(performance.notes[~own])
    return Exercise(GAP, performance, roles_of(own), roles_of(own_pedal), preview=preview, gaps=gaps)


def _lifted(pedals: PedalArray, ends_s: Sequence[float]) -> PedalArray:
    """Return pedal changes with the pedal up at some moments, so that none of them holds what is not its own."""
    ups = np.array([(end_s, False) for end_s in ends_s], pedals.dtype)
    both = np.concatenate([pedals, ups])
    return settle_pedals(both[np.argsort(both["time_s"], kind="stable")])


def _spans_down(pedals: PedalArray, chosen: NoteMask, end_s: float) -> list[tuple[float, float]]:
    """Return the stretches in which the pedal is down by some of its presses."""
    spans = []
    for index in np.flatnonzero(chosen & pedals["down"]).tolist():
        until_s = float(pedals["time_s"][index + 1]) if index + 1 < pedals.size else end_s
        spans.append((float(pedals["time_s"][index]), until_s))
    return spans


def _velocities(document: MidiDocument, wish: TaskRequest, request: SolveRequest, task: str, strength: float) -> Posed:
    """Pose what finds velocities. With a preview the model has the readings before it, and the strength is how far it
    is followed: up to one half from the file's velocities to its answer, then on to its answer from nothing."""
    part = PianoPart.of(document, wish.track)
    heard = part.performance.notes["velocity"]
    is_flat = np.unique(heard).size == 1
    strength = 1.0 if is_flat else strength
    if strength == 1.0:
        weights = {"velocity": 1.0}
    elif not wish.preview:
        weights = {task: 1.0}
        request = replace(request, reading_noise=noise_of_strength(strength))
    else:
        weights = {task: min(2 * strength, 2 - 2 * strength), "velocity": max(0.0, 2 * strength - 1)}
    exercises = {name: _velocity_exercise(name, part.performance) for name, weight in weights.items() if weight}
    on_piano = (part.performance.notes["pitch"] >= LOWEST_PITCH) & (part.performance.notes["pitch"] <= HIGHEST_PITCH)

    def outcome(answers: Sequence[Solution]) -> TaskOutcome:
        mixed = heard * (1.0 - sum(weights.values()))
        for name, answer in zip(exercises, answers, strict=True):
            mixed = mixed + weights[name] * answer.performance.notes["velocity"]
        velocities = np.where(on_piano, np.clip(np.rint(mixed), 1, 127), heard).astype(np.uint8)
        notes = part.performance.notes.copy()
        notes["velocity"] = velocities
        found = Performance(notes, part.performance.pedals)
        picture = MidiTrack(BEFORE_NAME, part.performance), MidiTrack(NEW_NAME, found)
        return TaskOutcome(part.with_velocities(velocities), picture, notes.size, shows_velocities=True)

    return Posed(tuple(exercises.values()), request, outcome)


def _velocity_exercise(task: str, performance: Performance) -> Exercise:
    notes = performance.notes.copy()
    if task == "velocity":
        notes["velocity"] = NO_READING
    exercise = _all_own(task, performance, Preview(notes, shows_velocity=task != "velocity"))
    return replace(exercise, asked=Asked.VELOCITIES, readings=notes["velocity"])


def _clean(document: MidiDocument, wish: CleanRequest, request: SolveRequest) -> Posed:
    part = PianoPart.of(document, wish.track).on_the_keys()
    notes = part.performance.notes
    preview = Preview(sort_notes(notes), margin_s=0.0 if wish.pitch else ONSET_MARGIN_S)
    exercise = _all_own(f"clean_{wish.what}", part.performance, preview)
    if not wish.preview:
        raise MidiFileError(f"{document.name}: cleaning needs its preview, which shows what came in; leave it on")
    return Posed((exercise,), request, lambda answers: _in_place_of(part, answers[0].performance))


def _perform(document: MidiDocument, wish: PerformRequest, request: SolveRequest) -> Posed:
    score = document if wish.bpm is None else document.with_tempo(wish.bpm)
    part = PianoPart.of(score, wish.track).on_the_keys()
    if not wish.preview:
        raise MidiFileError(f"{document.name}: a score needs its preview, which shows it; leave it on")
    notes = part.performance.notes.copy()
    start_s = float(notes["onset_s"][0])
    notes["velocity"] = FLAT_VELOCITY
    if wish.order_only:
        notes["onset_s"], notes["duration_s"] = FLAT_INTERVAL_S * np.arange(notes.size), FLAT_DURATION_S
    else:
        notes["onset_s"] -= start_s
    task = "perform_flat" if wish.order_only else "perform_score"
    asked = Performance(_from_beginning(part.performance.notes, start_s))
    exercise = _all_own(task, asked, Preview(notes, shows_velocity=False, clock=PreviewClock.ORDER))

    def outcome(answers: Sequence[Solution]) -> TaskOutcome:
        found = answers[0].performance
        pedals = found.pedals.copy()
        pedals["time_s"] += start_s
        return _in_place_of(part, Performance(_from_beginning(found.notes, -start_s), pedals))

    return Posed((exercise,), request, outcome)


def _from_beginning(notes: NoteArray, start_s: float) -> NoteArray:
    moved = notes.copy()
    moved["onset_s"] -= start_s
    return moved


def _all_own(task: str, performance: Performance, preview: Preview) -> Exercise:
    def everything(size: int) -> NDArray[np.uint8]:
        return roles_of(np.ones(size, np.bool_))

    return Exercise(
        task, performance, everything(performance.notes.size), everything(performance.pedals.size), preview=preview
    )


def _in_place_of(part: PianoPart, found: Performance) -> TaskOutcome:
    whole = Performance(found.notes, _lifted(found.pedals, [found.end_s]))
    picture = MidiTrack(BEFORE_NAME, part.performance), MidiTrack(NEW_NAME, whole)
    return TaskOutcome(part.replaced_by(whole), picture, whole.notes.size)
