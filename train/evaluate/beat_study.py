"""How well beats are found in the playing, beside a plain autocorrelation: `python -m train.evaluate.beat_study`.

Both hear a performance key by key and say of each beat when it will come, before it does. Told are: the share of the
annotated beats that have one within 70 ms; the share of those told that an annotated one has; how many seconds after
the first key four annotated beats in a row were met. With `--count` the table of `piano.beat_table` is counted from
the training split instead, and printed.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from piano.beat_table import SLOWER_THAN_FRAMES
from piano.beat_tracker import (
    FRAME_NS,
    KINDS,
    LONGEST_FRAMES,
    PLACES,
    SHORTEST_FRAMES,
    BeatEstimate,
    BeatTracker,
    FrameReader,
    place_of,
)
from piano.cues import DOWNBEAT
from piano.notes import NoteArray
from train.corpus.note_cache import NoteCache
from train.tables import markdown_table

Floats = NDArray[np.float64]

NEAR_S = 0.07
IN_A_ROW = 4
_FRAME_S = FRAME_NS / 1e9
_MEMORY_FRAMES = 400
_FEWEST_BEATS = 20


@dataclass(frozen=True, slots=True)
class FoundBeats:
    """How a piece went: shares of beats, and seconds until it was found (infinite if never)."""

    dataset: str
    recall: float
    precision: float
    recall_any_level: float
    after_s: float


class Autocorrelation:
    """The plain way: the lag at which the onsets of eight seconds fit themselves best, then the best phase."""

    def __init__(self) -> None:
        self._strength = np.zeros(_MEMORY_FRAMES)
        self._frame = -1
        lags = np.arange(SHORTEST_FRAMES, LONGEST_FRAMES + 1)
        self._usual = np.exp(-0.5 * (np.log(lags * _FRAME_S / 0.55) / 0.45) ** 2)

    def hear(self, at_ns: int, pitch: int, velocity: int) -> None:  # noqa: ARG002 - as the tracker's
        """Take a key."""
        self.pass_time(at_ns)
        self._strength[-1] += velocity

    def pass_time(self, at_ns: int) -> None:
        """Let time pass."""
        frame = at_ns // FRAME_NS
        gone = frame - self._frame if self._frame >= 0 else 0
        if gone > 0:
            self._strength = np.concatenate([self._strength[gone:], np.zeros(min(gone, _MEMORY_FRAMES))])
        self._frame = max(frame, self._frame)

    def estimate(self) -> BeatEstimate | None:
        """Return where the beats lie."""
        smooth = np.convolve(self._strength, (0.5, 1.0, 0.5), "same")
        lags = range(SHORTEST_FRAMES, LONGEST_FRAMES + 1)
        fit = np.array([float(smooth[lag:] @ smooth[:-lag]) / (_MEMORY_FRAMES - lag) for lag in lags]) * self._usual
        lag = int(fit.argmax()) + SHORTEST_FRAMES
        newest_first = smooth[::-1]
        phase = int(np.argmax([newest_first[start::lag].sum() for start in range(lag)]))
        return BeatEstimate((self._frame - phase) * FRAME_NS + FRAME_NS // 2, lag * FRAME_NS, float(fit.max()))


def told_beats(tracker: BeatTracker | Autocorrelation, notes: NoteArray, every: int = 1) -> Floats:
    """Return the beats in seconds that a tracker told before they came; it is asked at each `every`-th frame."""
    order = np.lexsort((notes["pitch"], notes["onset_s"]))
    onsets = np.rint(notes["onset_s"][order] * 1e9).astype(np.int64)
    pitches, velocities = notes["pitch"][order].tolist(), notes["velocity"][order].tolist()
    told: list[float] = []
    next_note, next_ns = 0, 0
    step_ns = every * FRAME_NS
    for now_ns in range(int(onsets[0]) + 1_000_000_000, int(onsets[-1]), step_ns):
        while next_note < onsets.size and onsets[next_note] < now_ns:
            tracker.hear(int(onsets[next_note]), pitches[next_note], velocities[next_note])
            next_note += 1
        tracker.pass_time(now_ns)
        guess = tracker.estimate()
        if guess is None:
            continue
        beat_ns = guess.beat_ns + -((guess.beat_ns - now_ns) // guess.period_ns) * guess.period_ns
        if beat_ns < now_ns + step_ns and beat_ns > next_ns:
            told.append(beat_ns / 1e9)
            next_ns = beat_ns + guess.period_ns // 2
    return np.array(told)


def judge(dataset: str, told: Floats, beats: Floats, first_s: float) -> FoundBeats:
    """Return how the beats that were told agree with the annotated ones."""
    if not told.size:
        return FoundBeats(dataset, 0.0, 0.0, 0.0, np.inf)
    is_met = _near(beats, told)
    half = np.sort(np.concatenate([beats, (beats[1:] + beats[:-1]) / 2]))
    levels = (beats, half, beats[::2], beats[1::2])
    recall = max((float(_near(level, told).mean()) for level in levels if level.size), default=0.0)
    rows = np.convolve(is_met, np.ones(IN_A_ROW), "valid") == IN_A_ROW
    after_s = float(beats[IN_A_ROW - 1 + int(rows.argmax())] - first_s) if rows.any() else np.inf
    return FoundBeats(dataset, float(is_met.mean()), float(_near(told, beats).mean()), recall, after_s)


def _near(these: Floats, those: Floats) -> NDArray[np.bool_]:
    """Return which of some moments have one of the others near."""
    place = np.searchsorted(those, these)
    left, right = those[np.maximum(place - 1, 0)], those[np.minimum(place, those.size - 1)]
    return np.asarray(np.minimum(np.abs(these - left), np.abs(these - right)) <= NEAR_S)


def excerpts(cache: NoteCache, split: str, seconds: float) -> Iterator[tuple[str, NoteArray, Floats]]:
    """Yield the dataset, the notes and the annotated beats of the annotated part of each piece, at most so long."""
    for index in cache.select(split):
        cues = cache.cues(index)
        beats = np.unique(cues["time_s"][cues["code"] <= DOWNBEAT])
        if beats.size < _FEWEST_BEATS:
            continue
        notes = cache.performance(index).notes
        inside = (notes["onset_s"] >= beats[0] - 0.1) & (notes["onset_s"] <= min(beats[-1], beats[0] + seconds))
        if inside.sum() >= _FEWEST_BEATS:
            last_s = float(notes["onset_s"][inside].max())
            yield cache.pieces[index].dataset, notes[inside], beats[beats <= last_s]


def count(cache: NoteCache, seconds: float) -> Floats:
    """Return how likely each kind of frame is, (tempi, places, kinds), on the training split."""
    counts = np.ones((len(SLOWER_THAN_FRAMES) + 1, PLACES, KINDS))
    by_dataset: dict[str, Floats] = {}
    for dataset, notes, beats in excerpts(cache, "train", seconds):
        kinds = _kinds(notes)
        frames = np.rint((beats) / _FRAME_S - 0.5).astype(np.int64) - kinds[0]
        table = by_dataset.setdefault(dataset, np.zeros(counts.shape))
        for start, end in pairwise(frames.tolist()):
            period = end - start
            if start >= 0 and end <= kinds[1].size and SHORTEST_FRAMES <= period <= LONGEST_FRAMES:
                tempo = int(np.searchsorted(SLOWER_THAN_FRAMES, period, side="right"))
                np.add.at(table[tempo], (place_of(np.arange(period), period), kinds[1][start:end]), 1.0)
    for table in by_dataset.values():
        counts += table / table.sum() * 1e6  # each dataset counts alike
    return np.asarray(counts / counts.sum(axis=2, keepdims=True), np.float64)


def _kinds(notes: NoteArray) -> tuple[int, NDArray[np.int64]]:
    """Return the first frame with a key, and the kind of each frame from there on."""
    reader, kinds = FrameReader(), []
    order = np.lexsort((notes["pitch"], notes["onset_s"]))
    frames = (notes["onset_s"][order] / _FRAME_S).astype(np.int64)
    for frame, note in zip(frames.tolist(), notes[order], strict=True):
        kinds += reader.hear(frame, int(note["pitch"]), int(note["velocity"]))
    return int(frames[0]), np.array(kinds, np.int64)


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path, help="note cache with cues")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each piece")
    parser.add_argument("--split", default="validation")
    parser.add_argument("--every", type=int, default=1, help="only each so-many-th piece")
    parser.add_argument("--count", action="store_true", help="count the table on the training split")
    options = parser.parse_args()
    cache = NoteCache.load(options.cache)
    if options.count:
        table = np.round(count(cache, options.seconds), 5)
        print(f"LIKELIHOODS = {tuple(tuple(tuple(row) for row in tempo) for tempo in table.tolist())}")
        return
    rows: dict[str, list[FoundBeats]] = {"tracker": [], "autocorrelation": []}
    for number, (dataset, notes, beats) in enumerate(excerpts(cache, options.split, options.seconds)):
        if number % options.every:
            continue
        first_s = float(notes["onset_s"].min())
        for name, tracker, every in (("tracker", BeatTracker(), 1), ("autocorrelation", Autocorrelation(), 2)):
            rows[name].append(judge(dataset, told_beats(tracker, notes, every), beats, first_s))
    head = (
        "",
        "pieces",
        "beats within 70 ms",
        "told beats that are one",
        "at any level",
        "found within 10 s",
        "median, s",
    )
    lines = []
    for dataset in (*sorted({found.dataset for found in rows["tracker"]}), "all"):
        for name, all_found in rows.items():
            found = [one for one in all_found if dataset in ("all", one.dataset)]
            after = np.array([one.after_s for one in found])
            means = [np.mean([getattr(one, what) for one in found]) for what in ("recall", "precision")]
            level = np.mean([one.recall_any_level for one in found])
            figures = [f"{share:.2f}" for share in (*means, level, np.mean(after <= 10))]
            lines.append((f"{dataset}, {name}", f"{len(found)}", *figures, f"{np.median(after):.1f}"))
    print(markdown_table(head, lines))


if __name__ == "__main__":
    main()
