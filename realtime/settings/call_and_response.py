"""Settings of call and response: what ends a phrase, and how it is answered."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from piano.tokens.styles import COMPOSERS
from realtime.settings.group import AskingController, AskingKey, Optional, SettingsGroup
from realtime.settings.marks import DecidesPiece, DecidesTask, Live, PageGroup, Preset, Shown


def _known_composer(name: str) -> str:
    if name not in COMPOSERS:
        raise ValueError(f"must be one of {', '.join(COMPOSERS)}")
    return name


class AnswerGroup(SettingsGroup):
    """Call and response"""

    trigger: Annotated[
        Literal["pause", "pedal", "key", "cc"], Live, Preset, Shown(PageGroup.ANSWERS, "Answer after")
    ] = Field(
        default="pause", description="what asks for an answer: a pause in your playing, a pedal, a key, or a controller"
    )
    shortest_pause_s: Annotated[
        float, Live, Preset, Shown(PageGroup.ANSWERS, "Shortest pause, s", slider=(0.1, 5, 0.1))
    ] = Field(
        default=0.7,
        ge=0.1,
        le=10.0,
        description="seconds of rest that end a fast phrase; the pause adapts to how you play",
    )
    longest_pause_s: Annotated[
        float, Live, Preset, Shown(PageGroup.ANSWERS, "Longest pause, s", slider=(0.1, 5, 0.1))
    ] = Field(default=1.5, ge=0.1, le=10.0, description="seconds of rest that end any phrase")
    phrase_ends: Annotated[Literal["model", "pause"], Live, Preset, Shown(PageGroup.ANSWERS, "A phrase ends by")] = (
        Field(
            default="model",
            description="what says that a phrase is over, with trigger = pause: the pause alone, or the model too, "
            "which makes it shorter where it expects a rest and longer where it expects the music to go on",
        )
    )
    trigger_pedal: Annotated[Literal["soft", "sostenuto"], Live, Shown(PageGroup.ASKING, "Pedal that asks")] = Field(
        default="soft", description="pedal that asks for an answer, with trigger = pedal"
    )
    trigger_key: Annotated[int, Live, Shown(PageGroup.ASKING, "Key that asks")] = Field(
        default=21,
        ge=0,
        le=127,
        description="MIDI pitch of the key that asks for an answer, with trigger = key; 21 is the lowest A",
    )
    trigger_cc: Annotated[int, Live, Shown(PageGroup.ASKING, "Controller that asks")] = Field(
        default=80, ge=0, le=119, description="number of the controller that asks for an answer, with trigger = cc"
    )
    answer: Annotated[
        Literal["phrase", "endless", "bars"],
        Live,
        Preset,
        Shown(PageGroup.ANSWERS, "Answer length", knob_of=("answer",), knob="How long"),
    ] = Field(
        default="phrase",
        description=(
            "about as long as your phrase, to the next rest, or until you play again, or trade bars: so many of yours,"
            " as many of pianod's; a file is gone on with for as long as was asked"
        ),
    )
    yields: Annotated[Literal["at_once", "let_me_join"], Live, Preset, Shown(PageGroup.ANSWERS, "Ends at my keys")] = (
        Field(
            default="at_once",
            description="what ends an answer: any key of yours, or only what takes it over, so that you can join with "
            "a held bass or a high fill",
        )
    )
    ending_s: Annotated[float, Live, Preset, DecidesPiece, Shown(PageGroup.ANSWERS, "An ending takes, s")] = Field(
        default=6.0,
        ge=1.0,
        le=60.0,
        description="seconds within which pianod brings what it plays to an end, where it is asked to",
    )
    ending_cc: Annotated[AskingController, Shown(PageGroup.ASKING, "Controller that ends it")] = Field(
        default=None,
        description="number of a controller, a pad or a pedal, that asks for an ending; 67 is the soft pedal, 66 the "
        "sostenuto",
    )
    ending_key: Annotated[AskingKey, Shown(PageGroup.ASKING, "Key that ends it")] = Field(
        default=None, description="MIDI pitch of a key that asks for an ending"
    )
    bars: Annotated[int, Live, Preset, Shown(PageGroup.ANSWERS, "Bars in a turn", slider=(1, 16, 1))] = Field(
        default=4, ge=1, le=16, description="bars in a turn, with answer = bars"
    )
    composer: Annotated[
        Annotated[str, AfterValidator(_known_composer)] | None,
        Optional,
        Live,
        Preset,
        DecidesTask,
        DecidesPiece,
        Shown(PageGroup.MANNER, "In the manner of", none="as you play", knob_of=("answer",)),
    ] = Field(default=None, description=f"whose manner to play in ({', '.join(COMPOSERS)}); yours if not given")
    style: Annotated[
        Literal["classical", "pop", "jazz", "covers", "rolls"] | None,
        Optional,
        Live,
        Preset,
        DecidesTask,
        DecidesPiece,
        Shown(PageGroup.MANNER, "Style", none="as you play"),
    ] = Field(
        default=None,
        description="what kind of music to play: classical as in a recital, pop arrangements, jazz improvisation, "
        "covers of songs and films, or piano rolls of a hundred years ago; yours if not given",
    )
    mood: Annotated[
        Literal["happy", "tense", "sad", "calm"] | None,
        Optional,
        Live,
        Preset,
        DecidesTask,
        DecidesPiece,
        Shown(PageGroup.MANNER, "Mood", none="as you play"),
    ] = Field(default=None, description="in which mood to play; yours if not given")
    density: Annotated[
        float | None,
        Optional,
        Live,
        Preset,
        DecidesTask,
        DecidesPiece,
        Shown(PageGroup.MANNER, "Notes a second", slider=(0.5, 20, 0.5), none="as you play"),
    ] = Field(
        default=None, gt=0.0, le=40.0, description="how busy to play, in notes per second; as busy as you if not given"
    )
