"""What notes, events, tokens and tasks are. The ground floor: numpy, and one file that reads and writes MIDI files."""
