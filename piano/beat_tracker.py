"""Beats found in the playing, as it is played: a bar-pointer filter over onsets (Whiteley, Cemgil and Godsill, 2006).

Time goes in frames of 20 ms. A hidden state is a tempo and a place within the beat; it moves on by one place a frame,
and where a beat ends the tempo may change a little (Krebs, Böck and Widmer, 2015). What is heard in a frame (nothing,
a key, several, a low one, a loud one) is more or less likely on the beat, half-way, and in between; the table was
counted on the training splits of ASAP, MAESTRO's annotated pieces and POP909 (`python -m train.evaluate.beat_study`).

The forward pass alone is computed, so that what is told at a moment depends on what came before it and on nothing
else. Plain state without a thread. It tells beats; which of them begins a bar it does not know.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from piano.beat_table import LIKELIHOODS, SLOWER_THAN_FRAMES

Floats = NDArray[np.float64]

FRAME_NS = 20_000_000
"""The length of a frame."""

SHORTEST_FRAMES, LONGEST_FRAMES = 14, 75
"""The shortest and the longest beat in frames: 214 and 40 beats a minute."""

LONGEST_SILENCE_NS = 4_000_000_000
"""After a silence as long as this the search begins anew."""

PLACES = 5
"""Kinds of places in a beat: on it, half-way, a quarter or three, a third or two, elsewhere."""

KINDS = 9
"""Kinds of frames: nothing, then a key; plus 1 where one is low, plus 2 for several, plus 4 for louder than of late."""

_LOW_PITCH = 55
_CHANGE = 30.0
"""How unlikely a change of tempo is: its odds fall by e for each 30th of the beat's length."""

_PULL = 0.5
"""How much each change of tempo leans to the usual ones: the power of their odds."""

_TRUST, _TRUST_EMPTY = 0.7, 0.3
"""The power of the likelihood of a frame with a key, and of one without: neighbours say the same thing twice."""

_USUAL_S, _SPREAD = 0.55, 0.45
"""The tempo before anything is heard: the median length of a beat in seconds, the deviation of its logarithm."""

_MEAN_OVER = 16.0
"""How many keys the mean of the velocity reaches back."""

_REGION = 2
"""Beats whose lengths differ by as many frames at the most count as of one tempo."""

_SPLIT = 0.5


@dataclass(frozen=True, slots=True)
class BeatEstimate:
    """Where the beats lie: a beat at `beat_ns`, the others `period_ns` apart; `confidence` is 0 to 1."""

    beat_ns: int
    period_ns: int
    confidence: float


def place_of(frames_in: NDArray[np.int64], period: int) -> NDArray[np.int64]:
    """Return the kind of each place, frames after a beat, within a beat of some frames; see `PLACES`."""
    kinds = np.full(frames_in.size, 4, np.int64)
    for kind, shares in ((3, (1 / 3, 2 / 3)), (2, (0.25, 0.75)), (1, (0.5,)), (0, (0.0, 1.0))):
        for share in shares:
            kinds[np.abs(frames_in - share * period) <= 1.0] = kind
    return kinds


class FrameReader:
    """Sorts keys into frames and frames into kinds. `hear` returns the frames that ended before the key."""

    def __init__(self) -> None:
        self._frame = -1
        self._notes = 0
        self._lowest = 127
        self._loudest = 0
        self._mean = 64.0

    @property
    def frame(self) -> int:
        """Return the frame that is being heard; -1 before the first key."""
        return self._frame

    def hear(self, frame: int, pitch: int, velocity: int) -> list[int]:
        """Take a key; return the kinds of the frames from the one being heard to the one before this key's."""
        ended = self.pass_to(frame)
        self._notes += 1
        self._lowest = min(self._lowest, pitch)
        self._loudest = max(self._loudest, velocity)
        return ended

    def pass_to(self, frame: int) -> list[int]:
        """Let time pass; return the kinds of the frames that ended."""
        if self._frame < 0:
            self._frame = frame
        if frame <= self._frame:
            return []
        ended = [self._kind(), *(0 for _ in range(frame - self._frame - 1))]
        if self._notes:
            self._mean += (self._loudest - self._mean) / _MEAN_OVER
        self._frame, self._notes, self._lowest, self._loudest = frame, 0, 127, 0
        return ended

    def _kind(self) -> int:
        if not self._notes:
            return 0
        return 1 + (self._lowest < _LOW_PITCH) + 2 * (self._notes > 1) + 4 * (self._loudest > self._mean + 4)


class _States:
    """The states in one row: for each length of a beat its places. Made once."""

    def __init__(self) -> None:
        self.periods = np.arange(SHORTEST_FRAMES, LONGEST_FRAMES + 1)
        self.firsts = np.concatenate(([0], np.cumsum(self.periods)[:-1]))
        self.lasts = self.firsts + self.periods - 1
        places = [np.arange(period) for period in self.periods]
        tempo = np.searchsorted(SLOWER_THAN_FRAMES, self.periods, side="right")
        rows = np.concatenate(
            [tempo[index] * PLACES + place_of(frames, int(self.periods[index])) for index, frames in enumerate(places)]
        )
        likelihoods = np.asarray(LIKELIHOODS).reshape(-1, KINDS)
        trust = [_TRUST_EMPTY] + [_TRUST] * (KINDS - 1)
        self.likelihoods = [likelihoods[rows, kind] ** trust[kind] for kind in range(KINDS)]
        angles = (
            2 * np.pi * np.concatenate([frames / period for frames, period in zip(places, self.periods, strict=True)])
        )
        self.turns = np.exp(1j * angles)
        ratios = self.periods[None, :] / self.periods[:, None]
        usual = np.exp(-0.5 * (np.log(self.periods * FRAME_NS / 1e9 / _USUAL_S) / _SPREAD) ** 2)
        self.changes = np.exp(-_CHANGE * np.abs(ratios - 1)) * usual**_PULL
        self.start = np.repeat(usual / self.periods, self.periods)
        self.start /= self.start.sum()


_STATES = _States()


class BeatTracker:
    """Follows the beat of one player: `hear` each key, then `estimate`."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self._odds: Floats = _STATES.start.copy()
        self._reader = FrameReader()
        self._origin_ns: int | None = None
        self._last_ns = 0

    def hear(self, at_ns: int, pitch: int, velocity: int) -> None:
        """Take a key that went down, in order of time; what is older than the last counts as simultaneous with it."""
        if self._origin_ns is not None and at_ns - self._last_ns > LONGEST_SILENCE_NS:
            self.forget()
        if self._origin_ns is None:
            self._origin_ns = at_ns
        self._last_ns = max(at_ns, self._last_ns)
        frame = max((self._last_ns - self._origin_ns) // FRAME_NS, self._reader.frame)
        for kind in self._reader.hear(frame, pitch, velocity):
            self._step(kind)

    def pass_time(self, at_ns: int) -> None:
        """Let time pass up to a moment, in which nothing was heard; not beyond the longest silence."""
        if self._origin_ns is None:
            return
        limit_ns = min(at_ns, self._last_ns + LONGEST_SILENCE_NS)
        for kind in self._reader.pass_to((limit_ns - self._origin_ns) // FRAME_NS):
            self._step(kind)

    def estimate(self) -> BeatEstimate | None:
        """Return where the beats lie by what was heard so far; None before the first key."""
        if self._origin_ns is None:
            return None
        states = _STATES
        by_period = np.add.reduceat(self._odds, states.firsts)
        best = int(np.convolve(by_period, np.ones(2 * _REGION + 1), "same").argmax())
        low, high = max(best - _REGION, 0), min(best + _REGION, states.periods.size - 1)
        share = by_period[low : high + 1]
        period = float((share * states.periods[low : high + 1]).sum() / share.sum())
        region = slice(int(states.firsts[low]), int(states.lasts[high]) + 1)
        odds, turns = self._odds[region], _STATES.turns[region]
        once, twice = complex(odds @ turns), complex(odds @ turns**2)
        if abs(once) < _SPLIT * abs(twice) and period >= 2 * SHORTEST_FRAMES:
            period, once = period / 2, twice  # each half-way is as good a beat: they lie twice as close
        place = float(np.angle(once)) / (2 * np.pi) * period
        # the odds are of the frame being heard before it was: on the average a beat lies in the middle of its frame
        beat_ns = self._origin_ns + round((self._reader.frame - place + 0.5) * FRAME_NS)
        return BeatEstimate(beat_ns, round(period * FRAME_NS), abs(once))

    def _step(self, kind: int) -> None:
        """Weigh the states by what a frame had, and move on to the next frame."""
        states = _STATES
        odds = self._odds * states.likelihoods[kind]
        ended = odds[states.lasts] @ states.changes
        odds[1:] = odds[:-1]
        odds[states.firsts] = ended
        self._odds = odds / odds.sum()
