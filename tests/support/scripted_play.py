"""Players by script, and what one may ask of what went out."""

from collections.abc import Iterable, Sequence

from inference.onnx_session import Session
from piano.events import Event, NoteOff, NoteOn, TimedEvent
from realtime.engine.listening import EngineSettings
from realtime.engine.offline_run import OfflineRun
from realtime.engine.partner import PartnerSettings
from realtime.midi.message import bytes_of
from realtime.performers.play_settings import AnswerSettings, PlaySettings
from realtime.threads.clock import ManualClock
from tests.support.listener import Listener
from tests.support.session_models import HEAD, model_of_chance

MS = 1_000_000
S = 1_000_000_000

Messages = list[tuple[int, bytes]]


def a_run(
    session: Session | None = None,
    answers: AnswerSettings | None = None,
    engine: EngineSettings | None = None,
    clock: ManualClock | None = None,
) -> OfflineRun:
    """Return a partner on a clock that is moved by hand."""
    partner = PartnerSettings(PlaySettings(answers or AnswerSettings(), tuple(HEAD)), engine or EngineSettings())
    return OfflineRun(session or model_of_chance(), partner, clock)


def wire(events: Iterable[tuple[float, Event]]) -> Messages:
    """Return events at moments in seconds as messages at moments in nanoseconds."""
    return [(round(at_s * S), bytes_of(event)) for at_s, event in events]


def note(at_s: float, pitch: int, duration_s: float = 0.3, velocity: int = 70) -> list[tuple[float, Event]]:
    """Return the two events of a note."""
    return [(at_s, NoteOn(pitch, velocity)), (at_s + duration_s, NoteOff(pitch))]


def phrase(start_s: float = 1.0, notes: int = 6, gap_s: float = 0.25) -> Messages:
    """Return a scale, each note released before the next; the last release is the end."""
    return wire(event for index in range(notes) for event in note(start_s + index * gap_s, 60 + 2 * index, gap_s * 0.8))


def own_onsets(run: OfflineRun) -> list[TimedEvent]:
    """Return the keys that we struck."""
    return [timed for timed in run.answered() if isinstance(timed.event, NoteOn)]


def sounding_at(sent: Sequence[tuple[int, bytes]], at_ns: int) -> Listener:
    """Return what a listener hears to sound after all that went out by a moment; it holds the laws of the wire."""
    listener = Listener()
    for sent_ns, data in sent:
        if sent_ns <= at_ns:
            listener.hear(data)
    return listener
