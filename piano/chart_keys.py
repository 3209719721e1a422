"""The key of a chart, and its chords as steps of it: so that one that is written in one key is played in another."""

from collections import Counter

from piano.changes import STEPS_OF_SEMITONES, Chart, chord_suffix
from piano.cues import FIRST_CHORD, QUALITIES, ROOTS

_MAJOR = frozenset((0, 2, 4, 5, 7, 9, 11))
_MINOR_QUALITIES = ("min", "min7", "dim", "dim7", "hdim7")
_CADENCE = 1.5
"""How much more the first and the last chord say than any other, where one of them is the tonic's."""

_QUALITY_OF_STEP = {0: ("maj", "maj7"), 2: ("min", "min7"), 4: ("min", "min7"), 5: ("maj", "maj7"), 7: ("maj", "7"),
                    9: ("min", "min7"), 11: ("hdim7", "dim")}  # fmt: skip
"""The chords of a major key, by the semitones of their roots above its tonic."""


def key_of(chart: Chart) -> str:
    """Return the major key that most of a chart's chords belong to, or whose tonic begins and ends it."""
    chords = Counter(code for bar in chart.bars for code in bar if code >= FIRST_CHORD)
    if not chords:
        return ROOTS[0]
    first, last = (next((code for code in order if code >= FIRST_CHORD), 0) for order in _from_both_ends(chart))

    def fit(tonic: int) -> float:
        fits = 0.0
        for code, count in chords.items():
            root, quality = _root_and_quality(code, tonic)
            fits += count * ((root in _MAJOR) + (quality in _QUALITY_OF_STEP.get(root, ())))
        ends = sum(_root_and_quality(code, tonic)[0] == 0 for code in (first, last))
        return fits + _CADENCE * ends * chords.total() / len(chords)

    return ROOTS[max(range(12), key=fit)]


def in_steps(chart: Chart, key: str) -> tuple[str, ...]:
    """Return each bar of a chart in steps of a key, a name of `piano.cues.ROOTS`; `read_chart` reads them back."""
    tonic = ROOTS.index(key)
    return tuple(" ".join(_step(code, tonic) for code in bar) for bar in chart.bars)


def _step(code: int, tonic: int) -> str:
    if code < FIRST_CHORD:
        return "N.C."
    root, quality = _root_and_quality(code, tonic)
    step = STEPS_OF_SEMITONES[root]
    suffix = chord_suffix(code)
    if quality not in _MINOR_QUALITIES:
        return step + suffix
    return step.lower() + suffix.removeprefix("m")


def _root_and_quality(code: int, tonic: int) -> tuple[int, str]:
    quality, root = divmod(code - FIRST_CHORD, 12)
    return (root - tonic) % 12, tuple(QUALITIES)[quality]


def _from_both_ends(chart: Chart) -> tuple[list[int], list[int]]:
    codes = [code for bar in chart.bars for code in bar]
    return codes, codes[::-1]
