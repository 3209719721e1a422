"""Takes: every message kept, on the disk as it comes, recovered after a crash, written as a MIDI file."""
