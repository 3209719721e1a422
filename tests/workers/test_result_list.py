"""The list of what is done: wherever it broke off, what is whole in it stands, and it goes on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.errors import ConfigError
from workers.result_list import ResultList, Stored, key_of

RESULTS = [Stored({"a": 1.5}, b""), Stored(["b"], b"\n[1]\n"), Stored(None, bytes(range(256)))]


def write_list(path: Path) -> list[int]:
    """Write the results under the keys of their numbers; return where each ends."""
    done = ResultList(path)
    ends = []
    for number, result in enumerate(RESULTS):
        done.add(key_of(number), result)
        ends.append(path.stat().st_size)
    done.close()
    return ends


def read_list(path: Path) -> list[Stored | None]:
    done = ResultList(path)
    places = [done.find(key_of(number)) for number in range(len(RESULTS))]
    found = [None if place is None else done.at(place) for place in places]
    done.close()
    return found


@given(cut=st.integers(0, 1000))
def test_what_is_whole_stands_wherever_it_broke_off(cut: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("list") / "done"
    ends = write_list(path)
    assert read_list(path) == RESULTS
    path.write_bytes(path.read_bytes()[:cut])
    whole = sum(end <= cut for end in ends)
    assert read_list(path) == [*RESULTS[:whole], *[None] * (len(RESULTS) - whole)]
    write_list(path)
    assert read_list(path) == RESULTS


def test_without_a_file_nothing_is_kept() -> None:
    done = ResultList()
    done.add(key_of(1), RESULTS[0])
    assert done.find(key_of(1)) is None
    done.forget()


def test_another_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("{}")
    with pytest.raises(ConfigError, match="is no list of what is done"):
        ResultList(path)
    assert path.read_text() == "{}"
    with pytest.raises(ConfigError, match="cannot be read or written"):
        ResultList(tmp_path)


@dataclass(frozen=True)
class Record:
    name: str
    values: object


def test_a_key_stands_for_the_contents() -> None:
    every = [
        Record("a", np.arange(3)),
        Record("a", np.arange(4)),
        Record("b", np.arange(3)),
        Record("a", [0, 1, 2]),
        Record("a", {"x": None}),
        Record("a", b"a"),
        Record("a", 1),
        Record("a", True),
        ["a", 1],
    ]
    assert len({key_of(one) for one in every}) == len(every)
    assert key_of(Record("a", np.arange(3))) == key_of(Record("a", np.arange(3)))
    assert key_of("a", "b") != key_of("ab")
    with pytest.raises(TypeError, match="no contents"):
        key_of(print)
