"""Phrases that the demo plays: MIDI files, and the scores and the touch they were made from (`compose.py`)."""

from pathlib import Path

from piano.midi.file import read_performance
from piano.notes import Performance

QUESTION, SECOND_THOUGHT = "question", "second-thought"
NAMES = (QUESTION, SECOND_THOUGHT)


def phrase_path(name: str) -> Path:
    """Return where a phrase lies."""
    return Path(__file__).parent / f"{name}.mid"


def read_phrase(name: str) -> Performance:
    return read_performance(phrase_path(name))
