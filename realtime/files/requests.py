"""What the commands that write files are asked for: one frozen, checked model per command.

Settings say how pianod plays; a request says what is wanted this once. The command line is made from these
models as it is from the settings.
"""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from workers.stores import is_url, path_of

DEFAULT_SECONDS = 30.0
"""The length of a piece for which neither seconds nor notes are asked."""


def anywhere(value: Any, as_path: ValidatorFunctionWrapHandler) -> Any:
    """Read a path of this machine, or a place in a store by its URL."""
    return path_of(value) if is_url(value) else as_path(value)


class PieceRequest(BaseModel):
    """What is to be made of a piece, and where it goes. `pianod new` asks for this."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    out: Annotated[Path, WrapValidator(anywhere)] = Field(
        description="MIDI file to write; with several variants, -1, -2 … go before the ending"
    )
    seconds: float | None = Field(
        default=None,
        gt=0.0,
        le=7200.0,
        description=f"length of the new music in seconds; {DEFAULT_SECONDS:g} if notes are not given",
    )
    notes: int | None = Field(default=None, ge=1, le=200_000, description="length of the new music in notes")
    ending: bool = Field(
        default=False,
        description="come to an end by the length, not be cut off there",
    )
    variants: int = Field(default=1, ge=1, le=1000, description="pieces to make, each with the next seed")
    retries: int = Field(
        default=0,
        ge=0,
        le=100,
        description="times to draw again, with another seed, where the music stops short of the length",
    )
    speed: float = Field(
        default=1.0, ge=0.1, le=10.0, description="factor on the speed of what is written: 2 is twice as fast"
    )
    transpose: int = Field(default=0, ge=-48, le=48, description="semitones by which to move what is written")
    events: Path | None = Field(default=None, description="JSON file for the events as the engine sent them")
    plot: bool = Field(default=False, description="write the picture of the piano roll beside each MIDI file")
    bpm: float | None = Field(
        default=None,
        ge=10.0,
        le=400.0,
        description="tempo that the file tells, in quarter notes a minute: it moves bar lines, not notes; 120 if not "
        "given",
    )

    @property
    def length_s(self) -> float | None:
        """Return the length asked for in seconds; None where the notes alone decide."""
        return DEFAULT_SECONDS if self.seconds is None and self.notes is None else self.seconds


class ContinueRequest(PieceRequest):
    """What is asked for of one file: the piece to go on with, and which part of it the model hears."""

    file: Path = Field(description="MIDI file to go on with")
    start_s: float = Field(
        default=0.0, ge=0.0, le=86_400.0, description="second of the file at which the part to hear begins"
    )
    end_s: float | None = Field(
        default=None,
        gt=0.0,
        le=86_400.0,
        description="second of the file at which the part to hear ends; its end if not given",
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.end_s is not None and self.end_s <= self.start_s:
            raise ValueError(f"--end-s ({self.end_s:g}) must come after --start-s ({self.start_s:g})")
        return self
