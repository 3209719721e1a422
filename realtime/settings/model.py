"""Settings of the model: which one, on what it runs, and how its tokens are drawn."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from realtime.settings.group import Optional, SettingsGroup
from realtime.settings.marks import DecidesPiece, DecidesTask, Live, PageGroup, Preset, Shown


class ModelGroup(SettingsGroup):
    """Model"""

    model: str = Field(
        default="embedded", min_length=1, description="folder of a model bundle, or embedded for the one inside"
    )
    models: Annotated[Path | None, Optional] = Field(
        default=None,
        description="folder of model bundles, of which the panel can choose another one while it plays, by its name",
    )
    provider: Literal["auto", "cpu", "cuda", "tensorrt"] = Field(
        default="auto", description="what the model runs on; auto takes the fastest that is there"
    )
    half: bool = Field(default=False, description="let TensorRT compute in half precision, where it is the provider")
    threads: int = Field(
        default=0, ge=0, le=64, description="threads that the model may use on the CPU; 0 chooses by the cores"
    )


GuardStrength = Annotated[float, Live, Preset, DecidesPiece, Field(ge=0.0, le=10.0)]
"""How strongly what is drawn is held to something; 0 is off."""


class SamplingGroup(SettingsGroup):
    """Sampling"""

    temperature: Annotated[
        float,
        Live,
        Preset,
        DecidesTask,
        DecidesPiece,
        Shown(PageGroup.BOLDNESS, "Temperature", slider=(0.1, 2, 0.05), knob_of=("answer",), knob="How bold"),
    ] = Field(
        default=1.0,
        gt=0.0,
        le=2.0,
        description="how adventurous the notes are: 1 as in the music learned from, less is tamer",
    )
    note_top_p: Annotated[
        float,
        Live,
        Preset,
        DecidesTask,
        DecidesPiece,
        Shown(PageGroup.BOLDNESS, "Top-p of notes", slider=(0.05, 1, 0.01)),
    ] = Field(
        default=1.0,
        gt=0.0,
        le=1.0,
        description=(
            "draw each key and each velocity from the likeliest that make up this share of its kind's probability;"
            " when something happens is left to the model"
        ),
    )
    recall: Annotated[GuardStrength, DecidesTask, Shown(PageGroup.BOLDNESS, "Recall", slider=(0, 5, 0.1))] = Field(
        default=1.8,
        description=(
            "how much what was played before in the session comes back, in its rhythm and also in another key: the odds"
            " for it are multiplied by this; 1 is what fits real music best, up to 2 costs little there, 0 is off"
        ),
    )
    phrase_guard: Annotated[GuardStrength, Shown(PageGroup.BOLDNESS, "Near the phrase", slider=(0, 5, 0.1))] = Field(
        default=1.0,
        description=(
            "how firmly an answer keeps to the register and the key of the phrase, and a new piece to how much pianists"
            " use the pedal: up to 1 costs next to nothing on real music, 0 is off"
        ),
    )
    pulse_guard: Annotated[GuardStrength, Shown(PageGroup.BOLDNESS, "Pulse", slider=(0, 5, 0.1))] = Field(
        default=2.0,
        description=(
            "how firmly answers and new pieces keep to the rhythm that is going on, and an answer to the pulse of its"
            " phrase, the more the steadier it was; 0 is off"
        ),
    )
    repetition_guard: Annotated[
        GuardStrength, DecidesTask, Shown(PageGroup.BOLDNESS, "Against loops", slider=(0, 3, 0.1))
    ] = Field(
        default=0.5,
        description=(
            "how much a figure of six keys is held back each time it comes beyond the fourth within 500 notes, in nats;"
            " 0 is off"
        ),
    )
    pace_guard: Annotated[GuardStrength, Shown(PageGroup.BOLDNESS, "Against rushing", slider=(0, 2, 0.1))] = Field(
        default=0.5,
        description=(
            "how firmly answers and new pieces are kept as busy as they are to be (see density): a wait twice as long"
            " becomes likelier by this power of two while they are twice as busy; 0 is off"
        ),
    )
    top_p: Annotated[
        float, Live, Preset, DecidesTask, DecidesPiece, Shown(PageGroup.BOLDNESS, "Top-p", slider=(0.05, 1, 0.01))
    ] = Field(
        default=1.0,
        gt=0.0,
        le=1.0,
        description="draw from the likeliest tokens that make up this share of the probability",
    )
    top_k: Annotated[int, Live, Preset, DecidesTask, DecidesPiece, Shown(PageGroup.BOLDNESS, "Top-k")] = Field(
        default=0, ge=0, le=1000, description="draw from the k likeliest tokens only; 0 from all"
    )
    min_p: Annotated[
        float, Live, Preset, DecidesTask, DecidesPiece, Shown(PageGroup.BOLDNESS, "Min-p", slider=(0, 0.5, 0.01))
    ] = Field(
        default=0.0,
        ge=0.0,
        lt=1.0,
        description="drop tokens less likely than this share of the likeliest one's probability",
    )
    greedy: Annotated[bool, Live, Preset, DecidesTask, DecidesPiece, Shown(PageGroup.BOLDNESS, "Likeliest only")] = (
        Field(default=False, description="always take the likeliest token, whatever else is set")
    )
    seed: Annotated[int | None, Optional, Live, DecidesTask, DecidesPiece, Shown(PageGroup.BOLDNESS, "Seed")] = Field(
        default=None,
        ge=0,
        lt=2**63,
        description="the same seed and the same playing give the same notes; a fresh one if not given",
    )
    like: Annotated[Path | None, Optional, DecidesPiece] = Field(
        default=None,
        description="MIDI file to play like: its figures, its register, as busy",
    )
