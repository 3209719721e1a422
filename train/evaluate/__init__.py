"""Evaluation: bits per note, and tasks beside their baselines."""
