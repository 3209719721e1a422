"""MIDI files, in and out: bytes to ticks to seconds to notes, and files that come back as they were."""
