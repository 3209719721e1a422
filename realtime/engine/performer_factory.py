"""The ways of playing by name: which performer plays, and how the stream of each begins."""

from inference.onnx_session import Session
from piano.sampling.memory import Memory
from realtime.performers.call_and_response import CallAndResponse
from realtime.performers.duet import Duet
from realtime.performers.loop.performer import Loop
from realtime.performers.performer import Output, Performer
from realtime.performers.play_settings import DuetSettings, LoopSettings, Mode, PlaySettings, VelocitySettings
from realtime.performers.velocity_repair import VelocityRepair


def performer_of(playing: PlaySettings, session: Session, output: Output, memory: Memory | None = None) -> Performer:
    """Return a performer of the wanted mode: its stream begins anew on the session, and it knows what was played."""
    match playing.mode:
        case Mode.DUET:
            return Duet(session, playing.head, output, playing.duet or DuetSettings(), memory)
        case Mode.LOOP:
            return Loop(session, playing.head, output, playing.loop or LoopSettings(), memory)
        case Mode.VELOCITY:
            return VelocityRepair(session, playing.head, output, playing.velocity or VelocitySettings(), memory)
        case Mode.ANSWER:
            return CallAndResponse(session, playing.head, output, playing.answers, memory)
