"""What of a piece is kept when the rest is filled in, in a player's words, and the task that each asks of the model.

A task is named by what is the model's own (`piano.tokens.vocabulary`), a wish by what stays.
"""

from collections.abc import Mapping

KEPT: Mapping[str, str] = {
    "right": "left_hand",
    "left": "right_hand",
    "melody": "accompaniment",
    "all-but-top-line": "top_line_1",
    "all-but-two-top-lines": "top_line_2",
    "all-but-three-top-lines": "top_line_3",
    "all-but-bottom-line": "bottom_line_1",
    "all-but-two-bottom-lines": "bottom_line_2",
    "all-but-three-bottom-lines": "bottom_line_3",
    "outer-voices": "inner_voices",
    "inner-voices": "outer_voices",
    "above-median": "below_median",
    "below-median": "above_median",
    "above-low-quartile": "below_low_quartile",
    "below-low-quartile": "above_low_quartile",
    "above-high-quartile": "below_high_quartile",
    "below-high-quartile": "above_high_quartile",
    "middle-quartiles": "extreme_quartiles",
    "extreme-quartiles": "middle_quartiles",
    "long-notes": "short_notes",
    "short-notes": "long_notes",
    "chord-firsts": "chord_rest",
    "stride": "stride",
    "random": "random",
    "loud": "soft",
    "soft": "loud",
    "all-but-very-loud": "very_loud",
    "all-but-very-soft": "very_soft",
    "moderate": "extreme",
    "extreme": "moderate",
    "part": "duet",
}
"""The task by what is kept. `stride` keeps some notes and drops as many, in turns; `part` is any part, played with."""

BAND, GAP = "band", "gap"
"""The tasks that are named by what is filled: a range of keys, and stretches of time."""
