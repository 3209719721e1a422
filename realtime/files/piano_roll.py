"""The picture of who played what: a piano roll with one colour a player, velocity as shade, and the pedal below.

matplotlib is imported when the first picture is drawn, and draws to files alone.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from piano.errors import ConfigError
from piano.midi.file import MidiTrack
from piano.notes import NoteArray, PedalArray, Performance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#1f6fb4", "#d9541e", "#3a923a", "#8452a8")
"""One a track, in order: told apart by those who see no red or green, too."""

_FAINTEST = 0.3
_BLACK_KEYS = (1, 3, 6, 8, 10)
_INCHES_PER_S = 0.55
_WIDTH_INCHES = (8.0, 60.0)
_HEIGHT_INCHES = 5.0
_DPI = 110
_MARGIN_KEYS = 3
_SHORTEST_SEEN_S = 0.03
_PEDAL_ROW = 1.6
"""The height of a track's row for the pedal, in keys."""


def draw_roll(
    path: Path | BinaryIO,
    tracks: Sequence[MidiTrack],
    *,
    title: str | None = None,
    span_s: tuple[float, float] | None = None,
    shows_velocities: bool = False,
) -> None:
    """Draw the tracks into a PNG file, the first one first in the legend; ConfigError if it cannot be written.

    Only a span of seconds, if one is given. With `shows_velocities` the tracks have the same notes, which are drawn
    once, and below them the velocities of each.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    end_s = max((_end_s(track) for track in tracks), default=0.0)
    start_s, end_s = span_s or (0.0, max(end_s, 1.0))
    tracks = [_within(track, start_s, end_s) for track in tracks]
    width = float(np.clip((end_s - start_s) * _INCHES_PER_S, *_WIDTH_INCHES))
    figure = Figure(figsize=(width, _HEIGHT_INCHES), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    if shows_velocities:
        axes, lane = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        _draw_velocities(lane, tracks)
    else:
        axes = lane = figure.add_subplot()
    low, high = _range_of(tracks)
    _draw_keyboard(axes, low, high)
    for index, track in enumerate(tracks[-1:] if shows_velocities else tracks):
        colour = COLOURS[index % len(COLOURS)]
        _draw_notes(axes, track.performance.notes, colour)
        _draw_pedal(axes, track.performance.pedals, colour, low - (index + 1) * _PEDAL_ROW, end_s)
    for index, track in enumerate(tracks):
        axes.plot([], [], color=COLOURS[index % len(COLOURS)], linewidth=6, label=track.name)
    axes.set_xlim(start_s, end_s)
    axes.set_ylim(low - (1 if shows_velocities else len(tracks)) * _PEDAL_ROW - 0.6, high + 0.5)
    lane.set_xlabel("seconds")
    axes.spines[["top", "right"]].set_visible(False)
    if title:
        axes.set_title(title, loc="left")
    if tracks:
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(tracks), frameon=False)
    try:
        figure.savefig(path, format="png")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}; choose another place") from error


def _within(track: MidiTrack, start_s: float, end_s: float) -> MidiTrack:
    """Return what of a track is to be seen in a span of seconds."""
    notes, pedals = track.performance.notes, track.performance.pedals
    seen = (notes["onset_s"] < end_s) & (notes["onset_s"] + notes["duration_s"] > start_s)
    return MidiTrack(track.name, Performance(notes[seen], pedals))


def _draw_velocities(axes: "Axes", tracks: Sequence[MidiTrack]) -> None:
    for index, track in enumerate(tracks):
        notes, colour = track.performance.notes, COLOURS[index % len(COLOURS)]
        axes.plot(notes["onset_s"], notes["velocity"], "o", color=colour, markersize=3.5, alpha=0.8)
    axes.set_ylim(0, 128)
    axes.set_yticks([1, 32, 64, 96, 127])
    axes.set_ylabel("velocity")
    axes.grid(axis="y", color="0.92")
    axes.spines[["top", "right"]].set_visible(False)


def _end_s(track: MidiTrack) -> float:
    pedals = track.performance.pedals
    return max(track.performance.end_s, float(pedals["time_s"].max(initial=0.0)))


def _range_of(tracks: Sequence[MidiTrack]) -> tuple[int, int]:
    """Return the lowest and the highest key to show."""
    pitches = np.concatenate([track.performance.notes["pitch"] for track in tracks]) if tracks else np.zeros(0, int)
    if pitches.size == 0:
        return 48, 72
    return max(int(pitches.min()) - _MARGIN_KEYS, 0), min(int(pitches.max()) + _MARGIN_KEYS, 127)


def _draw_keyboard(axes: "Axes", low: int, high: int) -> None:
    """Shade the rows of the black keys, draw a line under each C, and name the Cs."""
    for pitch in range(low, high + 1):
        if pitch % 12 in _BLACK_KEYS:
            axes.axhspan(pitch - 0.5, pitch + 0.5, color="0.955", linewidth=0)
        if pitch % 12 == 0:
            axes.axhline(pitch - 0.5, color="0.8", linewidth=0.7)
    cs = [pitch for pitch in range(low, high + 1) if pitch % 12 == 0]
    axes.set_yticks([*cs, low - _PEDAL_ROW], [*(f"C{pitch // 12 - 1}" for pitch in cs), "pedal"])
    axes.tick_params(axis="y", length=0)


def _draw_notes(axes: "Axes", notes: NoteArray, colour: str) -> None:
    """Draw a box a note: the louder, the stronger its colour."""
    from matplotlib.collections import PolyCollection

    if notes.size == 0:
        return
    left, pitch = notes["onset_s"], notes["pitch"].astype(np.float64)
    right = left + np.maximum(notes["duration_s"], _SHORTEST_SEEN_S)
    corners = [(left, pitch - 0.42), (right, pitch - 0.42), (right, pitch + 0.42), (left, pitch + 0.42)]
    boxes = np.stack([np.stack(corner, axis=-1) for corner in corners], axis=1)  # (notes, 4 corners, x and y)
    faces = _shades(colour, notes["velocity"].astype(np.float64))
    axes.add_collection(PolyCollection(list(boxes), facecolors=faces, edgecolors=colour, linewidths=0.4, zorder=3))


def _shades(colour: str, velocity: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> list[tuple[float, ...]]:
    from matplotlib.colors import to_rgb

    rgb = to_rgb(colour)
    strengths = _FAINTEST + (1.0 - _FAINTEST) * np.clip((velocity - 20.0) / 80.0, 0.0, 1.0)
    return [(*(1.0 - (1.0 - channel) * strength for channel in rgb), 1.0) for strength in strengths.tolist()]


def _draw_pedal(axes: "Axes", pedals: PedalArray, colour: str, bottom: float, end_s: float) -> None:
    """Draw a bar for as long as the pedal is down."""
    spans: list[tuple[float, float]] = []
    down_s: float | None = None
    for time_s, down in pedals.tolist():
        if down and down_s is None:
            down_s = time_s
        elif not down and down_s is not None:
            spans.append((down_s, time_s - down_s))
            down_s = None
    if down_s is not None:
        spans.append((down_s, end_s - down_s))
    axes.broken_barh(spans, (bottom, _PEDAL_ROW * 0.7), facecolors=colour, alpha=0.55, linewidth=0)
