"""`pianod new`, and what it shares with `continue`: the live engine on a clock that does not wait. Main thread."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from loguru import logger
from tqdm import tqdm

from piano.errors import MidiFileError
from piano.events import NoteOff, NoteOn, Pedal, TimedEvent
from piano.midi_file import MidiTrack, read_performance, write_performance
from piano.notes import Performance
from realtime.commands import ChangePlaying
from realtime.continuation import NOTHING, Continuation, Length, Progress, go_on, moved, part_of
from realtime.model import open_bundle, open_session, opening_head, stream_head
from realtime.offline_run import OfflineRun
from realtime.outbox import OutboxSettings
from realtime.outputs import check_file, variant_path, write_text
from realtime.partner import PartnerSettings
from realtime.parts import answer_settings, scheduler_settings, seed_of
from realtime.requests import ContinueRequest, PieceRequest
from realtime.session import Session
from realtime.settings import Settings

PRIMER, CONTINUATION, PIECE = "primer", "continuation", "piece"
"""The names of the tracks."""


def run_new(settings: Settings, request: PieceRequest) -> int:
    """Make a new piece; return the exit code."""
    _check_outputs(request)
    session, _ = open_session(open_bundle(settings), settings)
    _make(settings, request, session)
    return 0


def read_primer(request: ContinueRequest) -> Performance:
    """Return the part of the file that the model is to hear; MidiFileError if there is no note in it."""
    return primer_of(read_performance(request.file), request)


def primer_of(performance: Performance, request: ContinueRequest) -> Performance:
    """Return the part of a performance that the model is to hear; MidiFileError if there is no note in it."""
    primer = part_of(performance, request.start_s, request.end_s)
    if primer.notes.size == 0:
        end = "the end" if request.end_s is None else f"{request.end_s:g} s"
        raise MidiFileError(
            f"{request.file}: no note begins from {request.start_s:g} s to {end}; "
            f"the music goes on until {performance.end_s:.1f} s: choose other values of --start-s and --end-s"
        )
    return primer


def _check_outputs(request: PieceRequest) -> None:
    for index in range(request.variants):
        path = variant_path(request.out, index, request.variants)
        check_file(path, "--out")
        if request.plot:
            check_file(path.with_suffix(".png"), "--out")
    if request.events is not None:
        check_file(request.events, "--events")


def _make(settings: Settings, request: PieceRequest, session: Session) -> None:
    """Make every variant and write it."""
    first_seed = seed_of(settings)
    for index in range(request.variants):
        path = variant_path(request.out, index, request.variants)
        seeds = [first_seed + index + request.variants * attempt for attempt in range(request.retries + 1)]
        seed, made = draw(settings, request, session, NOTHING, seeds)
        tracks = tracks_of(request, NOTHING, made)
        write_performance(path, tracks, bpm=request.bpm)
        logger.info("{}: {} new notes, seed {}", path, made.performance.notes.size, seed)
        if made.is_short:
            logger.warning("{} ends by itself before the length asked for; --retries N draws again", path)
        if request.events is not None:
            write_text(variant_path(request.events, index, request.variants), events_text(seed, made))
        if request.plot:
            _plot(path, tracks)


def draw(
    settings: Settings,
    request: PieceRequest,
    session: Session,
    primer: Performance,
    seeds: list[int],
    report: Callable[[Progress], None] | None = None,
) -> tuple[int, Continuation]:
    """Return the first music, with its seed, that is as long as asked for, or else the one with the most notes.

    How far it is is told to `report`, or shown by a bar.
    """
    best: tuple[int, Continuation] | None = None
    for seed in seeds:
        run = OfflineRun(session, partner_settings(settings, seed, is_new=primer.notes.size == 0))
        made = _go_on(request, run, primer, report)
        if best is None or not made.is_short or made.performance.notes.size > best[1].performance.notes.size:
            best = seed, made
        if not made.is_short:
            break
    if best is None:
        raise ValueError("music is drawn with at least one seed")
    return best


def partner_settings(settings: Settings, seed: int, *, is_new: bool) -> PartnerSettings:
    """Return what the parts are told: as live, but that only an explicit wish is answered, and on channel 1."""
    scheduler = scheduler_settings(settings)
    return PartnerSettings(
        ChangePlaying(
            replace(answer_settings(settings, seed), pause=None),
            opening_head(settings) if is_new else stream_head(settings),
        ),
        scheduler=replace(scheduler, outbox=OutboxSettings(0, scheduler.outbox.longest_note_ns)),
    )


def _go_on(
    request: PieceRequest, run: OfflineRun, primer: Performance, report: Callable[[Progress], None] | None
) -> Continuation:
    """Make the music, if nobody is told, under a bar: in seconds of music, or in notes where those alone decide."""
    length = Length(request.length_s, request.notes)
    if report is not None:
        return go_on(run, primer, length, report)
    total = length.notes if length.seconds is None else length.seconds
    unit = "note" if length.seconds is None else "s of music"
    form = "{l_bar}{bar}| {n:.0f}/{total:.0f} {unit} [{elapsed}<{remaining}]"
    with tqdm(total=total, unit=unit, bar_format=form, leave=False, disable=None) as bar:

        def show(progress: Progress) -> None:
            done = progress.notes if length.seconds is None else progress.seconds
            bar.update(min(done, bar.total or done) - bar.n)

        return go_on(run, primer, length, show)


def tracks_of(request: PieceRequest, primer: Performance, made: Continuation) -> list[MidiTrack]:
    """Return the tracks to write, at the speed and pitch asked for."""
    named = [(PIECE, made.performance)] if primer is NOTHING else [(PRIMER, primer), (CONTINUATION, made.performance)]
    tracks = [
        MidiTrack(name, moved(performance, speed=request.speed, semitones=request.transpose))
        for name, performance in named
    ]
    lost = sum(performance.notes.size for _, performance in named) - sum(
        track.performance.notes.size for track in tracks
    )
    if lost:
        logger.warning("--transpose {}: {} notes would leave MIDI's pitches and are left out", request.transpose, lost)
    return tracks


def _plot(path: Path, tracks: list[MidiTrack]) -> None:
    from realtime.piano_roll import draw_roll

    picture = path.with_suffix(".png")
    draw_roll(picture, tracks, title=path.stem)
    logger.info("{}: the picture", picture)


def events_text(seed: int, made: Continuation) -> str:
    """Return the events as JSON, one a line."""
    lines = ",\n".join("    " + json.dumps(_event_as_dict(timed)) for timed in made.events)
    return f'{{\n  "seed": {seed},\n  "starts_s": {made.starts_s:.6f},\n  "events": [\n{lines}\n  ]\n}}\n'


def _event_as_dict(timed: TimedEvent) -> dict[str, Any]:
    at_s = round(timed.at_ns / 1e9, 6)
    match timed.event:
        case NoteOn(pitch, velocity):
            return {"at_s": at_s, "event": "note_on", "pitch": pitch, "velocity": velocity}
        case NoteOff(pitch):
            return {"at_s": at_s, "event": "note_off", "pitch": pitch}
        case Pedal(down):
            return {"at_s": at_s, "event": "pedal", "down": down}
