"""Fitting: batches, the optimizer, the loop over them, and the state that a run resumes from."""
