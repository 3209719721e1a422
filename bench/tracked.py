"""Beats found in the playing over real JACK: `python -m bench.tracked CACHE --pieces 10`.

Held pieces whose beats are annotated are played, half a minute of each, by this process to a daemon that finds the
beats (`tempo_from = playing`) and clicks them; both come in at one port, by the driver's time. Told is the share of the
annotated beats that have a click within 70 ms, beside what the same tracker says of the same notes without a daemon.
"""

import argparse
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.jack import jack_server
from bench.trading import heard_of
from piano.beat_tracker import BeatTracker
from piano.events import NoteOn
from piano.notes import NoteArray, Performance
from realtime.midi.message import bytes_of
from realtime.midi.performance_messages import messages_of
from train.corpus.note_cache import NoteCache
from train.evaluate.beat_study import excerpts, judge, told_beats
from train.tables import markdown_table

SECONDS = 30.0
_LEAD_S = 1.0
_CLICK_CHANNEL = 9
_NOTE_ON = 0x90
_FLAGS = ("--tempo-from", "playing", "--metronome", "output", "--trigger", "pedal", "--mode", "answer")
"""Nothing is answered: the trigger is never given."""


def clicks_of(notes: NoteArray) -> NDArray[np.float64]:
    """Return when the daemon clicked while notes were played to it, in seconds of their own time."""
    early = notes.copy()
    early["onset_s"] -= notes["onset_s"].min()
    script = [(_LEAD_S + at_ns / 1e9, data) for at_ns, data in messages_of(Performance(early))]
    heard = heard_of(script, *_FLAGS)
    first = bytes_of(NoteOn(int(early["pitch"][0]), int(early["velocity"][0])))
    start_s = next(at_s for at_s, data in heard if data == first)
    clicks = [at_s for at_s, data in heard if data[0] == _NOTE_ON | _CLICK_CHANNEL and data[2]]
    return np.array(clicks) - start_s + float(notes["onset_s"].min())


def main() -> None:
    """Play, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--pieces", type=int, default=10)
    parser.add_argument("--every", type=int, default=13, help="only each so-many-th piece")
    options = parser.parse_args()
    rows, every = [], excerpts(NoteCache.load(options.cache), "validation", SECONDS)
    with jack_server():
        for dataset, notes, beats in islice(every, 0, options.pieces * options.every, options.every):
            first_s = float(notes["onset_s"].min())
            live = judge(dataset, clicks_of(notes), beats, first_s)
            alone = judge(dataset, told_beats(BeatTracker(), notes), beats, first_s)
            figures = (live.recall, alone.recall, live.after_s, alone.after_s)
            rows.append((dataset, *(f"{value:.2f}" for value in figures)))
            print(" | ".join(rows[-1]), flush=True)
    means = np.array([[float(value) for value in row[1:3]] for row in rows]).mean(axis=0)
    head = ("", "over JACK", "the tracker alone", "four in a row after, s", "alone, s")
    print(markdown_table(head, [*rows, ("mean", *(f"{mean:.2f}" for mean in means), "", "")]))


if __name__ == "__main__":
    main()
