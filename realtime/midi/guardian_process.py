"""The guardian as a process: it is begun at once and asked later, so that the daemon loads its own parts meanwhile."""

import contextlib
import os
import socket
import subprocess
import sys
from typing import Any

from realtime.midi.guardian_talk import GuardianTalk

CAN_GUARD = os.name == "posix"
"""Whether this system can hand a port's pipe from process to process."""

_WAIT_S = 0.05


class GuardianProcess:
    """A guardian, and the talk with it. It ends when the talk is closed, or when we end; not safe for threads."""

    def __init__(self, api: str, client: str = "pianod") -> None:
        """Start the process; it looks for the MIDI system by itself. See `first_word`."""
        ours, theirs = socket.socketpair()
        arguments = ["-m", "realtime.midi.guardian", str(theirs.fileno()), api, client]
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # what the terminal sends to the daemon is not meant for it
            )
        self.talk = GuardianTalk(ours)

    @property
    def pid(self) -> int:
        """Return the process's id."""
        return self._process.pid

    def first_word(self, within_s: float) -> dict[str, Any]:
        """Wait until it has looked for the MIDI system: `api`, or a `fault`. Raises as `GuardianTalk.answer` does."""
        answer, _ = self.talk.answer(within_s)
        return answer

    def ended(self, *, after_a_moment: bool = False) -> int | None:
        """Return how it ended; None while it lives."""
        if not after_a_moment:
            return self._process.poll()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(_WAIT_S)
        return None

    def end(self, within_s: float) -> bool:
        """Say no more and let it release what sounds; say whether it ended by itself in time."""
        self.talk.close()
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        return True

    def kill(self) -> None:
        """End it as it stands."""
        self._process.kill()
        self._process.wait()
        self.talk.close()
