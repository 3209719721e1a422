"""Tables without the spaces that fill their columns, so that a test can look for cells."""

import re


def unfilled(table: str) -> str:
    """Return a table with one space wherever there are several."""
    return re.sub(" +", " ", table)
