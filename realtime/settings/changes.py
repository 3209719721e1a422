"""Settings of time and harmony: how near to the beat, and over which changes."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from piano.errors import PianodError
from piano.known_changes import KNOWN
from realtime.settings.group import KeyBetween, Optional, SettingsGroup, Share
from realtime.settings.marks import Live, PageGroup, Preset, Shown


def _chart(text: str) -> str:
    from piano.changes import read_chart

    try:
        read_chart(text)
    except PianodError as error:
        raise ValueError(f"is no chart: {error}") from error
    return text


def _key(key: str) -> str:
    if key == _C:
        return key
    from piano.changes import read_chart

    try:
        read_chart("I", key)
    except PianodError as error:
        raise ValueError(str(error)) from error
    return key


_C = "C"


class ChangesGroup(SettingsGroup):
    """Time and changes"""

    grid: Annotated[Share, Shown(PageGroup.CHANGES, "Drawn to the beat", slider=(0, 1, 0.05))] = Field(
        default=0.0,
        description="how far pianod's keys are drawn to the beat's sixteenths and triplets: 0 not at all, 1 onto them",
    )
    chart: Annotated[
        Annotated[str, AfterValidator(_chart)] | None, Optional, Live, Preset, Shown(PageGroup.CHANGES, "Changes")
    ] = Field(
        default=None,
        max_length=4_000,
        description="the changes, which go round with the bars: chords by bar, as docs/modes.md tells, or one of "
        f"{', '.join(KNOWN)}",
    )
    chart_file: Annotated[Path | None, Optional] = Field(
        default=None,
        description="file with the changes, where chart does not give them: text, iReal Pro's too, a MIDI file, or "
        "MusicXML, which needs music21 (the scores extra)",
    )
    chart_key: Annotated[str, AfterValidator(_key), Live, Preset, Shown(PageGroup.CHANGES, "Key of the changes")] = (
        Field(default=_C, max_length=3, description="key of a chart that is written in steps: C, F#, Bb")
    )
    chord_split: Annotated[
        KeyBetween,
        Shown(PageGroup.CHANGES, "Left hand leads under key", slider=(22, 108, 1), none="it does not"),
    ] = Field(
        default=None,
        description="the left hand leads: MIDI pitch under which what you hold, three keys or more, is the chord, in "
        "place of the changes; such keys end no answer",
    )
    harmony: Annotated[Share, Shown(PageGroup.CHANGES, "Keeps to the changes", slider=(0, 1, 0.05))] = Field(
        default=0.5,
        description="how strongly pianod's keys lean to the chord that sounds: 0 not at all, 1 nothing outside of "
        "its scale",
    )
