"""A piece of work in a process of its own, at a low priority: it shares no interpreter with what plays.

A file that breaks its reader breaks that process alone. Runs on the server's loop.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import realtime
from piano.errors import PianodError

LONGEST_REASON = 500
_LONGEST_LINE = 64 << 20
_PROGRESS = b"progress "


class WorkError(PianodError):
    """A piece of work that could not be done, with the reason that its process gave."""


def program(module: str, *arguments: str) -> list[str]:
    """Return the command line of a module of ours, at a low priority where the system knows such."""
    nice = shutil.which("nice")
    return [*([nice, "-n", "5"] if nice else []), sys.executable, "-m", module, *arguments]


async def run_child(
    command: Sequence[str],
    data: bytes = b"",
    *,
    limit_s: float,
    folder: Path | None = None,
    fine: Collection[int] = (0,),
    report: Callable[[float], None] = lambda _: None,
) -> bytes:
    """Run a process, give it bytes and return what it wrote; WorkError if it failed or took too long.

    It has failed unless its exit code is among those that are `fine`, and, where that is not 0, it wrote something.

    `report` gets the share of the work that is done, 0 to 1, from its lines `progress SHARE`, which are not returned.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(realtime.__file__).parents[1])},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
        start_new_session=True,  # a Ctrl-C at the terminal is the daemon's, which ends this one itself
    )
    try:
        async with asyncio.timeout(limit_s):
            said, written, _ = await asyncio.gather(_all_of(process), _lines_of(process, report), _give(process, data))
            await process.wait()
    except TimeoutError as error:
        raise WorkError(f"it took longer than {limit_s:g} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode not in fine or (process.returncode and not written):
        raise WorkError(_reason(said, process.returncode))
    return written


async def _give(process: asyncio.subprocess.Process, data: bytes) -> None:
    stdin = process.stdin
    if stdin is None:
        return
    try:
        stdin.write(data)
        await stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        pass  # it ended before it had read all; its exit tells why
    finally:
        stdin.close()


async def _all_of(process: asyncio.subprocess.Process) -> bytes:
    return b"" if process.stderr is None else await process.stderr.read()


async def _lines_of(process: asyncio.subprocess.Process, report: Callable[[float], None]) -> bytes:
    written = bytearray()
    if process.stdout is not None:
        async for line in process.stdout:
            if line.startswith(_PROGRESS):
                report(float(line[len(_PROGRESS) :]))
            else:
                written += line
    return bytes(written)


def _reason(said: bytes, code: int | None) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    silent = f"it failed without a word (exit code {code}): too much memory, perhaps"
    return (lines[-1].removeprefix("pianod: ") if lines else silent)[:LONGEST_REASON]
