"""The errors a user can meet, one tree for all packages.

    PianodError
    ├── MidiFileError    a MIDI file that cannot be read or written
    ├── CorpusError      training data that is missing, empty or not what its index says
    ├── ConfigError      a setting that is unknown, out of range or contradicts another
    ├── CheckpointError  a checkpoint that is incomplete or belongs to another vocabulary
    ├── BundleError      an exported model that is damaged, incomplete or belongs to another vocabulary
    └── PortError        a MIDI port or MIDI system that is missing, refuses or has gone

Misuse of a function by a programmer is `ValueError` or `TypeError`, never one of these. Each message names
the file, port or setting, says what is wrong with it, and what to do next.
"""


class PianodError(Exception):
    """A fault of the world outside the program: shown to the user as one line, without a stack trace."""


class MidiFileError(PianodError):
    """A MIDI file that cannot be read or written."""


class CorpusError(PianodError):
    """Training data that is missing, empty or not what its index says."""


class ConfigError(PianodError):
    """A setting that is unknown, out of range or contradicts another."""


class CheckpointError(PianodError):
    """A checkpoint that is incomplete, damaged or belongs to another vocabulary."""


class BundleError(PianodError):
    """An exported model that is damaged, incomplete or belongs to another vocabulary."""


class PortError(PianodError):
    """A MIDI port or MIDI system that is missing, refuses, or has gone."""
