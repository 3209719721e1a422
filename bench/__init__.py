"""Measures pianod, beside its peers where it has any; `bin/bench` runs it in an environment of its own."""
