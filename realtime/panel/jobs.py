"""A MIDI file of the player's, gone on with: one job at a time, in a process of its own at a low priority.

The process is `pianod continue` as on the command line, with the settings in force: it shares no model, no thread and
no interpreter with what plays. Files of a client are bytes in a folder of ours, under names of ours. Runs on the
server's loop.
"""

import asyncio
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool

import realtime
from piano.errors import PianodError
from piano.midi_file import read_tracks
from realtime.settings import Settings
from realtime.settings_words import flag_of

LARGEST_FILE = 1 << 20
LONGEST_S = 120
MOST_NOTES_SHOWN = 20_000
_GIVE_UP_S = 600

_PASSED_ON = ("model", "provider", "temperature", "top_k", "top_p", "min_p", "composer", "density", "max_polyphony")


@dataclass(frozen=True, slots=True)
class JobState:
    """How a job stands: working, done or failed, and then why."""

    id: int
    state: str
    reason: str = ""


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

    def start(self, data: bytes, seconds: int, settings: Settings) -> JobState:
        """Go on with a MIDI file for some seconds; the job before, which must be over, is forgotten."""
        if self.is_working:
            raise ValueError("one job at a time")
        if self._folder is not None:
            self._folder.cleanup()
        self._folder = tempfile.TemporaryDirectory(prefix="pianod-")
        folder = Path(self._folder.name)
        (folder / "given.mid").write_bytes(data)
        self.state = JobState(self.state.id + 1, "working")
        self._task = asyncio.create_task(self._work(folder, seconds, settings))
        return self.state

    def result(self) -> Path | None:
        """Return the file that was made, if it was."""
        if self._folder is None or self.state.state != "done":
            return None
        return Path(self._folder.name) / "made.mid"

    async def close(self) -> None:
        """Give up what is under way and clean up."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._folder is not None:
            self._folder.cleanup()

    async def _work(self, folder: Path, seconds: int, settings: Settings) -> None:
        process = await asyncio.create_subprocess_exec(
            *_command(seconds, settings),
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(Path(realtime.__file__).parents[1])},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            _, said = await asyncio.wait_for(process.communicate(), _GIVE_UP_S)
        except TimeoutError:
            self.state = JobState(self.state.id, "failed", f"it took longer than {_GIVE_UP_S} s")
            return
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode == 0:
            self.state = JobState(self.state.id, "done")
        else:
            lines = said.decode("utf-8", "replace").strip().splitlines()
            reason = lines[-1].removeprefix("pianod: ") if lines else "it failed without a word"
            self.state = JobState(self.state.id, "failed", reason[:500])


def _command(seconds: int, settings: Settings) -> list[str]:
    nice = shutil.which("nice")
    flags: list[str] = []
    for name in _PASSED_ON:
        value = getattr(settings, name)
        if value is not None:
            path = Path(str(value)).expanduser()
            flags += [flag_of(name), str(path.resolve()) if name == "model" and value != "embedded" else str(value)]
    work = [sys.executable, "-m", "realtime", "continue", "given.mid", "--out", "made.mid", "--seconds", str(seconds)]
    return [*([nice, "-n", "5"] if nice else []), *work, *flags]


async def notes_of(path: Path) -> list[list[Any]]:
    """Return the notes of a file for the roll: [track, start_s, end_s, pitch, velocity], at most so many."""

    def read() -> list[list[Any]]:
        rows: list[list[Any]] = []
        for index, track in enumerate(read_tracks(path)):
            for onset_s, duration_s, pitch, velocity, _ in track.performance.notes[:MOST_NOTES_SHOWN].tolist():
                rows.append([index, round(onset_s, 4), round(onset_s + duration_s, 4), pitch, velocity])
        return rows[:MOST_NOTES_SHOWN]

    try:
        return await run_in_threadpool(read)
    except PianodError:
        return []
