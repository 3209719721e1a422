"""The loop: a phrase that goes round, its layers, and the answer over it."""
