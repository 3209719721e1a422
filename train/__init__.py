"""Training: MIDI files to a note cache, the cache to batches, batches to a checkpoint, and the checkpoint's figures."""
