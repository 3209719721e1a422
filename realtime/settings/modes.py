"""Settings of the ways of playing: how one is chosen, what each may do, and the limits that hold in all of them."""

from typing import Annotated, Any, Literal

from pydantic import Field

from realtime.settings.group import AskingController, KeyBetween, SettingsGroup, Share
from realtime.settings.marks import DecidesPiece, DecidesTask, Live, PageGroup, Preset, Shown


class ModeGroup(SettingsGroup):
    """Way of playing"""

    mode: Annotated[Literal["answer", "duet", "velocity", "loop"], Live, Preset, Shown(PageGroup.MODE, "Mode")] = Field(
        default="answer",
        description="answer your phrases, play along as a duet, give back your keys with better velocities, or loop a "
        "phrase and play the missing voice",
    )
    mode_by_program: Annotated[bool, Live, Shown(PageGroup.KEYBOARD, "Programs choose the mode")] = Field(
        default=False,
        description="let program changes of your keyboard choose the mode: 0 answer, 1 duet, 2 velocity, 3 loop; and "
        "what becomes of a loop: 4 take, 5 keep, 6 undo, 7 clear; 8 brings what is played to an end",
    )
    mode_cc: Annotated[AskingController, Shown(PageGroup.KEYBOARD, "Controller for the mode")] = Field(
        default=None,
        description="number of a controller that chooses the mode: answer, duet, velocity and loop each have a "
        "quarter of it",
    )


class DuetGroup(SettingsGroup):
    """Duet and loop"""

    duet_hand: Annotated[
        Literal["any", "left", "right"], Live, Preset, Shown(PageGroup.ALONG, "Your hand", knob_of=("duet", "loop"))
    ] = Field(
        default="any",
        description="hand that you play yourself, so that the model plays the other; any leaves it to what you play",
    )
    duet_lowest: Annotated[int, Live, Preset, Shown(PageGroup.ALONG, "Lowest key", slider=(21, 108, 1))] = Field(
        default=21, ge=21, le=108, description="lowest MIDI pitch that the model may strike"
    )
    duet_highest: Annotated[int, Live, Preset, Shown(PageGroup.ALONG, "Highest key", slider=(21, 108, 1))] = Field(
        default=108, ge=21, le=108, description="highest MIDI pitch that the model may strike"
    )
    duet_split: Annotated[KeyBetween, Shown(PageGroup.ALONG, "Split at key", slider=(22, 108, 1), none="undivided")] = (
        Field(
            default=None,
            description="MIDI pitch that divides the keyboard between you and the model; undivided if not given",
        )
    )
    duet_side: Annotated[Literal["below", "above"], Live, Preset, Shown(PageGroup.ALONG, "pianod plays")] = Field(
        default="below", description="where the model plays if the keyboard is divided: below the split, or from it up"
    )
    duet_loudest: Annotated[int, Live, Preset, Shown(PageGroup.ALONG, "Loudest", slider=(1, 127, 1))] = Field(
        default=127, ge=1, le=127, description="highest MIDI velocity of the model"
    )
    duet_louder: Annotated[int, Live, Preset, Shown(PageGroup.ALONG, "Louder by", slider=(-64, 64, 1))] = Field(
        default=0, ge=-64, le=64, description="how much louder the model plays than it means to, in MIDI velocity"
    )
    duet_density: Annotated[int, Live, Preset, Shown(PageGroup.ALONG, "Most keys a second", slider=(1, 40, 1))] = Field(
        default=16, ge=1, le=40, description="most keys that the model strikes within any second"
    )
    role: Annotated[
        Literal["accompany", "converse", "lead", "free"],
        Live,
        Preset,
        Shown(PageGroup.ALONG, "Beside me it", knob_of=("duet",)),
    ] = Field(
        default="converse",
        description="what pianod is beside you in a duet: fewer keys than yours and below them, as many at most and in "
        "your gaps, more and above; free leaves that to the model",
    )
    restraint: Annotated[
        float,
        Live,
        Preset,
        Shown(PageGroup.ALONG, "Restraint", slider=(-3, 6, 0.1), knob_of=("duet",), knob="How reserved"),
    ] = Field(
        default=0.0,
        ge=-3.0,
        le=6.0,
        description="how much the model holds its keys back: 0 about as many as another hand would, above sparser, "
        "below busier, up to duet_density",
    )
    when_alone: Annotated[Literal["end", "hold", "continue"], Live, Preset, Shown(PageGroup.ALONG, "When you stop")] = (
        Field(
            default="end", description="what the model does when you have stopped: end, strike nothing new, or play on"
        )
    )
    alone_after_s: Annotated[float, Live, Preset, Shown(PageGroup.ALONG, "Stopped after, s", slider=(0.5, 30, 0.5))] = (
        Field(default=4.0, ge=0.5, le=60.0, description="seconds without a key of yours after which you have stopped")
    )


def _controller(what: str) -> Any:
    """Return a field for the number of a controller that asks for something when it is pressed."""
    return Field(default=None, description=f"number of a controller, a pad or a pedal, that {what}")


class LoopGroup(SettingsGroup):
    """Loop"""

    loop_sounds: Annotated[bool, Live, Preset, Shown(PageGroup.LOOP, "Play my phrase too", knob_of=("loop",))] = Field(
        default=True, description="play your phrase back with the answer; without, the answer alone sounds"
    )
    loop_renews: Annotated[bool, Live, Preset, Shown(PageGroup.LOOP, "Another answer each pass", knob_of=("loop",))] = (
        Field(
            default=True,
            description="play another answer in each pass until you keep one; without, only when you take one",
        )
    )
    take_cc: Annotated[AskingController, Shown(PageGroup.LOOP, "Controller: another")] = _controller(
        "takes another answer for the next pass"
    )
    keep_cc: Annotated[AskingController, Shown(PageGroup.LOOP, "Controller: keep")] = _controller(
        "keeps the answer, and lets you play layers on top"
    )
    undo_cc: Annotated[AskingController, Shown(PageGroup.LOOP, "Controller: undo")] = _controller(
        "takes the last layer or answer back"
    )
    clear_cc: Annotated[AskingController, Shown(PageGroup.LOOP, "Controller: clear")] = _controller("forgets the loop")


class VelocityGroup(SettingsGroup):
    """Velocity"""

    strength: Annotated[
        Share,
        DecidesTask,
        DecidesPiece,
        Shown(PageGroup.VELOCITIES, "Strength", slider=(0, 1, 0.05), knob_of=("velocity",), knob="How much it mends"),
    ] = Field(
        default=0.5,
        description="how far your keyboard's velocities are mended: 0 passes them through, 1 ignores them",
    )
    velocity_wait_ms: Annotated[
        float,
        Live,
        Shown(
            PageGroup.VELOCITIES, "Longest wait, ms", slider=(1, 50, 1), knob_of=("velocity",), knob="A key waits, ms"
        ),
    ] = Field(
        default=10.0,
        ge=1.0,
        le=50.0,
        description="milliseconds after which a key goes out with the velocity that it came with",
    )


class LimitGroup(SettingsGroup):
    """Limits"""

    longest_note_s: Annotated[
        float, Live, Preset, DecidesPiece, Shown(PageGroup.KEYBOARD, "Longest note, s", slider=(0.5, 30, 0.5))
    ] = Field(
        default=5.0,
        ge=0.1,
        le=120.0,
        description="seconds after which the model lifts a key; 999 of 1,000 played notes are shorter than 5",
    )
    max_polyphony: Annotated[
        int, Live, Preset, DecidesPiece, Shown(PageGroup.KEYBOARD, "Most keys at once", slider=(1, 88, 1))
    ] = Field(default=24, ge=1, le=88, description="most keys that the model may hold at once")
