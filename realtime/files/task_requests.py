"""What the commands that work on MIDI files are asked for: which files, what is wanted of them, and how."""

from collections.abc import Mapping
from copy import copy
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WrapValidator,
    field_validator,
    model_validator,
)

from realtime.files.fill_choices import KEPT
from realtime.files.requests import ContinueRequest, PieceRequest, anywhere
from workers.place import LIMIT_S, check_address

SUMMARIES: Mapping[str, str] = {
    "continue": "go on with MIDI files",
    "fill": "keep a part of MIDI files, play the rest",
    "velocities": "find the velocities of MIDI files",
    "clean": "clean MIDI files of wrong notes, velocities or times",
    "perform": "play scores with expression",
}
"""What each command on files does, in the words of the command line and of the panel."""

Span = tuple[float, float]


def _spans(value: Any) -> Any:
    """Read stretches such as `10-14` or `10-14,30.5-33`."""
    if not isinstance(value, str):
        return value
    try:
        ends = [tuple(float(end) for end in part.split("-")) for part in value.split(",")]
    except ValueError as error:
        raise ValueError("must be FROM-TO, such as 10-14, or several with commas between") from error
    if not ends or any(len(pair) != 2 or not 0 <= pair[0] < pair[1] for pair in ends):
        raise ValueError("must be FROM-TO, such as 10-14, with TO above FROM, or several with commas between")
    if any(later[0] < before[1] for before, later in pairwise(ends)):
        raise ValueError("must be in order, one stretch behind the other")
    return tuple(ends)


def _one_span(value: Any) -> Any:
    spans = _spans(value)
    if isinstance(value, str) and len(spans) != 1:
        raise ValueError("must be one stretch, FROM-TO")
    return spans[0] if isinstance(value, str) else spans


def _words(value: Any) -> Any:
    """Read words with commas between them."""
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


def _known_kept(name: str) -> str:
    if name not in KEPT:
        raise ValueError(f"must be one of {', '.join(KEPT)}")
    return name


def same_as(model: type[BaseModel], name: str) -> Any:
    """Return a field as another request has it."""
    return copy(model.model_fields[name])


class Sharing(BaseModel):
    """How the work is shared out; no part of what is made."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    jobs: int = Field(default=0, ge=0, le=256, description="processes that share the files; 0 takes one for each core")
    cluster: str | None = Field(
        default=None,
        description="work on a Dask cluster: the address of its scheduler, such as tcp://host:8786, or local:N for N "
        "workers here; see docs/scale.md",
    )
    limit_s: float = Field(
        default=LIMIT_S,
        ge=1.0,
        le=86_400.0,
        description="seconds that a file may take on a cluster before its worker is ended and another tries",
    )

    @field_validator("cluster")
    @classmethod
    def _is_address(cls, address: str | None) -> str | None:
        if address is not None:
            check_address(address)
        return address


class FilesRequest(Sharing):
    """Which files, where what is made of them goes, and how the work is shared out."""

    files: tuple[str, ...] = Field(
        min_length=1, description="MIDI files, folders (with all that is in them), or patterns such as 'songs/*.mid'"
    )
    out: Annotated[Path | None, WrapValidator(anywhere)] = Field(
        default=None,
        description="MIDI file to write, for one file; else the folder to write into; beside each file if not given",
    )
    variants: int = Field(default=1, ge=1, le=1000, description="files to make of each, each with the next seed")
    again: bool = Field(default=False, description="make what has been made before with the same wishes once more")
    plot: bool = Field(default=False, description="draw what was given and what is new beside each MIDI file")
    plot_span: Annotated[Span | None, BeforeValidator(_one_span)] = Field(
        default=None, description="seconds of the music to draw, such as 20-40; all of it if not given"
    )


class ContinueFilesRequest(FilesRequest):
    """What `pianod continue` asks for: how the music of each file goes on, and which part of it the model hears."""

    track: Annotated[tuple[str, ...], BeforeValidator(_words)] = Field(
        default=(),
        description="tracks to hear, by number from 1 or part of their name, with commas between; the keyboards of the "
        "file if not given",
    )
    seconds: float | None = same_as(ContinueRequest, "seconds")
    notes: int | None = same_as(ContinueRequest, "notes")
    ending: bool = same_as(ContinueRequest, "ending")
    retries: int = same_as(ContinueRequest, "retries")
    start_s: float = same_as(ContinueRequest, "start_s")
    end_s: float | None = same_as(ContinueRequest, "end_s")
    speed: float = same_as(ContinueRequest, "speed")
    transpose: int = same_as(ContinueRequest, "transpose")
    events: Path | None = same_as(ContinueRequest, "events")

    def of_file(self, file: Path, out: Path) -> ContinueRequest:
        """Return what is asked for of one file."""
        shared = self.model_dump(include=set(ContinueRequest.model_fields) & set(type(self).model_fields) - {"out"})
        return ContinueRequest.model_validate({**shared, "file": str(file), "out": str(out)})

    @model_validator(mode="after")
    def _agree(self) -> Self:
        self.of_file(Path("file"), Path("out"))
        return self


class NewPiecesRequest(PieceRequest, Sharing):
    """What `pianod new` asks for: the piece, how the work is shared out, and what is not done again."""

    again: bool = Field(
        default=False, description="make what has been made before with the same wishes and the same seed once more"
    )


class TaskRequest(FilesRequest):
    """What every task can be asked for."""

    track: Annotated[tuple[str, ...], BeforeValidator(_words)] = Field(
        default=(),
        description="tracks to work on, by number from 1 or part of their name, with commas between; "
        "the keyboards of the file if not given",
    )
    preview: bool = Field(default=True, description="let the model look a few seconds ahead; off: as live")
    strategy: Literal["sample", "greedy", "beam"] = Field(
        default="sample", description="draw notes, take the likeliest, or follow several streams and take the likeliest"
    )
    beams: int = Field(default=4, ge=1, le=32, description="streams to follow side by side, with strategy = beam")
    best_of: int = Field(
        default=1, ge=1, le=64, description="answers to draw, of which the one counts that the model finds likeliest"
    )
    samples: int = Field(
        default=1,
        ge=1,
        le=64,
        description="continuations to draw of every four seconds, of which the one goes on that agrees most with the "
        "others; takes as many times as long",
    )
    batch: int = Field(default=1, ge=1, le=64, description="files that each process works on side by side")

    @model_validator(mode="after")
    def _one_way_to_choose(self) -> Self:
        if self.samples > 1 and (self.best_of > 1 or self.strategy != "sample"):
            raise ValueError("--samples draws and chooses by itself: leave out --best-of and --strategy, or --samples")
        return self


class FillRequest(TaskRequest):
    """What `pianod fill` asks for: what is kept; all else is played by the model."""

    keep: Annotated[str, AfterValidator(_known_kept)] | None = Field(
        default=None,
        description="what of the piano is kept, all else is filled in: right, left, melody, below-median, soft, "
        "outer-voices, and more, which docs/offline.md lists",
    )
    gap: Annotated[tuple[Span, ...], BeforeValidator(_spans)] = Field(
        default=(), description="seconds of the music to fill, such as 10-14, or 10-14,30-33"
    )
    pitches: Annotated[Span | None, BeforeValidator(_one_span)] = Field(
        default=None, description="MIDI pitches to fill, such as 60-72"
    )
    track: Annotated[tuple[str, ...], BeforeValidator(_words)] = Field(
        default=(),
        description="tracks that are kept whole, by number from 1 or part of their name, with commas between; "
        "what is kept is found from the notes if not given",
    )
    replace: bool = Field(default=True, description="take out of the file what is not kept")
    amount: float = Field(
        default=1.0,
        gt=0.0,
        le=10.0,
        description="how many notes the new part has, as a multiple of those it replaces, or of what is usual",
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        wishes = sum(wish is not None for wish in (self.keep, self.gap or None, self.pitches))
        if self.track and self.keep is None:
            missing = "which is missing" if not wishes else "not with --gap or --pitches"
            tracks = ", ".join(self.track)
            raise ValueError(
                f"--track goes with --keep, {missing}: to keep the whole of {tracks} and play the rest, add --keep part"
            )
        if wishes != 1:
            raise ValueError("say what to fill by one of --keep, --gap and --pitches, such as --keep right")
        if self.keep == "part" and not self.track:
            raise ValueError("--keep part needs --track, which says where the part is")
        return self


class VelocitiesRequest(TaskRequest):
    """What `pianod velocities` asks for: new dynamics for the notes that are there."""

    noise: float | None = Field(
        default=None,
        gt=0.0,
        le=1000.0,
        description="deviation of the file's velocities from the true ones; by the strength if not given",
    )
    from_nothing: bool = Field(
        default=False, description="ignore the file's velocities; done by itself where all are the same"
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.from_nothing and self.noise is not None:
            raise ValueError("--from-nothing ignores the velocities and --noise says how far to trust them: give one")
        return self


class CleanRequest(TaskRequest):
    """What `pianod clean` asks for: what of the playing is wrong."""

    pitch: bool = Field(default=False, description="wrong pitches")
    velocity: bool = Field(default=False, description="wrong velocities; all else stays")
    onset: bool = Field(default=False, description="wrong onsets")
    time: bool = Field(default=False, description="wrong onsets and lengths")
    all: bool = Field(default=False, description="wrong pitches, velocities, onsets and lengths")
    noise_ms: float | None = Field(
        default=None,
        gt=0.0,
        le=330.0,
        description="deviation of the file's onsets, and of its lengths with --time, from what was played, in "
        "milliseconds; found from the file if not given",
    )
    slips: float | None = Field(
        default=None,
        gt=0.0,
        lt=50.0,
        description="share of wrong keys in percent, a semitone or two off; 5 if not given",
    )
    noise_semitones: float | None = Field(
        default=None,
        gt=0.0,
        le=6.0,
        description="deviation of all pitches in semitones, in place of single wrong keys",
    )

    @property
    def what(self) -> str:
        """Return the one thing that is wrong."""
        return next(name for name in ("pitch", "velocity", "onset", "time", "all") if getattr(self, name))

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if sum((self.pitch, self.velocity, self.onset, self.time, self.all)) != 1:
            raise ValueError("say what is to be cleaned by one of --pitch, --velocity, --onset, --time and --all")
        return self


class PerformRequest(TaskRequest):
    """What `pianod perform` asks for: a score, played."""

    bpm: float | None = Field(
        default=None,
        ge=10.0,
        le=400.0,
        description="quarter notes a minute at which the score is played, in place of the file's tempi",
    )
    order_only: bool = Field(default=False, description="take nothing but the order of the pitches from the score")
    tempo: Literal["written", "free"] = Field(
        default="written", description="written: rubato about the score's tempo; free: the tempo goes where it goes"
    )
    keep_grid: bool = Field(
        default=False, description="leave the notes on their beats and write how they are played as a tempo map"
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.order_only and (self.keep_grid or self.tempo == "free"):
            raise ValueError("--order-only takes no time from the score: leave --keep-grid and --tempo free out")
        return self
