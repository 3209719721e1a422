"""The thread that keeps a take on disk: as a journal while it is played, as a MIDI file at the end.

Nobody waits for this thread, and nobody wakes it: four times a second it takes what is new out of the take's logs.
What it has written outlasts the process; what it has synchronised, at rests of the playing and at least every second,
outlasts a power cut. Where the disk fails, the player is told once, the playing goes on, and it tries again; where the
journal is lost, from the beginning of the take, which is in memory.
"""

import errno
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp

from loguru import logger

from realtime.take.journal import Journal, encode_record
from realtime.take.midi_export import midi_of
from realtime.take.recovery import Recovered, keep, recover, write_recovered
from realtime.take.take import Take, TakePlace
from realtime.threads.own_thread import OwnThread

PERIOD_S = 0.25
SYNC_S = 0.75
"""With the look before it, a second after it was played at most, what was played is safe."""
RETRY_S = 5.0
_JOIN_S = 10.0
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class TakeWriter:
    """Keeps one take in a folder, and recovers those that were left there.

    `release` is handed, on this object's thread, what ends the notes that those left sounding; it only hands over.
    """

    def __init__(
        self,
        take: Take,
        folder: Path,
        now_s: Callable[[], float] = time.monotonic,
        *,
        release: Callable[[Sequence[bytes]], None] | None = None,
    ) -> None:
        self._take, self._folder, self._now_s, self._release = take, folder.expanduser(), now_s, release
        self._journal: Journal | None = None
        self._place = TakePlace()
        self._unsynced_since_s: float | None = None
        self._retry_at_s = 0.0
        self._ending = threading.Event()
        self._thread = OwnThread(self._run, "take")
        self.fault: str | None = None
        """Why the take is not on disk; None where it is. For any thread."""
        self.midi: Path | None = None
        """The MIDI file that has become of the take, after the end."""

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is left, make the MIDI file, and end the thread; a disk that hangs is not waited for for ever."""
        self._ending.set()
        if not self._thread.join(_JOIN_S):
            logger.error("the disk does not answer: the take is in the journal in {}", self._folder)

    def _run(self) -> None:
        """Be the thread."""
        self._carry_out(self.recover)
        while not self._ending.wait(PERIOD_S):
            self._carry_out(self.keep)
        self._carry_out(self.finish)

    def _carry_out(self, step: Callable[[], None]) -> None:
        """Be the top of the thread for one step: a fault of our own is told, and the next is taken all the same."""
        try:
            step()
        except Exception as error:
            logger.opt(exception=error).debug("keeping the take failed")
            reason = f"{type(error).__name__}: {error}"
            if self.fault is None:
                logger.error("keeping the take failed ({}): the playing goes on, and it is tried again", reason)
            self.fault = f"keeping the take failed: {reason}"
            self._retry_at_s = self._now_s() + RETRY_S

    def recover(self) -> None:
        """Make MIDI files of the takes that were left behind, and say so."""
        for recovered in recover(self._folder):
            logger.info("recovered a take that was cut off: {}{}", recovered.midi, _damage(recovered))
            if self._release is not None and recovered.left_down:
                self._release(recovered.left_down)

    def keep(self) -> None:
        """Write what is new, if the disk takes it."""
        now_s = self._now_s()
        if self.fault is not None and now_s < self._retry_at_s:
            return
        try:
            self._write(now_s)
        except OSError as error:
            self._tell(error)
            self._retry_at_s = now_s + RETRY_S
        else:
            if self.fault is not None:
                logger.info("the take is written to {} again", self._folder)
                self.fault = None

    def finish(self) -> None:
        """Write what is left, and make the MIDI file: of the journal, or where that is lost, of what is in memory."""
        self._retry_at_s = 0.0
        self.keep()
        journal, self._journal = self._journal, None
        try:
            if journal is not None and self.fault is None:
                with journal.read() as file:
                    kept = keep(journal.path, file)
                self.midi = None if kept is None else kept.midi
            elif (midi := midi_of(self._take.since(TakePlace()))) is not None:
                self._folder.mkdir(parents=True, exist_ok=True)
                self.midi = write_recovered(self._folder / f"{_name_of_now()}.mid", midi)
                if journal is not None:
                    journal.path.unlink(missing_ok=True)
        except OSError as error:
            self._tell(error)
            self._keep_elsewhere()
        finally:
            if journal is not None:
                journal.close()

    def _keep_elsewhere(self) -> None:
        """Write the MIDI file where temporary files go: better than nowhere."""
        midi = midi_of(self._take.since(TakePlace()))
        if midi is None:
            return
        try:
            self.midi = write_recovered(Path(mkdtemp(prefix="pianod-take-")) / f"{_name_of_now()}.mid", midi)
        except OSError as error:
            logger.error("the take is lost: it could be written nowhere ({})", error.strerror or error)

    def _write(self, now_s: float) -> None:
        """Append what is new; synchronise at a rest, or when the last time is long ago."""
        if self._journal is not None and not self._journal.is_there():
            self._journal.close()
            self._journal, self._place = None, TakePlace()
        end = self._take.place
        has_news = end != self._place
        if has_news:
            if self._journal is None:
                self._journal = Journal.begin(self._folder, _name_of_now())
            self._journal.append(encode_record(record) for record in self._take.since(self._place, end))
            self._place = end
            if self._unsynced_since_s is None:
                self._unsynced_since_s = now_s
        since_s = self._unsynced_since_s
        if self._journal is not None and since_s is not None and (not has_news or now_s - since_s >= SYNC_S):
            self._journal.sync()
            self._unsynced_since_s = None

    def _tell(self, error: OSError) -> None:
        """Tell the player once that the take is not written, and why."""
        reason = error.strerror or str(error)
        if self.fault is None:
            way_out = "make room on the disk" if error.errno in _NO_ROOM else "give another folder with --takes"
            logger.error(
                "the take cannot be written to {} ({}): the playing goes on, and the take is kept in memory; {}",
                self._folder,
                reason,
                way_out,
            )
        self.fault = f"the take cannot be written to {self._folder}: {reason}"


def _name_of_now() -> str:
    return f"{datetime.now():%Y-%m-%d %H.%M.%S}"


def _damage(recovered: Recovered) -> str:
    """Return what is to be said of damaged lines: the last one is often torn, which costs a message."""
    return f" ({recovered.damaged} damaged lines left out)" if recovered.damaged > 1 else ""
