"""Results in the order of their items, whatever was done before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.in_turn import Keeping, send_in_turn
from workers.place import Place, Tell
from workers.result_list import ResultList, Stored, key_of
from workers.task_size import FIRST_GROUPS, MOST_GROUPS, TASK_S, TaskSize


@dataclass
class Doubling:
    """Doubles its items and notes them; one that is to break off stops it."""

    break_at: int | None = None
    done: list[int] = field(default_factory=list)

    def open(self) -> None:
        """Nothing is to be loaded."""

    def make(self, works: Sequence[int], tell: Tell) -> Iterator[int]:  # noqa: ARG002
        """Double the items."""
        for work in works:
            if work == self.break_at:
                raise KeyboardInterrupt
            self.done.append(work)
            yield 2 * work


def doubled(job: Doubling, items: Sequence[int], path: Path, place: Place, a_group: int = 1) -> list[int]:
    done = ResultList(path)
    keeping: Keeping[int, int] = Keeping(done, key=key_of, store=Stored, restore=lambda stored: int(stored.told))
    try:
        return list(send_in_turn(job, items, place, lost=_lost, keeping=keeping, a_group=a_group))
    finally:
        done.close()


def _lost(item: int, why: str) -> int:
    raise RuntimeError(f"{item}: {why}")


@given(
    items=st.lists(st.integers(0, 50), unique=True),
    before=st.lists(st.integers(0, 50), unique=True),
    size=st.integers(1, 5),
)
def test_what_was_done_is_not_done_again(items: list[int], before: list[int], size: int) -> None:

    with TemporaryDirectory() as folder:
        path = Path(folder) / "done"
        doubled(Doubling(), before, path, Place())
        job = Doubling()
        assert doubled(job, items, path, Place(), size) == [2 * item for item in items]
        assert job.done == [item for item in items if item not in before]


def test_it_goes_on_where_it_broke_off_also_in_other_processes(tmp_path: Path) -> None:
    items = list(range(20))
    first = Doubling(break_at=7)
    with pytest.raises(KeyboardInterrupt):
        doubled(first, items, tmp_path / "done", Place())
    assert first.done == items[:7]
    assert doubled(Doubling(break_at=3), items, tmp_path / "done", Place(jobs=2), 3) == [2 * item for item in items]
    last = Doubling()
    assert doubled(last, items, tmp_path / "done", Place()) == [2 * item for item in items]
    assert last.done == []


def test_tasks_grow_while_they_are_quick_and_shrink_when_they_are_not() -> None:
    size = TaskSize()
    assert list(size.begin(iter(range(1000)), 6)) == list(range(1000))
    assert size.groups == FIRST_GROUPS
    size.took(size.groups, 0.0)
    assert size.groups == 2 * FIRST_GROUPS
    for _ in range(8):
        size.took(size.groups, 1e-6)
    assert size.groups == MOST_GROUPS
    size.took(MOST_GROUPS, 4 * TASK_S)
    assert size.groups == MOST_GROUPS // 4
    size.took(4, 1000.0)
    assert size.groups == 1


def test_of_few_groups_every_worker_has_some() -> None:
    size = TaskSize()
    assert list(size.begin(iter("abcdefg"), 3)) == list("abcdefg")
    assert size.groups == 2
    size.begin(iter(""), 3)
    assert size.groups == 1
