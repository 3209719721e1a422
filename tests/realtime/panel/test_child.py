"""Work in a process of its own: its answer, its progress, its reason, its end."""

import asyncio
import sys

import pytest

from realtime.panel.child import WorkError, program, run_child

LIMIT_S = 30.0


def run(code: str, data: bytes = b"", limit_s: float = LIMIT_S) -> tuple[bytes, list[float]]:
    shares: list[float] = []
    answer = asyncio.run(run_child([sys.executable, "-c", code], data, limit_s=limit_s, report=shares.append))
    return answer, shares


def test_it_is_given_bytes_and_gives_bytes_and_tells_how_far_it_is() -> None:
    code = "import sys; print('progress 0.5'); print(sys.stdin.read().upper(), end=''); print('\\nprogress 1')"
    assert run(code, b"music") == (b"MUSIC\n", [0.5, 1.0])


def test_its_last_word_is_the_reason_of_a_failure() -> None:
    with pytest.raises(WorkError, match=r"^it is out of tune$"):
        run("import sys; sys.exit('a warning\\npianod: it is out of tune')")
    with pytest.raises(WorkError, match="without a word"):
        run("import os; os._exit(1)", b"x" * 1_000_000)


def test_it_does_not_run_for_ever() -> None:
    with pytest.raises(WorkError, match="longer than"):
        run("import threading; threading.Event().wait()", limit_s=0.2)


def test_a_program_of_ours_is_a_module() -> None:
    assert program("realtime.panel.reading", "picture")[-3:] == ["-m", "realtime.panel.reading", "picture"]
