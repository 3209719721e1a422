"""Which cues a training window shows, and where."""

import numpy as np

from piano.cue_arrays import CUE, CueArray, is_chord
from piano.cues import BEAT, DOWNBEAT, ENDING, chord
from train.dataset.shown_cues import BEATS_SHOWN, CHORD_LEAD_S, CHORDS_SHOWN, shown_cues

C, F, G = chord(0, "maj"), chord(5, "maj"), chord(7, "7")
BEATS = [(0.5 * index, DOWNBEAT if index % 4 == 0 else BEAT) for index in range(40)]


def _cues(*cues: tuple[float, int]) -> CueArray:
    return np.array(sorted(cues), CUE)


def _many(cues: CueArray, end_s: float | None = None, windows: int = 400) -> list[CueArray]:
    return [shown_cues(cues, 4.0, 12.0, end_s, np.random.default_rng(seed)) for seed in range(windows)]


def test_each_kind_is_shown_in_its_share_of_the_windows_only() -> None:
    shown = _many(_cues(*BEATS, (0.0, C), (6.0, F)))
    with_beats = np.mean([(cues["code"] <= DOWNBEAT).any() for cues in shown])
    with_chords = np.mean([is_chord(cues["code"]).any() for cues in shown])
    assert abs(with_beats - BEATS_SHOWN) < 0.08
    assert abs(with_chords - CHORDS_SHOWN) < 0.08


def test_a_chord_is_told_at_the_beat_before_it_sounds_and_the_sounding_one_at_the_start() -> None:
    for cues in _many(_cues(*BEATS, (0.0, C), (6.02, F), (8.0, G), (12.3, C))):
        chords = cues[is_chord(cues["code"])]
        if chords.size:
            assert chords.tolist() == [(4.0, C), (5.5, F), (7.5, G)]


def test_without_beats_a_chord_is_told_a_while_before() -> None:
    leads = set()
    for cues in _many(_cues((0.0, C), (8.0, F))):
        if cues.size:
            assert cues["code"].tolist() == [C, F]
            leads.add(8.0 - float(cues["time_s"][1]))
    assert len(leads) > 50
    assert CHORD_LEAD_S[0] <= min(leads) < max(leads) <= CHORD_LEAD_S[1]


def test_beats_stay_within_the_window_and_waver_in_half_of_the_windows() -> None:
    shown = [cues for cues in _many(_cues(*BEATS)) if cues.size]
    assert all((cues["time_s"] >= 4.0).all() and (np.diff(cues["time_s"]) >= 0).all() for cues in shown)
    steady = [cues for cues in shown if np.allclose(cues["time_s"] * 2, np.rint(cues["time_s"] * 2))]
    assert 0.35 < len(steady) / len(shown) < 0.65
    assert all(cues.size == 16 for cues in steady)


def test_the_ending_is_told_ahead_of_the_end_where_there_is_one() -> None:
    none = _many(_cues(*BEATS))
    assert not any((cues["code"] == ENDING).any() for cues in none)
    told = [float(cues["time_s"][cues["code"] == ENDING][0]) for cues in _many(_cues(), 12.0) if cues.size]
    assert told
    assert all(4.0 <= at <= 10.0 for at in told)
