"""What is wrong in the bytes of a MIDI file: a fault that is mended and told, or damage that leaves no music."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Warn = Callable[[str], None]
"""Takes one line about a file that was read in spite of its faults."""

_TOLD = 1


class DamageError(Exception):
    """Damage that cannot be mended; the reader adds the file's name and raises MidiFileError."""


@dataclass(slots=True)
class Faults:
    """The faults of one file, in the order in which they were met: the first are kept in words, the others counted."""

    words: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, words: str) -> None:
        """Take a fault, with its place."""
        self.count += 1
        if len(self.words) < _TOLD:
            self.words.append(words)

    def line(self, called: str) -> str:
        """Return all faults of the file in one line; an empty text if there is none."""
        return in_words(called, self.words, self.count)


def in_words(called: str, words: Sequence[str], count: int) -> str:
    """Return the warning about a file with so many faults, of which some are in words."""
    if not count:
        return ""
    more = f", and {count - len(words):,} more" if count > len(words) else ""
    return f"{called}: {'; '.join(words)}{more}: what could be read is read"


def no_warning(_line: str) -> None:
    """Take a warning and do nothing with it."""
