"""Players by chance: what they do, and how it is done to a partner on a clock that is moved by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import Phase, settings
from hypothesis import strategies as st

from piano.events import NoteOff, NoteOn, Pedal
from realtime.engine.commands import Command
from realtime.engine.offline_run import OfflineRun
from realtime.midi.message import bytes_of
from tests.support.scripted_play import MS, S

RUNS = settings(max_examples=25, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
"""For tests in which a random player plays: what fails is shown as it was found, and not made smaller."""


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
