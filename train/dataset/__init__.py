"""Training data: windows of a note cache, augmented, as streams of a mixture of tasks."""
