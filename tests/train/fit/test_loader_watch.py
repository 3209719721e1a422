"""The share of the time that is waited for the loader, by a clock that is moved by hand."""

from collections.abc import Iterator

import pytest

from train.fit.loader_watch import watched


def run(waits_s: list[float], step_s: float) -> list[str]:
    """Take one step after each wait and return what was said."""
    now_s = [100.0]
    said: list[str] = []

    def steps() -> Iterator[int]:
        for number, wait_s in enumerate(waits_s):
            now_s[0] += wait_s
            yield number

    taken = []
    for number in watched(steps(), lambda: now_s[0], said.append):
        taken.append(number)
        now_s[0] += step_s
    assert taken == list(range(len(waits_s)))
    return said


@pytest.mark.parametrize(
    ("waits_s", "said"),
    [
        ([90.0, *[1.0] * 20], ["waited for the loader: 25.0% of the first 20 s"]),
        ([90.0, *[0.0] * 20], ["waited for the loader: 0.0% of the first 21 s"]),
        ([90.0, 1.0], []),
        ([], []),
    ],
)
def test_it_is_told_once_without_the_start(waits_s: list[float], said: list[str]) -> None:
    assert run(waits_s, step_s=3.0) == said
