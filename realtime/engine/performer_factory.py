"""The ways of playing by name: which performer plays, and how the stream of each begins."""

from collections.abc import Callable

from inference.onnx_session import Session
from piano.sampling.memory import Memory
from realtime.beat.musical_clock import MusicalClock
from realtime.performers.call_and_response import CallAndResponse
from realtime.performers.duet import Duet
from realtime.performers.loop.performer import Loop
from realtime.performers.performer import Output, Performer
from realtime.performers.play_settings import DuetSettings, LoopSettings, Mode, PlaySettings, VelocitySettings
from realtime.performers.trading import Trading
from realtime.performers.velocity_repair import VelocityRepair


def performer_of(
    playing: PlaySettings,
    session: Session,
    output: Output,
    memory: Memory | None = None,
    beats: MusicalClock | None = None,
    click: Callable[[bytes], None] | None = None,
) -> Performer:
    """Return a performer of the wanted mode: its stream begins anew on the session, and it knows what was played.

    `beats` keeps the time, and `click` counts in.
    """
    match playing.mode:
        case Mode.DUET:
            return Duet(session, playing.head, output, playing.duet or DuetSettings(), memory)
        case Mode.LOOP:
            return Loop(session, playing.head, output, playing.loop or LoopSettings(), memory, beats)
        case Mode.VELOCITY:
            return VelocityRepair(session, playing.head, output, playing.velocity or VelocitySettings(), memory)
        case Mode.ANSWER if playing.trades:
            return Trading(session, playing.head, output, playing.answers, beats or MusicalClock(), click, memory)
        case Mode.ANSWER:
            return CallAndResponse(session, playing.head, output, playing.answers, memory)
