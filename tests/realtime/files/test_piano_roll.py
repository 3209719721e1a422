"""The picture: it is drawn for any tracks, and shows who played what."""

import sys
from pathlib import Path

import numpy as np
import pytest

from piano.errors import ConfigError
from piano.midi.file import MidiTrack
from piano.notes import NOTE, PEDAL, Performance, no_notes
from realtime.files.piano_roll import COLOURS, draw_roll

LOUD_C = np.array([(0.5, 1.0, 60, 120, 0)], NOTE)
HIGH_E = np.array([(2.0, 0.0, 88, 100, 0)], NOTE)
PEDALS = np.array([(0.4, True), (1.2, False), (1.5, True)], PEDAL)


def pixels_near(path: Path, colour: str) -> int:
    from matplotlib.colors import to_rgb
    from matplotlib.image import imread

    image = imread(path)[..., :3]  # (height, width, rgb)
    return int((np.abs(image - np.array(to_rgb(colour))).max(axis=-1) < 0.02).sum())


def test_each_player_has_a_colour(tmp_path: Path) -> None:
    path = tmp_path / "duet.png"
    draw_roll(path, [MidiTrack("player", Performance(LOUD_C, PEDALS)), MidiTrack("pianod", Performance(HIGH_E))])
    assert pixels_near(path, COLOURS[0]) > 300
    assert pixels_near(path, COLOURS[1]) > 20
    assert pixels_near(path, COLOURS[2]) == 0


@pytest.mark.parametrize("tracks", [[], [MidiTrack("nobody", Performance(no_notes()))]])
def test_nothing_can_be_drawn_too(tmp_path: Path, tracks: list[MidiTrack]) -> None:
    draw_roll(tmp_path / "nothing.png", tracks, title="silence")
    assert (tmp_path / "nothing.png").stat().st_size > 1000


def test_a_picture_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        draw_roll(tmp_path / "no such folder" / "a.png", [])


def test_the_daemon_does_not_load_matplotlib_before_it_draws() -> None:
    import subprocess

    modules = "realtime.files.draw_pieces, realtime.cli.live, realtime.cli.demo"
    code = f"import sys, {modules}; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
