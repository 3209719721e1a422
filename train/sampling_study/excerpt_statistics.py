"""What some seconds of music are like in about 70 numbers: what a classifier is given to tell one music from another.

Each is a finite number for any excerpt, also an empty one, and does not depend on the moment at which the excerpt
begins. A *wait* is the time from one onset to the next; notes whose onsets follow each other by less than
`CHORD_S` are a *chord*, and its onset is that of its first note. Units stand in the names.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import entropy

from piano.notes import NoteArray, PedalArray, Performance
from piano.tokens.encoding import decode, encode

Vector = NDArray[np.float64]

CHORD_S = 0.03
"""Onsets that follow each other by less than this sound as one."""

LONG_NOTE_S = 4.0
"""A key that is held longer hangs in the air."""

EQUAL_WITHIN = 0.11
"""Two waits whose ratio is nearer to 1 than this are equal."""

PULSE_LAGS_S = (0.15, 2.0)
"""Between which lags the highest autocorrelation of the onsets is a pulse."""

_PULSE_STEP_S = 0.01
_PULSE_WIDTH_S = 0.02
_SLICE_S = 5.0
_MIDDLE_C = 60
_LEAST_WAIT_S = 0.005
_MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
_MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
"""How well each pitch class fits a key: the profiles of Krumhansl and Kessler (1982)."""


def rounded(performance: Performance, length_s: float) -> Performance:
    """Return the first seconds of a performance as tokens tell them: 10 ms, 32 velocities, the pedal up or down.

    Keys that are still down at the end come up there. Steps are counted from the first onset, so that music that
    has gone through the tokens before is not rounded anew.
    """
    notes, pedals = performance.notes, performance.pedals
    notes = notes[(notes["onset_s"] >= 0) & (notes["onset_s"] < length_s)].copy()
    if not notes.size:
        return Performance(notes)
    notes["duration_s"] = np.minimum(notes["duration_s"], length_s - notes["onset_s"])
    first_s = float(notes["onset_s"].min())
    pedals = pedals[(pedals["time_s"] >= 0) & (pedals["time_s"] < length_s)].copy()
    pedals["time_s"] = np.maximum(pedals["time_s"], first_s)
    return decode(encode(Performance(notes, pedals), origin_s=first_s)).performance


def excerpt_statistics(performance: Performance, length_s: float) -> dict[str, float]:
    """Return all statistics of an excerpt by name; its time is from 0 to `length_s`."""
    notes = performance.notes
    chords = chords_of(notes)
    found = _density(notes, chords, length_s)
    found |= _waits(notes, chords) | _chords(notes, chords) | _pitches(notes) | _intervals(notes, chords)
    found |= _figures(notes, chords) | _velocities(notes, chords) | _held(notes, length_s)
    found |= _pedal(notes, performance.pedals, length_s) | _trends(notes, length_s)
    return {name: float(value) for name, value in found.items()}


def chords_of(notes: NoteArray) -> NDArray[np.int64]:
    """Return for each note, in order of onset, the number of its chord, (notes,)."""
    begins = np.diff(notes["onset_s"], prepend=-np.inf) >= CHORD_S
    return np.asarray(np.cumsum(begins) - 1, np.int64)


def onsets_of(notes: NoteArray, chords: NDArray[np.int64]) -> Vector:
    """Return the onset of each chord, in seconds, (chords,)."""
    return np.asarray(notes["onset_s"][np.searchsorted(chords, np.arange(chords[-1] + 1 if chords.size else 0))])


def top_line(notes: NoteArray, chords: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the highest pitch of each chord, (chords,)."""
    highest = np.zeros(chords[-1] + 1 if chords.size else 0, np.int64)
    np.maximum.at(highest, chords, notes["pitch"].astype(np.int64))
    return highest


def share_returned(values: Sequence[int] | NDArray[np.int64], length: int) -> float:
    """Return the share of runs of so many values that were there before: 1 - distinct / all; 0 of none."""
    runs = [tuple(values[index : index + length]) for index in range(len(values) - length + 1)]
    return 1.0 - len(set(runs)) / len(runs) if runs else 0.0


def pulse(onsets_s: Vector) -> tuple[float, float]:
    """Return the highest autocorrelation of the onsets between `PULSE_LAGS_S`, and its lag in seconds.

    Each onset is a bump of 20 ms, and the mean is taken off: 1 is a metronome, 0 no pulse.
    """
    if onsets_s.size < 4:
        return 0.0, 0.0
    steps = np.rint((onsets_s - onsets_s[0]) / _PULSE_STEP_S).astype(int)
    train = np.bincount(steps).astype(np.float64)
    reach = np.arange(-8, 9) * _PULSE_STEP_S
    train = np.convolve(train, np.exp(-0.5 * (reach / _PULSE_WIDTH_S) ** 2), mode="same")
    train -= train.mean()
    size = 1 << int(2 * train.size - 1).bit_length()
    spectrum = np.fft.rfft(train, size)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2, size)
    first, last = (round(lag / _PULSE_STEP_S) for lag in PULSE_LAGS_S)
    within = correlation[first : min(last + 1, train.size)]
    if correlation[0] <= 0 or not within.size:
        return 0.0, 0.0
    best = int(within.argmax())
    return float(within[best] / correlation[0]), (first + best) * _PULSE_STEP_S


def equal_waits(waits_s: Vector) -> float:
    """Return the share of waits that are equal to the one before, within `EQUAL_WITHIN`."""
    if waits_s.size < 2:
        return 0.0
    logs = np.log(np.maximum(waits_s, _LEAST_WAIT_S))
    return _mean(np.abs(np.diff(logs)) < np.log1p(EQUAL_WITHIN))


def _density(notes: NoteArray, chords: NDArray[np.int64], length_s: float) -> dict[str, float]:
    slices = np.histogram(notes["onset_s"], np.arange(0, length_s + 1e-9, _SLICE_S))[0] / _SLICE_S
    return {
        "notes/s": notes.size / length_s,
        "onsets/s": (chords[-1] + 1 if chords.size else 0) / length_s,
        "density deviation": float(slices.std() / max(slices.mean(), 0.1)) if slices.size else 0.0,
        "densest 5 s": slices.max(initial=0.0),
        "thinnest 5 s": slices.min() if slices.size else 0.0,
    }


def _waits(notes: NoteArray, chords: NDArray[np.int64]) -> dict[str, float]:
    onsets = onsets_of(notes, chords)
    waits = np.diff(onsets)
    logs = np.log(np.maximum(waits, _LEAST_WAIT_S))
    highest, lag_s = pulse(notes["onset_s"])
    low, middle, high = _quantiles(waits, 10, 50, 90)
    bins = np.histogram(waits, [0, 0.06, 0.1, 0.16, 0.25, 0.4, 0.7, np.inf])[0] / max(waits.size, 1)
    names = ("0.06", "0.1", "0.16", "0.25", "0.4", "0.7", "more")
    return {
        "pulse": highest,
        "pulse lag (s)": lag_s,
        "equal waits": equal_waits(waits),
        "waits half or double": _mean(np.abs(np.abs(np.diff(logs)) - np.log(2)) < np.log1p(EQUAL_WITHIN)),
        "short waits (s)": low,
        "middle wait (s)": middle,
        "long waits (s)": high,
        "deviation of waits": _deviation(logs),
        "waits lag-1": lag_correlation(logs),
        "entropy of waits": _entropy(np.histogram(logs, np.linspace(np.log(0.03), np.log(2.0), 22))[0]),
        "rhythms returned": share_returned(np.rint(4 * np.diff(logs)).astype(np.int64), 4),
        **{f"waits to {name} s": share for name, share in zip(names, bins, strict=True)},
    }


def _chords(notes: NoteArray, chords: NDArray[np.int64]) -> dict[str, float]:
    sizes = np.bincount(chords) if chords.size else np.zeros(0)
    apart = np.diff(notes["onset_s"])[np.diff(chords) == 0]
    same = np.diff(chords) == 0
    gaps = np.diff(notes["pitch"].astype(int))[same]
    classes = np.abs(gaps) % 12
    return {
        "notes a chord": _mean(sizes),
        **{f"chords of {count}": _mean(sizes == count) for count in (1, 2, 3)},
        "chords of 4 and more": _mean(sizes >= 4),
        "chord spread (s)": _mean(apart),
        "chord notes at once": _mean(apart < 0.005),
        "octaves in chords": _mean((np.abs(gaps) > 0) & (classes == 0)),
        "thirds in chords": _mean(np.isin(classes, (3, 4, 8, 9))),
        "seconds in chords": _mean(np.isin(classes, (1, 2, 10, 11))),
    }


def _pitches(notes: NoteArray) -> dict[str, float]:
    pitch = notes["pitch"].astype(float)
    low, high = _quantiles(pitch, 5, 95)
    classes = np.bincount(notes["pitch"].astype(int) % 12, minlength=12).astype(np.float64)
    return {
        "mean pitch": _mean(pitch),
        "pitch deviation": _deviation(pitch),
        "pitch range": high - low,
        "pitches": float(np.unique(pitch).size),
        "pitch entropy": _entropy(np.bincount(notes["pitch"].astype(int))),
        "pitch classes": float((classes > 0.01 * classes.sum()).sum()) if notes.size else 0.0,
        "class entropy": _entropy(classes),
        "fits a key": _fits_a_key(classes),
        "black keys": _mean(np.isin(notes["pitch"] % 12, (1, 3, 6, 8, 10))),
    }


def _intervals(notes: NoteArray, chords: NDArray[np.int64]) -> dict[str, float]:
    steps = np.abs(np.diff(notes["pitch"].astype(int)))
    line = np.diff(top_line(notes, chords))
    sizes = np.abs(line)
    onset, pitch = notes["onset_s"], notes["pitch"]
    by_key = np.lexsort((onset, pitch))
    again = (np.diff(pitch[by_key].astype(int)) == 0) & (np.diff(onset[by_key]) < 1.0)
    return {
        "keys again in 1 s": float(again.sum()) / max(notes.size, 1),
        "unisons": _mean(steps == 0),
        "steps": _mean((steps > 0) & (steps <= 2)),
        "thirds": _mean((steps == 3) | (steps == 4)),
        "fourths to sixths": _mean((steps >= 5) & (steps <= 9)),
        "octaves": _mean(steps == 12),
        "leaps over an octave": _mean(steps > 12),
        "top line unisons": _mean(sizes == 0),
        "top line steps": _mean((sizes > 0) & (sizes <= 2)),
        "top line leaps": _mean(sizes > 7),
        "top line turns": _mean(line[1:] * line[:-1] < 0),
        "top line interval": _mean(sizes),
    }


def _figures(notes: NoteArray, chords: NDArray[np.int64]) -> dict[str, float]:
    pitches = notes["pitch"].astype(np.int64)
    top = top_line(notes, chords)
    return {
        "figures of 4 intervals returned": share_returned(np.diff(pitches), 4),
        "figures of 6 keys returned": share_returned(pitches, 6),
        "top line figures returned": share_returned(np.diff(top), 3),
        "chords returned": share_returned([hash(chord) for chord in _pitch_sets(pitches, chords)], 2),
    }


def _velocities(notes: NoteArray, chords: NDArray[np.int64]) -> dict[str, float]:
    velocity, pitch = notes["velocity"].astype(float), notes["pitch"].astype(float)
    steps = np.diff(velocity)
    high, low = velocity[pitch >= _MIDDLE_C], velocity[pitch < _MIDDLE_C]
    bottom, top = _quantiles(velocity, 5, 95)
    return {
        "mean velocity": _mean(velocity),
        "velocity deviation": _deviation(velocity),
        "velocity range": top - bottom,
        "velocity lag-1": lag_correlation(velocity),
        "velocity lag-4": lag_correlation(velocity, 4),
        "velocity step": _mean(np.abs(steps)),
        "velocity step in chords": _mean(np.abs(steps[np.diff(chords) == 0])),
        "right hand louder by": _mean(high) - _mean(low) if high.size and low.size else 0.0,
        "left hand velocity deviation": _deviation(low),
        "right hand velocity deviation": _deviation(high),
        "velocity with pitch": correlation(velocity, pitch),
    }


def _held(notes: NoteArray, length_s: float) -> dict[str, float]:
    onset, duration = notes["onset_s"], notes["duration_s"]
    end = onset + duration
    following = np.append(onset[1:], length_s)
    low, middle, high = _quantiles(duration, 10, 50, 90)
    held = np.searchsorted(onset, onset, side="right") - np.searchsorted(np.sort(end), onset, side="right")
    silences = np.clip(following - np.maximum.accumulate(end), 0, None) if notes.size else np.array([length_s])
    return {
        "notes over 4 s": _mean(duration > LONG_NOTE_S),
        "notes over 2 s": _mean(duration > LONG_NOTE_S / 2),
        "notes over 1 s": _mean(duration > LONG_NOTE_S / 4),
        "notes under 0.1 s": _mean(duration < 0.1),
        "short notes (s)": low,
        "middle note (s)": middle,
        "long notes (s)": high,
        "deviation of notes": _deviation(np.log(np.maximum(duration, _LEAST_WAIT_S))),
        "notes lag-1": lag_correlation(np.log(np.maximum(duration, _LEAST_WAIT_S))),
        "keys held at an onset": _mean(held),
        "most keys held": float(held.max(initial=0)),
        "overlapping notes": _mean(end > following + CHORD_S),
        "silence": float(silences.sum()) / length_s,
        "longest silence (s)": float(silences.max()),
        "silences a s": float((silences > 0.1).sum()) / length_s,
    }


def _pedal(notes: NoteArray, pedals: PedalArray, length_s: float) -> dict[str, float]:
    time, down = pedals["time_s"], pedals["down"]
    lasts = np.diff(np.append(time, length_s))
    presses = time[down]
    before = np.searchsorted(notes["onset_s"], presses, side="right") - 1
    since = (presses - notes["onset_s"][before])[before >= 0] if notes.size else np.zeros(0)
    return {
        "pedal presses a s": presses.size / length_s,
        "pedal down": float(lasts[down].sum()) / length_s,
        "pedal press (s)": _quantiles(lasts[down], 50)[0],
        "pedal up (s)": _quantiles(lasts[~down], 50)[0],
        "pedal after onset (s)": _quantiles(since, 50)[0],
    }


def _trends(notes: NoteArray, length_s: float) -> dict[str, float]:
    late = notes["onset_s"] >= length_s / 2
    early = ~late
    names = ("pitch", "velocity", "duration_s")
    means = {name: _mean(notes[name][late].astype(float)) - _mean(notes[name][early].astype(float)) for name in names}
    both = bool(late.any() and early.any())
    return {
        "density trend": float(np.log((late.sum() + 1) / (early.sum() + 1))),
        "pitch trend": means["pitch"] if both else 0.0,
        "velocity trend": means["velocity"] if both else 0.0,
        "length trend (s)": means["duration_s"] if both else 0.0,
    }


def lag_correlation(values: Vector, lag: int = 1) -> float:
    """Return the correlation of values with those `lag` places later; 0 where it is not defined."""
    return correlation(values[lag:], values[:-lag])


def correlation(one: Vector, other: Vector) -> float:
    """Return Pearson's correlation; 0 where it is not defined."""
    is_defined = one.size >= 3 and np.ptp(one) > 0 and np.ptp(other) > 0
    return float(np.corrcoef(one, other)[0, 1]) if is_defined else 0.0


def _fits_a_key(classes: Vector) -> float:
    profiles = [np.roll(profile, key) for profile in (_MAJOR, _MINOR) for key in range(12)]
    return max(correlation(classes, profile) for profile in profiles)


def _pitch_sets(pitches: NDArray[np.int64], chords: NDArray[np.int64]) -> list[tuple[int, ...]]:
    edges = np.flatnonzero(np.diff(chords)) + 1
    return [tuple(sorted(part.tolist())) for part in np.split(pitches, edges)] if pitches.size else []


def _mean(values: NDArray[np.generic]) -> float:
    return float(np.mean(values)) if values.size else 0.0  # type: ignore[arg-type]


def _deviation(values: Vector) -> float:
    return float(values.std()) if values.size else 0.0


def _quantiles(values: Vector, *percents: float) -> tuple[float, ...]:
    return tuple(np.percentile(values, percents).tolist()) if values.size else (0.0,) * len(percents)


def _entropy(counts: NDArray[np.generic]) -> float:
    """Return the entropy of counts, in bits."""
    return float(entropy(counts, base=2)) if np.any(counts) else 0.0
