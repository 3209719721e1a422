"""Trials: recipes compared on small models at equal compute."""
