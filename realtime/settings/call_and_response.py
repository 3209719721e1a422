"""Settings of call and response: what ends a phrase, and how it is answered."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from piano.tokens.vocabulary import COMPOSERS
from realtime.settings.optional import Optional


def _known_composer(name: str) -> str:
    if name not in COMPOSERS:
        raise ValueError(f"must be one of {', '.join(COMPOSERS)}")
    return name


class AnswerGroup(BaseModel):
    """Call and response"""

    trigger: Literal["pause", "pedal", "key", "cc"] = Field(
        default="pause", description="what asks for an answer: a pause in your playing, a pedal, a key, or a controller"
    )
    shortest_pause_s: float = Field(
        default=0.7,
        ge=0.1,
        le=10.0,
        description="seconds of rest that end a fast phrase; the pause adapts to how you play",
    )
    longest_pause_s: float = Field(default=1.5, ge=0.1, le=10.0, description="seconds of rest that end any phrase")
    trigger_pedal: Literal["soft", "sostenuto"] = Field(
        default="soft", description="pedal that asks for an answer, with trigger = pedal"
    )
    trigger_key: int = Field(
        default=21,
        ge=0,
        le=127,
        description="MIDI pitch of the key that asks for an answer, with trigger = key; 21 is the lowest A",
    )
    trigger_cc: int = Field(
        default=80, ge=0, le=119, description="number of the controller that asks for an answer, with trigger = cc"
    )
    answer: Literal["endless", "phrase"] = Field(
        default="endless", description="play on until you play again, or about as long as your phrase and end at a rest"
    )
    composer: Annotated[Annotated[str, AfterValidator(_known_composer)] | None, Optional] = Field(
        default=None, description=f"whose manner to play in ({', '.join(COMPOSERS)}); yours if not given"
    )
    density: Annotated[float | None, Optional] = Field(
        default=None, gt=0.0, le=40.0, description="how busy to play, in notes per second; as busy as you if not given"
    )
