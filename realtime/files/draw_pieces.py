"""What `pianod new` and `continue` share: the live engine on a clock that does not wait."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from loguru import logger

from inference.onnx_session import Session
from piano.errors import MidiFileError
from piano.events import NoteOff, NoteOn, Pedal, TimedEvent
from piano.midi.file import MidiTrack, read_performance
from piano.notes import Performance
from piano.sampling.density_guard import drawn_notes_per_s
from realtime.engine.from_settings import answer_settings, as_busy_as, head_with, reference_in, scheduler_settings
from realtime.engine.listening import EngineSettings
from realtime.engine.offline_run import OfflineRun
from realtime.engine.open_model import opening_head, stream_head
from realtime.engine.partner import PartnerSettings
from realtime.files.continuation import NOTHING, Continuation, DrawProgress, PieceLength, go_on, moved, part_of
from realtime.files.deferred_session import DeferredSession
from realtime.files.requests import ContinueRequest, PieceRequest
from realtime.output.event_queue import EventQueueSettings
from realtime.performers.play_settings import Length as AnswerLength
from realtime.performers.play_settings import PlaySettings
from realtime.settings import Settings
from realtime.threads.clock import NS_PER_S

PRIMER, CONTINUATION, PIECE = "primer", "continuation", "piece"
"""The names of the tracks."""


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


def draw_pieces(
    settings: Settings,
    request: PieceRequest,
    session: Session,
    primer: Performance,
    seeds: list[int],
    report: Callable[[DrawProgress], None] = lambda _: None,
) -> tuple[int, Continuation]:
    """Return the first music, with its seed, that is as long as asked for, or else the one with the most notes.

    How far it is is told to `report`.
    """
    best: tuple[int, Continuation] | None = None
    ending_s = min(settings.ending_s, request.length_s or settings.ending_s) if request.ending else None
    length = PieceLength(request.length_s, request.notes, ending_s)
    for seed in seeds:
        deferred = DeferredSession(session)
        run = OfflineRun(deferred, partner_settings(settings, seed, is_new=primer.notes.size == 0, ending_s=ending_s))
        made = go_on(run, primer, length, report, deferred=deferred)
        if best is None or not made.is_short or made.performance.notes.size > best[1].performance.notes.size:
            best = seed, made
        if not made.is_short:
            break
    if best is None:
        raise ValueError("music is drawn with at least one seed")
    return best


def partner_settings(settings: Settings, seed: int, *, is_new: bool, ending_s: float | None = None) -> PartnerSettings:
    """Return what the parts are told: as live, but that only a wish is answered, as long as asked, and on channel 1.

    How busy a new piece is to be is drawn, unless the settings say it.
    """
    scheduler = scheduler_settings(settings)
    reference = reference_in(settings)
    settings = as_busy_as(settings, reference)
    answers = replace(answer_settings(settings, seed), pause=None, expects=False, length=AnswerLength.ENDLESS)
    if is_new and answers.notes_per_s is None:
        answers = replace(answers, notes_per_s=drawn_notes_per_s(seed))
    return PartnerSettings(
        PlaySettings(
            answers,
            head_with(stream_head(settings), reference) if reference or not is_new else opening_head(settings),
            reference=reference,
        ),
        EngineSettings() if ending_s is None else EngineSettings(ending_ns=int(ending_s * NS_PER_S)),
        scheduler=replace(scheduler, queue=EventQueueSettings(0, scheduler.queue.longest_note_ns)),
    )


def piece_tracks(request: PieceRequest, primer: Performance, made: Continuation) -> list[MidiTrack]:
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
