"""Cues in the live stream: each beat once, at its step and before what sounds there, exact under rollback."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.changes import read_chart
from piano.cues import BEAT, DOWNBEAT, FIRST_CHORD
from piano.events import NoteOff, NoteOn, Role, TimedEvent
from piano.sampling.sampler import Sampler
from piano.solve.bounds import Bounds
from piano.solve.guidance import Guidance
from piano.solve.live_stream import LiveStream
from piano.tokens.encoding import decode
from piano.tokens.grammar import tokens_of_role
from piano.tokens.vocabulary import VOCABULARY, Kind
from realtime.beat.beat_cues import BeatCues
from realtime.beat.musical_clock import MusicalClock
from realtime.threads.clock import NS_PER_MS, NS_PER_S
from tests.support.session_models import HEAD, ChanceSession

ALLOWED = tokens_of_role(Role.OWN) & (np.arange(VOCABULARY.size) != VOCABULARY.end)


class KnowingSession(ChanceSession):
    """A session of chance that says it knows cues."""

    knows_cues = True


def a_stream(
    tempo_bpm: float = 120.0, chart: str | None = None, *, knows: bool = True
) -> tuple[LiveStream, ChanceSession]:
    clock = MusicalClock()
    clock.set(tempo_bpm, 4, 0, origin_ns=NS_PER_S)
    session = (KnowingSession if knows else ChanceSession)(VOCABULARY.size, 100_000)
    stream = LiveStream(session, HEAD)
    changes = None if chart is None else read_chart(chart)
    stream.guide(Guidance(BeatCues(clock, changes)))
    return stream, session


def cues_of(session: ChanceSession) -> list[tuple[int, int]]:
    """Return the cues of a stream by the step at which they stand."""
    step, found = 0, []
    for token in session.tokens[len(HEAD) :]:
        kind, value = VOCABULARY.kinds[token], int(VOCABULARY.values[token])
        step += value if kind == Kind.TIME else 0
        if kind == Kind.CUE:
            found.append((step, value))
    return found


def play(stream: LiveStream, events: int, sampler: Sampler, from_ns: int) -> list[TimedEvent]:
    played: list[TimedEvent] = []
    for _ in range(events):
        proposed = stream.propose(sampler, Bounds(from_ns, ALLOWED))
        assert proposed is not None
        played.append(proposed)
        from_ns = proposed.at_ns
    return played


@pytest.mark.parametrize("tempo_bpm", [60.0, 120.0, 200.0])
def test_each_beat_is_told_once_at_its_step(tempo_bpm: float) -> None:
    stream, session = a_stream(tempo_bpm)
    stream.hear(TimedEvent(NS_PER_S, NoteOn(60, 60)))
    played = play(stream, 60, Sampler(1), NS_PER_S)
    told = cues_of(session)
    last_s = (played[-1].at_ns - NS_PER_S) / NS_PER_S
    expected = [round(beat * 6000 / tempo_bpm) for beat in range(int(last_s * tempo_bpm / 60) + 1)]
    assert [step for step, _ in told[: len(expected)]] == pytest.approx(expected, abs=1)
    assert [code for _, code in told] == [DOWNBEAT if index % 4 == 0 else BEAT for index in range(len(told))]
    assert abs(len(told) - len(expected)) <= 1
    assert decode(np.array(session.tokens, np.int32)).performance.notes.size


def test_a_model_that_knows_none_is_told_none() -> None:
    stream, session = a_stream(knows=False)
    stream.hear(TimedEvent(NS_PER_S, NoteOn(60, 60)))
    play(stream, 20, Sampler(1), NS_PER_S)
    assert cues_of(session) == []


def test_chords_are_told_a_beat_ahead_and_the_first_at_once() -> None:
    stream, session = a_stream(120.0, "C | F")
    for beat in range(10):
        stream.hear(TimedEvent(NS_PER_S + beat * NS_PER_S // 2, NoteOn(60, 60)))
        stream.hear(TimedEvent(NS_PER_S + beat * NS_PER_S // 2 + 200 * NS_PER_MS, NoteOff(60)))
    chords = [(step, code - FIRST_CHORD) for step, code in cues_of(session) if code >= FIRST_CHORD]
    assert chords == [(0, 0), (150, 5), (350, 0)]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 3000), st.booleans())
def test_what_is_taken_back_leaves_no_trace(seed: int, cut_ms: int, knows: bool) -> None:
    stream, session = a_stream(knows=knows)
    stream.hear(TimedEvent(NS_PER_S, NoteOn(60, 60)))
    play(stream, 15, Sampler(seed), NS_PER_S)
    cut_ns = NS_PER_S + cut_ms * NS_PER_MS
    stream.rollback(cut_ns)
    kept = session.tokens
    assert stream.length == len(kept)
    play(stream, 15, Sampler(seed + 1), cut_ns)
    stream.rollback(cut_ns)
    assert session.tokens[: len(kept)] == kept
    at_ns = max(cut_ns, stream.end_ns) + 700 * NS_PER_MS
    stream.hear(TimedEvent(at_ns, NoteOn(61, 60)))
    told = [step for step, _ in cues_of(session)]
    assert told == sorted(told)
    if knows:
        assert len(told) == (at_ns - NS_PER_S) // (NS_PER_S // 2) + 1, "each beat so far, and each once"
