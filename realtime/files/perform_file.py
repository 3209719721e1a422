"""`perform` on one file: a score in its own time, played; or left on its beats, with the playing in the tempo map."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from piano.errors import MidiFileError
from piano.midi.document import MidiDocument
from piano.midi.file import MidiTrack
from piano.midi.one_piano import settle_pedals
from piano.midi.piano_part import PianoPart
from piano.notes import NoteArray, PedalArray, Performance, sort_notes
from piano.solve.evidence import Evidence
from piano.solve.score_timing import TempoSettings, scaled
from piano.solve.solver import Solution, SolveRequest
from piano.tasks.exercise import Exercise, Preview, PreviewClock, roles_of
from piano.tasks.previews import order_of
from piano.tasks.repair_tasks import FLAT_DURATION_S, FLAT_INTERVAL_S, FLAT_VELOCITY
from realtime.files.long_silences import ShortenedTime
from realtime.files.posed import BEFORE_NAME, NEW_NAME, Posed, TaskOutcome, says_of_doubles
from realtime.files.task_requests import PerformRequest

_APART_S = 0.002
"""The shortest time between two moments of a tempo map."""


def pose_performance(document: MidiDocument, wish: PerformRequest, request: SolveRequest, strength: float) -> Posed:
    """Return what plays a score. At a strength of 0 it stays as it is; the deviations grow with it."""
    if wish.order_only and not wish.preview:
        raise MidiFileError(f"{document.name}: the order of keys is shown in previews; leave them on")
    score = document if wish.bpm is None else document.with_tempo(wish.bpm)
    part = PianoPart.of(score, wish.track).on_the_keys()
    if strength == 0:
        picture = (MidiTrack(BEFORE_NAME, part.performance),)
        return Posed((), request, lambda _: TaskOutcome(score, picture, part.performance.notes.size))
    written = part.performance.notes.copy()
    start_s = float(written["onset_s"][0])
    written["onset_s"] -= start_s
    silences = ShortenedTime.of(Performance(written))
    told = written if wish.order_only else silences.shortened(Performance(written)).notes
    shown = told.copy()
    shown["velocity"] = FLAT_VELOCITY
    if wish.order_only:
        shown["onset_s"], shown["duration_s"] = FLAT_INTERVAL_S * np.arange(shown.size), FLAT_DURATION_S
    exercise = Exercise(
        "perform_flat" if wish.order_only else "perform_score",
        Performance(told),
        roles_of(np.ones(written.size, np.bool_)),
        roles_of(np.zeros(0, np.bool_)),
        preview=Preview(shown, shows_velocity=False, clock=PreviewClock.ORDER),
    )
    if not wish.order_only:
        tempo = scaled(TempoSettings(is_free=wish.tempo == "free"), strength)
        request = replace(request, evidence=Evidence(seed=request.seed, tempo=tempo))

    def outcome(answers: Sequence[Solution]) -> TaskOutcome:
        answer = answers[0].performance
        played = _played(told, answer.notes)
        later_s = written["onset_s"] - told["onset_s"]
        moved = _moved(answer.pedals, played["onset_s"], later_s)
        played["onset_s"] += start_s + later_s
        played["duration_s"] += written["duration_s"] - told["duration_s"]
        pedals = _pedals(moved, start_s, float((played["onset_s"] + played["duration_s"]).max()))
        whole = Performance(sort_notes(played), pedals)
        picture = MidiTrack(BEFORE_NAME, part.performance), MidiTrack(NEW_NAME, whole)
        home, placed = _on_the_grid(part, played) if wish.keep_grid else (part, played)
        doubles = says_of_doubles(home, placed)
        says = f"{played.size} notes, {doubles}" if doubles else ""
        return TaskOutcome(home.with_notes(placed, pedals), picture, played.size, says=says)

    return Posed((exercise,), request, outcome)


def _played(written: NoteArray, answer: NoteArray) -> NoteArray:
    """Return the notes of a score, in their order, as they were played; one off the piano goes with the others."""
    played = written.copy()
    order = order_of(written)
    count = min(order.size, answer.size)
    heard = order[:count]
    for column in ("onset_s", "duration_s", "velocity"):
        played[column][heard] = answer[column][:count]
    others = np.setdiff1d(np.arange(written.size), heard)
    if others.size and count:
        played["onset_s"][others] = np.interp(
            written["onset_s"][others], written["onset_s"][heard], answer["onset_s"][:count]
        )
    return played


def _moved(pedals: PedalArray, onset_s: NDArray[np.float64], later_s: NDArray[np.float64]) -> PedalArray:
    """Return pedal changes as much later as the last of some notes before each, (notes,)."""
    moved, order = pedals.copy(), np.argsort(onset_s, kind="stable")
    before = np.searchsorted(onset_s[order], pedals["time_s"], side="right") - 1
    moved["time_s"] += np.maximum.accumulate(later_s[order])[np.maximum(before, 0)]
    return moved


def _pedals(pedals: PedalArray, start_s: float, end_s: float) -> PedalArray:
    moved = pedals.copy()
    moved["time_s"] += start_s
    up = np.array([(end_s, False)], pedals.dtype)
    both = np.concatenate([moved, up])
    return settle_pedals(both[np.argsort(both["time_s"], kind="stable")])


def _on_the_grid(part: PianoPart, played: NoteArray) -> tuple[PianoPart, NoteArray]:
    """Return the part in tempi that make its notes sound when they were played, and the notes where they are written,
    on the clock of those."""
    clock = part.document.clocks[min(track for track, _ in part.slots)]
    ticks = clock.ticks(part.performance.notes["onset_s"])
    moments = np.unique(ticks)
    sums = np.zeros(moments.size)
    np.add.at(sums, np.searchsorted(moments, ticks), played["onset_s"])
    at_s = sums / np.bincount(np.searchsorted(moments, ticks))
    at_s = np.maximum.accumulate(at_s - _APART_S * np.arange(moments.size)) + _APART_S * np.arange(moments.size)
    paced = part.document.with_tempi(moments, at_s)
    clock = paced.clocks[min(track for track, _ in part.slots)]
    placed = played.copy()
    placed["onset_s"] = clock.seconds(ticks)
    same = PianoPart.of(paced, [str(track + 1) for track, _ in sorted(part.slots)]).on_the_keys()
    return same, placed
