"""How long pianists keep the pedal down and up: the evidence for a change, from how long the last one stands.

Where something forbids the model what it would play next, it fills the time with the pedal: six presses a second in a
score, 3.7 in a gap, where pianists have 0.7. Its own probability of a change is therefore multiplied with how likely
one is after so long.
"""

import math

DOWN_S, UP_S = 0.58, 0.14
"""How long the pedal stays down, and up, in the median over MAESTRO's validation split."""

_DOWN_DEVIATION, _UP_DEVIATION = 0.88, 1.16
"""Deviations of the logarithms."""

_LONG_DOWN, _LONG_NATS = 250, 10.0
"""In steps: 19 of 20 stays are shorter. By how many nats likelier a change is where one is e times as long: the model
forgets a pedal, and held it for up to 24 seconds."""

_SHORTEST_DOWN, _SHORTEST_UP = 16, 4
"""In steps: 19 of 20 stays are longer."""

STEADY, STEADY_IN_FILLS = 0.2, 2.0
"""How many nats rarer a change is than the model has it where all else is as usual, in a score that is performed and in
a part that is filled in: chosen for as many presses a second as pianists have."""

_IMPOSSIBLE = -30.0


def change_of_pedal(is_down: bool, steps: int, steady: float = STEADY) -> float:
    """Return by how many nats likelier a change is than the model says, when the pedal has stood for so many steps."""
    median, deviation, shortest = (
        (DOWN_S * 100, _DOWN_DEVIATION, _SHORTEST_DOWN) if is_down else (UP_S * 100, _UP_DEVIATION, _SHORTEST_UP)
    )
    if steps < shortest:
        return _IMPOSSIBLE
    if steps >= median:
        return _LONG_NATS * max(math.log(steps / _LONG_DOWN), 0.0) - steady if is_down else -steady
    off = math.log(steps / median) / deviation
    return -0.5 * off * off - steady
