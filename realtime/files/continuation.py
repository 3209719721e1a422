"""A piece, gone on with: the primer in, an answer of the length that is asked for out. Offline, one thread."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from piano.events import NoteOff, NoteOn, Pedal, TimedEvent
from piano.notes import Performance, no_notes
from realtime.engine.commands import ComeToEnd
from realtime.engine.offline_run import OfflineRun
from realtime.files.deferred_session import DeferredSession
from realtime.midi.message import MessageKind, kind_of
from realtime.midi.performance_messages import messages_of
from realtime.take.take import performance_of

_NS_PER_S = 1_000_000_000
_SLICE_NS = _NS_PER_S // 4
"""How far the run goes on between two looks at what there is."""

_HEARD_ONE_BY_ONE = 16
"""So many messages at the end of a primer are heard one by one, in any case: one of them at least changes something."""

_SHORT_BY_NS = _NS_PER_S
"""A piece that lacks more than this of the length asked for is short."""

NOTHING = Performance(no_notes())
"""The primer of a new piece."""


@dataclass(frozen=True, slots=True)
class PieceLength:
    """How long the new music is to be: in seconds, in notes, or until the first of both is reached.

    With `ending_s` it is brought to an end within so many seconds, instead of being cut off.
    """

    seconds: float | None = None
    notes: int | None = None
    ending_s: float | None = None

    def __post_init__(self) -> None:
        """Refuse a length without an end."""
        if self.seconds is None and self.notes is None:
            raise ValueError("a length needs seconds or notes")


@dataclass(frozen=True, slots=True)
class Continuation:
    """New music, in seconds from the beginning of the primer."""

    starts_s: float
    events: tuple[TimedEvent, ...]
    """As the engine sent them, in nanoseconds from the beginning of the primer."""
    is_short: bool
    """Whether the music ended by itself before the length that was asked for."""

    @property
    def performance(self) -> Performance:
        """Return the events as notes and pedal changes."""
        return performance_of(self.events, 0)


@dataclass(frozen=True, slots=True)
class DrawProgress:
    """How far the new music is."""

    seconds: float
    notes: int


def go_on(
    run: OfflineRun,
    primer: Performance,
    length: PieceLength,
    report: Callable[[DrawProgress], None] = lambda _: None,
    *,
    deferred: DeferredSession | None = None,
) -> Continuation:
    """Play the primer to a fresh run, hand over at its end, and return the music of the length asked for.

    A `deferred` session, which the run then plays with, hears the primer at once.
    """
    messages = messages_of(primer)
    run.play(messages)
    start_ns = messages[-1][0] if messages else 0
    if deferred is not None:
        if len(messages) > _HEARD_ONE_BY_ONE:
            run.run_until(messages[-_HEARD_ONE_BY_ONE][0] - 1)
        deferred.catch_up()
    run.run_until(start_ns)
    run.hand_over()
    limit_ns = None if length.seconds is None else start_ns + round(length.seconds * _NS_PER_S)
    ending_ns = round((length.ending_s or 0.0) * _NS_PER_S)
    ends_ns = None if limit_ns is None or not ending_ns else limit_ns - ending_ns
    now_ns, seen, notes, is_ending = start_ns, 0, 0, False
    while now_ns != limit_ns:
        has_all = length.notes is not None and notes >= length.notes
        if ending_ns and not is_ending and (has_all or (ends_ns is not None and now_ns >= ends_ns)):
            run.tell(ComeToEnd())
            is_ending = True
        stops_ns = (stop_ns for stop_ns in (ends_ns, limit_ns) if stop_ns is not None and stop_ns > now_ns)
        now_ns = min(now_ns + _SLICE_NS, next(stops_ns, now_ns + _SLICE_NS))
        run.run_until(now_ns)
        news = run.partner.take.sent[seen:]
        seen += len(news)
        notes += sum(kind_of(data) is MessageKind.NOTE_ON for _, data in news)
        report(DrawProgress((now_ns - start_ns) / _NS_PER_S, notes))
        is_whole = length.notes is not None and notes >= length.notes and _have_ended(run.answered(), length.notes)
        if not run.is_playing or (is_whole and not ending_ns):
            break
    ended_itself = not run.is_playing
    run.finish()
    events = run.answered()
    if length.notes is not None and not ending_ns:
        events = first_notes(events, length.notes)
    return Continuation(start_ns / _NS_PER_S, tuple(events), ended_itself and _is_short(events, start_ns, length))


def first_notes(events: Sequence[TimedEvent], count: int) -> list[TimedEvent]:
    """Return the events of the first notes, to the release of the last of them, and the pedal until then."""
    kept: list[TimedEvent] = []
    held: set[int] = set()
    struck, pedal = 0, False
    for timed in events:
        match timed.event:
            case NoteOn(pitch) if struck < count:
                struck += 1
                held.add(pitch)
            case NoteOff(pitch) if pitch in held:
                held.remove(pitch)
            case Pedal(down):
                pedal = down
            case _:
                continue
        kept.append(timed)
        if struck == count and not held:
            break
    if pedal:
        kept.append(TimedEvent(kept[-1].at_ns, Pedal(down=False)))
    return kept


def _count_notes(events: Sequence[TimedEvent]) -> int:
    return sum(isinstance(timed.event, NoteOn) for timed in events)


def _have_ended(events: Sequence[TimedEvent], count: int) -> bool:
    """Say whether so many notes were struck and released again."""
    kept = first_notes(events, count)
    return _count_notes(kept) == sum(isinstance(timed.event, NoteOff) for timed in kept)


def _is_short(events: Sequence[TimedEvent], start_ns: int, length: PieceLength) -> bool:
    if length.notes is not None and _count_notes(events) < length.notes:
        return True
    end_ns = events[-1].at_ns if events else start_ns
    short_by_ns = _SHORT_BY_NS + round((length.ending_s or 0.0) * _NS_PER_S)
    return length.seconds is not None and end_ns - start_ns < length.seconds * _NS_PER_S - short_by_ns


def part_of(performance: Performance, start_s: float, end_s: float | None) -> Performance:
    """Return the notes that begin from one moment to another, with the pedal, from the first moment on.

    What is still held at the end is let go there; the pedal at the last release.
    """
    notes = performance.notes
    end_s = np.inf if end_s is None else end_s
    notes = notes[(notes["onset_s"] >= start_s) & (notes["onset_s"] < end_s)].copy()
    notes["duration_s"] = np.minimum(notes["duration_s"], end_s - notes["onset_s"])
    notes["onset_s"] -= start_s
    part = Performance(notes)
    last_s = part.end_s
    pedals = performance.pedals.copy()
    was_down = bool(pedals["down"][pedals["time_s"] <= start_s][-1:].any())
    pedals["time_s"] -= start_s
    pedals = pedals[(pedals["time_s"] > 0.0) & (pedals["time_s"] < last_s)]
    first = np.array([(0.0, True)] if was_down and notes.size else [], pedals.dtype)
    pedals = np.concatenate([first, pedals])
    last = np.array([(last_s, False)] if pedals["down"][-1:].any() else [], pedals.dtype)
    return Performance(notes, np.concatenate([pedals, last]))


def moved(performance: Performance, *, speed: float = 1.0, semitones: int = 0) -> Performance:
    """Return a performance played at another speed and moved in pitch; what leaves MIDI's pitches is left out."""
    notes, pedals = performance.notes.copy(), performance.pedals.copy()
    pitches = notes["pitch"].astype(int) + semitones
    within = (pitches >= 0) & (pitches <= 127)
    notes["pitch"] = np.clip(pitches, 0, 127)
    for column in ("onset_s", "duration_s"):
        notes[column] /= speed
    pedals["time_s"] /= speed
    return Performance(notes[within], pedals)
