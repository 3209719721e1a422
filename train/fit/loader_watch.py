"""Whether the loader keeps up: the share of the time that training waits for its next windows."""

from collections.abc import Callable, Iterator
from typing import TypeVar

LOOK_S = 20.0
"""So long, in seconds, training is looked at before the share is told."""

_Step = TypeVar("_Step")


def watched(steps: Iterator[_Step], now_s: Callable[[], float], say: Callable[[str], None]) -> Iterator[_Step]:
    """Pass the steps on, and say once, after the first twenty seconds, for which share of them they were waited for.

    The first step is left out: it waits for the workers to start and for the compiler.
    """
    first = next(steps, None)
    if first is None:
        return
    yield first
    began_s, waited_s, is_said = now_s(), 0.0, False
    while True:
        asked_s = now_s()
        if not is_said and (looked_s := asked_s - began_s) >= LOOK_S:
            say(f"waited for the loader: {waited_s / looked_s:.1%} of the first {looked_s:.0f} s")
            is_said = True
        step = next(steps, None)
        if step is None:
            return
        waited_s += now_s() - asked_s
        yield step
