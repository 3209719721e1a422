"""A MIDI file of the player's and what is made of it: one job at a time, in a process of its own at a low priority.

The process (`job_process.py`) has the settings in force and shares no model, no thread and no interpreter with what
plays. Files of a client are bytes in a folder of ours, under names of ours. Runs on the server's loop.
"""

import asyncio
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from realtime.panel.child import WorkError, program, run_child
from realtime.panel.job_request import GIVEN, MADE, JobRequest

LARGEST_FILE = 1 << 20
_GIVE_UP_S = 1800


@dataclass(frozen=True, slots=True)
class JobState:
    """How a job stands: working, done or failed, and then why; and which share of it is done, 0 to 1."""

    id: int
    state: str
    reason: str = ""
    task: str = ""
    name: str = ""
    """What the file is called, to speak of it."""
    share: float = 0.0


class Jobs:
    """The last job, and the folder it works in."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._task: asyncio.Task[None] | None = None
        self.state = JobState(0, "none")

    @property
    def is_working(self) -> bool:
        """Say whether a job is under way."""
        return self._task is not None and not self._task.done()

    def start(self, data: bytes, request: JobRequest) -> JobState:
        """Make something of a MIDI file; the job before, which must be over, is forgotten."""
        if self.is_working:
            raise ValueError("one job at a time")
        if self._folder is not None:
            self._folder.cleanup()
        self._folder = tempfile.TemporaryDirectory(prefix="pianod-")
        folder = Path(self._folder.name)
        (folder / GIVEN).write_bytes(data)
        self.state = JobState(self.state.id + 1, "working", task=request.task, name=request.name)
        self._task = asyncio.create_task(self._work(folder, request))
        return self.state

    def result(self, name: str = MADE) -> bytes | None:
        """Return what was made, or what was given, if the job is done."""
        if self._folder is None or self.state.state != "done":
            return None
        return (Path(self._folder.name) / name).read_bytes()

    async def stop(self) -> None:
        """Give up what is under way."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self.state = replace(self.state, state="failed", reason="it was given up")

    async def close(self) -> None:
        """Give up what is under way and clean up."""
        await self.stop()
        if self._folder is not None:
            self._folder.cleanup()

    async def _work(self, folder: Path, request: JobRequest) -> None:
        command = program("realtime.panel.job_process")
        try:
            await run_child(command, request.to_json().encode(), limit_s=_GIVE_UP_S, folder=folder, report=self._report)
        except WorkError as error:
            self.state = replace(self.state, state="failed", reason=str(error))
        else:
            self.state = replace(self.state, state="done", share=1.0)

    def _report(self, share: float) -> None:
        self.state = replace(self.state, share=round(min(max(share, 0.0), 1.0), 3))
