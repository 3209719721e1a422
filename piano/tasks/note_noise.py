"""The kinds and sizes of noise with which the notes of a performance may have been read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NoteNoise:
    """Standard deviations of what was read about what was played: of onset and length in seconds, of pitch in
    semitones, of velocity in MIDI velocities. 0: read as it was.
    """

    onset_s: float = 0.0
    length_s: float = 0.0
    pitch: float = 0.0
    velocity: float = 0.0

    def __post_init__(self) -> None:
        for name in ("onset_s", "length_s", "pitch", "velocity"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} of a noise is 0 or more and finite, not {getattr(self, name)}")

    def scaled(self, factor: float) -> "NoteNoise":
        """Return the same noise, so many times as large."""
        return NoteNoise(self.onset_s * factor, self.length_s * factor, self.pitch * factor, self.velocity * factor)
