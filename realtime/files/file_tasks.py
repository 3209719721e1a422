"""A task on one MIDI file: what is wanted becomes an exercise, and the model's answer becomes a changed file.

Nothing here knows of folders or processes; the command line and the panel both come through here. See `pose_file`.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from piano.errors import MidiFileError
from piano.events import HIGHEST_PITCH, LOWEST_PITCH
from piano.midi.document import MidiDocument
from piano.midi.file import MidiTrack
from piano.midi.hand_names import hand_tracks
from piano.midi.one_piano import settle_pedals
from piano.midi.piano_part import PianoPart, tracks_named, without_doubles
from piano.notes import NoteMask, PedalArray, Performance, no_notes
from piano.sampling.velocity_posterior import HALF_WAY_NOISE, noise_of_strength
from piano.solve.evidence import Evidence
from piano.solve.solver import Solution, SolveRequest, Strategy
from piano.solve.texture import USUAL_RATIO
from piano.solve.velocity_answers import velocity_exercise
from piano.tasks.exercise import Exercise, Gap, Preview, roles_of
from piano.tasks.fill_tasks import pose_fill
from realtime.files.clean_file import pose_cleaning
from realtime.files.fill_choices import BAND, GAP, KEPT
from realtime.files.fill_wish import (
    asked_in_gaps,
    expected_notes,
    fill_evidence,
    melody,
    melody_tracks,
    says_of_fill,
    warning_of_fill,
)
from realtime.files.long_silences import ShortenedTime
from realtime.files.perform_file import pose_performance
from realtime.files.posed import BEFORE_NAME, KEPT_NAME, NEW_NAME, Posed, TaskOutcome, TaskSettings
from realtime.files.task_requests import CleanRequest, FillRequest, PerformRequest, TaskRequest, VelocitiesRequest

_BEYOND_S = 60.0
"""How far a gap may reach beyond the music, in seconds."""

_PEDAL_AFTER_S = 0.5
"""How long after a gap, in seconds, the pedal that was pressed in it may stay down."""

_PRESSED_AFTER_S = 0.05
"""How long after it came up the pedal is pressed again that what is kept holds."""


def pose_file(document: MidiDocument, wish: TaskRequest, playing: TaskSettings, seed: int) -> Posed:
    """Return the task that a wish makes of a file. MidiFileError if the file has nothing that it could be done on."""
    request = SolveRequest(
        seed=seed,
        sampling=playing.sampling,
        styles=playing.styles,
        strategy=Strategy(wish.strategy),
        beams=wish.beams,
        best_of=wish.best_of,
        samples=wish.samples,
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
            return pose_cleaning(document, wish, request, playing.strength)
        case PerformRequest():
            return pose_performance(document, wish, request, playing.strength)
    raise TypeError(f"there is no task for a {type(wish).__name__}")


def _fill(document: MidiDocument, wish: FillRequest, request: SolveRequest) -> Posed:
    part, kept_tracks = _part_to_fill(document, wish)
    exercise = _exercise_to_fill(part, wish, kept_tracks, request.seed)
    own = exercise.roles == 0
    if own.all():
        raise MidiFileError(f"{document.name}: nothing in it is kept with this wish, so that there is nothing to go by")
    silences = ShortenedTime.of(part.performance if not exercise.gaps else Performance(no_notes()))
    fills = fill_evidence(part, own, wish.amount, replaces=wish.replace, silences=silences)
    request = replace(request, evidence=Evidence(seed=request.seed, fills=fills))
    expected = expected_notes(int(own.sum()), int((~own).sum()), USUAL_RATIO.get(exercise.task, 0.0), wish.amount)
    if not wish.preview:
        exercise = replace(exercise, preview=None)
    exercise = _shortened(exercise, silences)
    pedal_s = _spans_down(part.performance.pedals, exercise.pedal_roles == 0, part.performance.end_s)
    base = part.without(own, pedal_s) if wish.replace else document
    kept = Performance(part.performance.notes[~own], part.performance.pedals[exercise.pedal_roles != 0])

    def outcome(answers: Sequence[Solution]) -> TaskOutcome:
        found = silences.lengthened(answers[0].performance)
        ends_s = [gap.end_s + _PEDAL_AFTER_S for gap in exercise.gaps]
        pedals = _lifted(found.pedals, ends_s or [part.performance.end_s])
        pedals = _given_back(pedals, kept.pedals, exercise.gaps, part.performance.end_s)
        new = Performance(without_doubles(found.notes, kept.notes), pedals)
        made = part.with_new_part(base, f"{exercise.task.replace('_', ' ')} (pianod)", new)
        replaced = int(own.sum()) if wish.replace else 0
        asked = asked_in_gaps(exercise.gaps, part.performance.notes[own], new.notes, wish.amount)
        return TaskOutcome(
            made,
            (MidiTrack(KEPT_NAME, kept), MidiTrack(NEW_NAME, new)),
            new.notes.size,
            says=says_of_fill(kept, replaced, new.notes.size),
            warning=warning_of_fill(asked or [("", expected, new.notes.size)]),
        )

    return Posed((exercise,), request, outcome)


def _shortened(exercise: Exercise, silences: ShortenedTime) -> Exercise:
    """Return an exercise with its long silences shortened, in what is announced too."""
    preview = exercise.preview
    if preview is not None:
        preview = replace(preview, notes=silences.shortened(Performance(preview.notes)).notes)
    return replace(exercise, performance=silences.shortened(exercise.performance), preview=preview)


def _part_to_fill(document: MidiDocument, wish: FillRequest) -> tuple[PianoPart, set[int]]:
    """Return the piano, and the tracks that are kept whole, where the wish or the names of the hands say so."""
    part = PianoPart.of(document)
    kept = tracks_named(document, wish.track) if wish.track else set()
    if wish.keep in ("right", "left") and not kept:
        kept = hand_tracks([track.name for track in document.tracks], wish.keep)
    if wish.keep == "melody" and not kept:
        kept = melody_tracks([track.name for track in document.tracks]) & {track for track, _ in part.slots}
        kept = kept if {track for track, _ in part.slots} - kept else set()
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
    elif wish.keep == "melody":
        own = ~melody(performance.notes)
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


def _given_back(pedals: PedalArray, kept: PedalArray, gaps: Sequence[Gap], end_s: float) -> PedalArray:
    """Return the pedal of the gaps, pressed again behind a gap in which it moved, for as long as what is kept holds it.

    Both are on one channel, where the last word counts.
    """
    again: list[tuple[float, bool]] = []
    for gap in gaps:
        times_s = pedals["time_s"]
        moved_s = times_s[(times_s >= gap.start_s) & (times_s <= gap.end_s + _PEDAL_AFTER_S)]
        after_s = max(gap.end_s, float(moved_s.max(initial=0.0))) + _PRESSED_AFTER_S
        next_kept = int(kept["time_s"].searchsorted(after_s, side="right"))
        if moved_s.size and next_kept and kept["down"][next_kept - 1]:
            lifts_s = kept["time_s"][next_kept:][~kept["down"][next_kept:]]
            again += [(after_s, True), (float(lifts_s[0]) if lifts_s.size else end_s, False)]
    both = np.concatenate([pedals, np.array(again, pedals.dtype)])
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
    exercises = {name: velocity_exercise(name, part.performance) for name, weight in weights.items() if weight}
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
