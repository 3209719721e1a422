"""What was played so far as the bytes of a MIDI file: the player on one track, the model on another."""

import tempfile
from pathlib import Path

from piano.midi_file import write_performance
from realtime.take import Take


def take_bytes(take: Take) -> bytes | None:
    """Return the take as a MIDI file; None if nothing was played. Takes a moment: for a thread beside the loop."""
    tracks = take.tracks()
    if not any(track.performance.notes.size for track in tracks):
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "take.mid"
        write_performance(path, tracks)
        return path.read_bytes()
