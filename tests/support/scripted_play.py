"""What the tests of the engine share: models of chance, players by script, and what one may ask of what went out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from hypothesis import Phase, settings
from hypothesis import strategies as st

from inference.onnx_session import Logits, Session
from inference.rolling_context import RollingContext
from inference.session_wrapper import SessionWrapper
from piano.events import Event, NoteOff, NoteOn, Pedal, TimedEvent
from piano.tokens.vocabulary import VOCABULARY, Kind
from realtime.engine.commands import Command
from realtime.engine.listening import EngineSettings
from realtime.engine.offline_run import OfflineRun
from realtime.engine.partner import PartnerSettings
from realtime.midi.message import bytes_of
from realtime.performers.play_settings import AnswerSettings, PlaySettings
from realtime.threads.clock import ManualClock
from tests.support.listener import Listener
from tests.support.scripted_session import ScriptedSession

MS = 1_000_000
S = 1_000_000_000
HEAD = (VOCABULARY.bos, VOCABULARY.task("continue"))

RUNS = settings(max_examples=25, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
"""For tests in which a random player plays: what fails is shown as it was found, and not made smaller."""

Messages = list[tuple[int, bytes]]


_STEPS = np.where(VOCABULARY.kinds == Kind.TIME, VOCABULARY.values, 0).astype(np.float32)
_ROWS: Logits = (np.random.default_rng(1).standard_normal((251, VOCABULARY.size)) - _STEPS / 25).astype(np.float32)


class ChanceSession(ScriptedSession):
    """A session whose logits are drawn from a table by a hash of the last few tokens: quick, and never the same."""

    def _logits(self) -> Logits:
        logits: Logits = _ROWS[hash((self._seed, *self._tokens[-6:])) % len(_ROWS)].copy()
        return logits


def model_of_chance(seed: int = 0, window: int | None = None) -> RollingContext:
    """Return an endless session over a model of chance."""
    first, second = (ChanceSession(VOCABULARY.size, 256, seed=seed) for _ in range(2))
    return RollingContext(first, second, window=window)


def scripted(tokens: Sequence[int], context: int = 512) -> ScriptedSession:
    """Return a session that would have the given tokens follow the head, one after the other."""
    return ScriptedSession(
        VOCABULARY.size, context, script={len(HEAD) + index: token for index, token in enumerate(tokens)}
    )


class SlowSession(SessionWrapper):
    """A session on a slow machine: each feed takes time on a clock that is moved by hand."""

    def __init__(self, session: Session, clock: ManualClock, ns_per_feed: int) -> None:
        super().__init__(session)
        self._clock, self._ns = clock, ns_per_feed

    def feed(self, tokens: Sequence[int]) -> Logits:
        logits = super().feed(tokens)
        self._clock.advance_to(self._clock.now_ns() + self._ns)
        return logits


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


@dataclass
class Act:
    """One thing that a player does: a message or a command."""

    at_ns: int
    message: bytes = b""
    command: Command | None = field(default=None)


def perform(run: OfflineRun, acts: Sequence[Act], tail_ns: int = 4 * S) -> None:
    """Let the player act, in order of time, and go on for a while after it."""
    run.play([(act.at_ns, act.message) for act in acts if act.command is None])
    for act in acts:
        if act.command is not None:
            run.run_until(act.at_ns)
            run.tell(act.command)
    last_ns = acts[-1].at_ns if acts else 0
    run.run_until(max(last_ns, run.clock.now_ns()) + tail_ns)


_PITCHES = st.sampled_from((21, 36, 48, 60, 60, 62, 64, 67, 72, 108))
_EVENTS = st.one_of(
    st.builds(NoteOn, _PITCHES, st.integers(1, 127)),
    st.builds(NoteOff, _PITCHES),
    st.builds(Pedal, st.booleans()),
)
_STRANGE = st.sampled_from(
    tuple(map(bytes.fromhex, ("903c00", "b07b00", "b07900", "b04020", "90007f", "997f7f", "f8", "c005", "e00040")))
)
_GAPS_MS = st.one_of(st.just(0), st.integers(0, 60), st.integers(60, 700), st.integers(700, 4000))


@st.composite
def acts(draw: st.DrawFn, commands: Sequence[Command] = (), most: int = 25) -> list[Act]:
    """Return what a random player does, double presses, releases of nothing and floods of pedal included."""
    doing: st.SearchStrategy[bytes | Command] = st.one_of(_EVENTS.map(bytes_of), _EVENTS.map(bytes_of), _STRANGE)
    if commands:
        doing = st.one_of(doing, doing, st.sampled_from(commands))
    at_ns = 0
    done: list[Act] = []
    for gap_ms, what in draw(st.lists(st.tuples(_GAPS_MS, doing), max_size=most)):
        at_ns += gap_ms * MS + draw(st.integers(0, MS))
        done.append(Act(at_ns, what) if isinstance(what, bytes) else Act(at_ns, command=what))
    return done
