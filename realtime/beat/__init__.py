"""Musical time: where beats and bars lie, from the metronome, a clock that comes in, taps, or the playing itself."""
