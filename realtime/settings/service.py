"""Settings of what surrounds the playing: takes, logs, the panel and the metronome."""

from importlib import import_module
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from realtime.settings.group import AskingController, AskingKey, Optional, SettingsGroup
from realtime.settings.marks import Live, PageGroup, Preset, Shown


def _with_link(joins: bool) -> bool:
    if not joins:
        return joins
    try:
        import_module("link")
    except ModuleNotFoundError as error:
        raise ValueError(
            "needs LinkPython-extern, which is not installed: pip install 'pianod[link]', or in a clone "
            ".venv/bin/python -m pip install LinkPython-extern"
        ) from error
    except ImportError as error:
        library = str(error).partition(":")[0]
        raise ValueError(f"needs {library}, which is not there (Debian, Ubuntu: apt install libatomic1)") from error
    return joins


class ReportGroup(SettingsGroup):
    """Recording and logs"""

    takes: Annotated[Path | None, Optional] = Field(
        default=Path("~/Music/pianod"),
        description="folder in which each session is kept, as it is played, and at its end as a MIDI file; "
        'empty ("") keeps none',
    )
    verbosity: int = Field(
        default=0,
        ge=0,
        le=2,
        description="0 tells what a player should know, 1 (-v) what happens, 2 (-v -v) everything",
    )


class PanelGroup(SettingsGroup):
    """Panel"""

    panel: bool = Field(
        default=True, description="serve the panel, a page that shows what is played, steers it and plays it"
    )
    panel_host: str = Field(
        default="127.0.0.1",
        min_length=1,
        max_length=255,
        description="address to serve the panel on; any other than this machine's own asks visitors for a token",
    )
    panel_port: int = Field(
        default=8765, ge=0, le=65535, description="port to serve the panel on; 0, or one that is taken, means any"
    )
    open: bool = Field(default=False, description="open the panel in the browser at the start")
    presets: Annotated[Path | None, Optional] = Field(
        default=None, description="file in which the panel keeps presets; one in your configuration folder if not given"
    )
    review: Annotated[Path | None, Optional] = Field(
        default=None, description="folder of MIDI files to look through in the panel: their tasks, given and asked"
    )


class MetronomeGroup(SettingsGroup):
    """Metronome"""

    metronome: Annotated[Literal["off", "page", "output"], Live, Shown(PageGroup.METRONOME, "Clicks in")] = Field(
        default="off", description="where a metronome clicks: in the panel, or on MIDI channel 10 of the output"
    )
    tempo_bpm: Annotated[float, Live, Preset, Shown(PageGroup.METRONOME, "Beats a minute", slider=(40, 208, 1))] = (
        Field(default=90.0, ge=20.0, le=300.0, description="beats per minute")
    )
    beats: Annotated[int, Live, Preset, Shown(PageGroup.METRONOME, "Beats in a bar", slider=(1, 12, 1))] = Field(
        default=4, ge=1, le=12, description="beats in a bar; the metronome stresses the first one"
    )
    send_clock: Annotated[bool, Live, Shown(PageGroup.METRONOME, "Send MIDI clock")] = Field(
        default=False, description="send MIDI clock at the metronome's tempo, for sequencers and effects"
    )
    follow_clock: Annotated[bool, Live, Shown(PageGroup.METRONOME, "Follow the MIDI clock that comes in")] = Field(
        default=False,
        description="keep the metronome to the MIDI clock that comes in: its tempo, its first beat, its halts",
    )
    link: Annotated[bool, AfterValidator(_with_link), Live, Shown(PageGroup.METRONOME, "Take part in Ableton Link")] = (
        Field(
            default=False,
            description="take part in an Ableton Link session: while others are in it, beats and bars are theirs; "
            "their tempo is never changed. Needs LinkPython-extern (the link extra)",
        )
    )
    tempo_from: Annotated[Literal["set", "playing"], Live, Shown(PageGroup.METRONOME, "Beats come from")] = Field(
        default="set",
        description="where the beats come from while no MIDI clock is followed: the tempo that is set or tapped, or "
        "what you play, once it is found there",
    )
    tap_cc: Annotated[AskingController, Shown(PageGroup.METRONOME, "Controller that taps")] = Field(
        default=None,
        description="number of a controller, a pad or a pedal, that taps the tempo: the third tap sets it, the first "
        "begins a bar",
    )
    tap_key: Annotated[AskingKey, Shown(PageGroup.METRONOME, "Key that taps")] = Field(
        default=None, description="MIDI pitch of a key that taps the tempo"
    )
