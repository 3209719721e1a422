"""MIDI messages and ports: parsing, reading, sending, guarding, and what is held down."""
