"""Solving a task: what is forced, what may come next, several draws, and the one that is chosen."""
