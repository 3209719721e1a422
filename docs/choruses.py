"""Draw docs/choruses.png anew: four choruses of a blues in F, traded in fours: `python docs/choruses.py`, a minute.

The player is made here of a few figures; pianod's bars are the embedded model's, as live, on a clock that is moved by
hand, with the settings as they are unless told otherwise.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from inference.bundle import Bundle
from inference.onnx_session import OnnxSession
from inference.rolling_context import RollingContext
from piano.changes import bar_text, read_chart
from piano.events import NoteOff, NoteOn
from piano.notes import NoteArray
from realtime.engine.find_bundle import EMBEDDED_FOLDER
from realtime.engine.from_settings import play_settings_of
from realtime.engine.offline_run import OfflineRun
from realtime.engine.partner import PartnerSettings
from realtime.files.piano_roll import COLOURS
from realtime.midi.message import bytes_of
from realtime.midi.performance_messages import TimedMessage
from realtime.settings import Settings
from realtime.threads.clock import NS_PER_S

PICTURE = Path(__file__).with_name("choruses.png")
TEMPO_BPM, BEATS, BARS, CHORUSES = 132.0, 4, 4, 4
SETTINGS = Settings(answer="bars", bars=BARS, chart="blues", chart_key="F", grid=0.7, seed=3)
CHORUS_BEATS = 12 * BEATS
BEAT_S = 60 / TEMPO_BPM
FIGURES = (
    ((0, 65), (0.67, 68), (1, 70), (1.67, 72), (2, 75), (3, 72), (3.67, 70)),
    ((0, 72), (0.67, 70), (1, 68), (2, 65), (2.67, 63), (3, 65)),
    ((0.67, 77), (1, 75), (1.67, 72), (2, 70), (2.67, 71), (3, 72)),
    ((0, 68), (1, 65), (1.67, 63), (2, 60)),
)
"""A bar each: beats within it, and keys."""


def player() -> list[TimedMessage]:
    """Return what the player plays in its bars, from beat 0 at a second on."""
    events: list[TimedMessage] = []
    chart = read_chart("blues", "F")
    for turn in range(0, CHORUSES * 12 // BARS, 2):
        for bar in range(BARS):
            first = (turn * BARS + bar) * BEATS
            shift = -7 if "IV" in chart.words[(turn * BARS + bar) % 12] else 0
            for beat, pitch in FIGURES[(turn // 2 + bar) % len(FIGURES)]:
                events += _key(first + beat, pitch, 0.5, 78)
            for pitch in (41, 51, 57):
                events += _key(first, pitch + shift, 2.5, 60)
    return sorted(events)


def _key(beat: float, pitch: int, beats: float, velocity: int) -> list[TimedMessage]:
    on_ns, off_ns = (round((1 + at * BEAT_S) * NS_PER_S) for at in (beat, beat + beats))
    return [(on_ns, bytes_of(NoteOn(pitch, velocity))), (off_ns, bytes_of(NoteOff(pitch)))]


def play() -> tuple[NoteArray, NoteArray]:
    """Return what the player and pianod played, in seconds from beat 0."""
    session = OnnxSession(Bundle.load(EMBEDDED_FOLDER))
    playing = play_settings_of(SETTINGS, 3)
    run = OfflineRun(RollingContext(session, session.twin()), PartnerSettings(playing))
    run.partner.beats.is_heard = True
    run.partner.beats.set(TEMPO_BPM, BEATS, 0, origin_ns=NS_PER_S)
    run.play(player())
    run.run_until(round((1 + CHORUSES * CHORUS_BEATS * BEAT_S) * NS_PER_S))
    run.finish()
    heard, own = (track.performance.notes for track in run.partner.take.tracks())  # from the first key on: beat 0
    return heard, own


def draw(parts: tuple[NoteArray, NoteArray]) -> None:
    """Draw a chorus a row, its bars and chords, and who plays."""
    figure = Figure(figsize=(14, 9.5), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    pitches = np.concatenate([notes["pitch"] for notes in parts])
    bars = read_chart(SETTINGS.chart or "", SETTINGS.chart_key).bars
    for chorus, axes in enumerate(figure.subplots(CHORUSES, 1)):
        for notes, colour in zip(parts, COLOURS, strict=False):
            beats = notes["onset_s"] / BEAT_S - chorus * CHORUS_BEATS
            here = (beats > -0.2) & (beats < CHORUS_BEATS - 0.2)
            lengths = notes["duration_s"][here] / BEAT_S
            axes.barh(notes["pitch"][here], lengths, left=beats[here], height=0.9, color=colour)
        for bar, (begin, _) in enumerate(pairwise(range(0, CHORUS_BEATS + 1, BEATS))):
            turn = (chorus * 12 + bar) // BARS % 2
            axes.axvspan(begin, begin + BEATS, color=COLOURS[turn], alpha=0.06, linewidth=0)
            axes.axvline(begin, color="0.75", linewidth=1.4 if bar % BARS == 0 else 0.6)
            axes.text(begin + 0.1, int(pitches.max()) + 2, bar_text(bars[bar]), fontsize="small")
        axes.set_xlim(0, CHORUS_BEATS)
        axes.set_ylim(int(pitches.min()) - 1, int(pitches.max()) + 6)
        axes.set_xticks([])
        axes.set_ylabel(f"chorus {chorus + 1}")
    for name, colour in zip(("you", "pianod"), COLOURS, strict=False):
        figure.axes[0].barh(0, 0, color=colour, label=name)
    figure.axes[0].legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, frameon=False)
    figure.savefig(PICTURE)


if __name__ == "__main__":
    draw(play())
