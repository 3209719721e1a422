"""What cues save: bits per note of the same performances with beats, with chords and with both told.

Only performances whose beats are annotated count. What is told costs nothing, see `train.predictors.told_cost`; a chord
is told where a training window tells it, at the beat before it sounds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from tqdm import tqdm

from piano.cue_arrays import CueArray, is_chord
from piano.cues import DOWNBEAT
from piano.tokens.encoding import TokenArray, encode
from train.corpus.note_cache import NoteCache
from train.dataset.shown_cues import told_ahead
from train.predictors.scoring_job import Asked

TOLD = ("none", "beats", "chords", "beats and chords")
"""What is told, a row each."""

LEAD_S = 0.5
"""How long before it sounds a chord is told where no beat is known, in seconds."""


def with_cues(cache: NoteCache, pieces: Sequence[int]) -> Iterator[Asked]:
    """Yield the performances with annotated beats, once for each way of telling: `told: WAY` are their rows."""
    known = [piece for piece in pieces if (cache.cues(piece)["code"] <= DOWNBEAT).any()]
    for told in TOLD:
        for name, events in _streams(cache, known, told):
            yield Asked(f"told: {told}", name, events)


def cues_told(cues: CueArray, told: str) -> CueArray:
    """Return the cues of a piece that are told, in order of time and code; `told` is one of `TOLD`."""
    beats = cues[cues["code"] <= DOWNBEAT]
    chords = told_ahead(cues[is_chord(cues["code"])], beats, 0.0, np.inf, LEAD_S)
    shown = np.concatenate([beats[: None if "beats" in told else 0], chords[: None if "chords" in told else 0]])
    return shown[np.lexsort((shown["code"], shown["time_s"]))]


def _streams(cache: NoteCache, pieces: Sequence[int], told: str) -> Iterator[tuple[str, TokenArray]]:
    for piece in tqdm(pieces, desc=f"told: {told}", unit="piece"):
        performance = replace(cache.performance(piece), cues=cues_told(cache.cues(piece), told))
        yield cache.pieces[piece].dataset, encode(performance)
