"""Style prefixes: what a corpus knows of a piece, in the words of the vocabulary."""

import unicodedata

import numpy as np

from piano.tokens.styles import COMPOSERS, DENSITY_EDGES

_SOURCE_OF_DATASET = {
    "maestro-v3.0.0": "recital",
    "asap": "recital",
    "pop909": "pop",
    "hannds": "practice",
    "giantmidi": "transcription",
    "pianolatron": "roll",
    "emopia": "cover",
    "jazz-clips": "jazz",
}

CLIPS = frozenset({"emopia", "jazz-clips"})
"""Data sets whose files are cut out of longer performances: they have no opening and no end."""

_MOOD_OF_QUADRANT = {"Q1": "happy", "Q2": "tense", "Q3": "sad", "Q4": "calm"}


def composer_style(composer: str) -> str | None:
    """Return the style of a composer's name in any of its spellings, or None if the vocabulary does not have it.

    Of several names ("Franz Schubert / Franz Liszt") the first counts.
    """
    plain = unicodedata.normalize("NFKD", composer).encode("ascii", "ignore").decode().lower()
    found = [(plain.find(name), name) for name in COMPOSERS if name in plain]
    return f"composer:{min(found)[1]}" if found else None


def source_style(dataset: str) -> str | None:
    """Return the style of a dataset of the corpus, or None for any other collection."""
    source = _SOURCE_OF_DATASET.get(dataset)
    return f"source:{source}" if source else None


def density_style(notes: int, seconds: float) -> str:
    """Return the style of so many notes in so many seconds."""
    return f"density:{int(np.searchsorted(DENSITY_EDGES, notes / max(seconds, 1e-3)))}"


def mood_style(dataset: str, file: str) -> str | None:
    """Return the mood of a clip of EMOPIA, whose quadrant stands at the front of its name; None for all else."""
    mood = _MOOD_OF_QUADRANT.get(file.rpartition("/")[2][:2]) if dataset == "emopia" else None
    return f"mood:{mood}" if mood else None
