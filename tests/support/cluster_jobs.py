"""A job for workers of a cluster, whose items do what their names say: well, or to the worker's harm."""

import errno
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from loguru import logger

from realtime.files.batch_run import Made, Tell, Work


@dataclass
class NamedDeeds:
    """Makes of each item a file with its name in it; `marks` is a folder that all workers see."""

    marks: Path

    def open(self) -> None:
        """Note that a process has opened it."""
        (self.marks / f"opened-{os.getpid()}").touch()

    def make(self, works: Sequence[Work], tell: Tell) -> Iterator[Made]:
        """Do what the names say."""
        for work in works:
            name = work.item.name
            if "kill" in name and self._is_first(name):
                os.kill(os.getpid(), signal.SIGKILL)
            if "hang" in name:
                threading.Event().wait()
            if "disk" in name and self._full_disk() == os.getpid():
                raise OSError(errno.ENOSPC, "No space left on device")
            if "odd" in name:
                logger.warning("{}: is {}", name, "odd {braces}")
            if "wait" in name:
                self._wait_for("go")
            tell(work.number, 0.5, 4.0)
            fault = f"{name}: is broken" if "broken" in name else ""
            yield Made(work.number, () if fault else ((work.item.targets[0], name.encode()),), name, fault)

    def _is_first(self, name: str) -> bool:
        try:
            (self.marks / name).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def _full_disk(self) -> int:
        """Return the process whose disk is full: the first that asked."""
        mark = self.marks / "full"
        try:
            with mark.open("x") as file:
                file.write(str(os.getpid()))
        except FileExistsError:
            pass
        return int(mark.read_text() or 0)

    def _wait_for(self, mark: str) -> None:
        (self.marks / "waits").touch()
        while not (self.marks / mark).exists():
            threading.Event().wait(0.05)
