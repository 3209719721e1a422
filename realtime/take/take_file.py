"""What was played so far as the bytes of a MIDI file: the player on one track, the model on another."""

from realtime.take.midi_export import midi_of
from realtime.take.take import Take, TakePlace


def take_bytes(take: Take) -> bytes | None:
    """Return the take as a MIDI file; None if nothing was played. Takes a moment: for a thread beside the loop."""
    return midi_of(take.since(TakePlace()))
