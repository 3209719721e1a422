"""A file that takes more memory than it may breaks its own process, and that is told in words."""

import io
import subprocess
import sys

import pytest

from realtime.panel import job_process, memory_limit, reading
from realtime.panel.job_request import JobRequest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems hold no process to such a limit")


def test_a_process_that_asks_for_more_is_refused() -> None:
    greedy = f"limit_memory()\ntry:\n bytearray({memory_limit.WORK_BYTES})\nexcept MemoryError:\n print('refused')"
    code = f"from realtime.panel.memory_limit import limit_memory\n{greedy}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "refused\n"


@pytest.mark.parametrize("way", ["job", "reading"])
def test_that_is_told_in_words(way: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    held: list[bool] = []

    def take_all(*_: object) -> None:
        assert held, "the limit comes first"
        raise MemoryError

    module = job_process if way == "job" else reading
    monkeypatch.setattr(module, "limit_memory", lambda: held.append(True))
    monkeypatch.setattr(module, "run_job" if way == "job" else "read", take_all)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(JobRequest().to_json().encode())))
    assert (job_process.main() if way == "job" else reading.main(["picture"])) == 2
    assert capsys.readouterr().err.strip().endswith(memory_limit.TOO_MUCH)
