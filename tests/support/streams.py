"""Live streams over a model of chance, and what can be played to them."""

import numpy as np
from hypothesis import strategies as st

from piano.events import NoteOff, NoteOn, Pedal, Role
from piano.solve.live_stream import LiveStream
from piano.tokens.vocabulary import VOCABULARY
from tests.support.session_models import HEAD, ChanceSession

FLAT = np.zeros(VOCABULARY.size, np.float32)
ON, OFF = VOCABULARY.on(Role.OWN, 60), VOCABULARY.off(Role.OWN, 60)
VELOCITY = VOCABULARY.velocity(80)

EVENTS = st.one_of(
    st.builds(NoteOn, st.integers(58, 62), st.integers(1, 127)),
    st.builds(NoteOff, st.integers(58, 62)),
    st.builds(Pedal, st.booleans()),
)
ROLES = st.sampled_from(Role)
DENSE_MS = st.one_of(st.integers(0, 4), st.integers(0, 900))


def a_stream(seed: int = 0) -> tuple[LiveStream, ChanceSession]:
    """Return a stream with nothing in it, and its session."""
    session = ChanceSession(VOCABULARY.size, 4096, seed=seed)
    return LiveStream(session, HEAD), session


def what_is_recalled(stream: LiveStream) -> list[float]:
    """Return what the memory of a stream makes of a model that knows nothing."""
    recalled: list[float] = stream._memory.adjust(FLAT, 1.0).tolist()
    return recalled
