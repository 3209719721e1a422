"""A model and ports that fail when they are told to."""

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np

from inference.onnx_session import Logits
from piano.errors import PortError
from piano.tokens.vocabulary import VOCABULARY
from realtime.midi.guardian import GuardianOutput
from realtime.midi.memory_ports import MemoryOutputPort
from realtime.midi.message_pipe import MessageReader
from realtime.threads.clock import ManualClock
from tests.support.listener import Listener
from tests.support.scripted_play import MS
from tests.support.session_models import ChanceSession


class Switch:
    """What the next call of the model comes to."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.fault: str | None = None
        self.on_failing: Callable[[], None] = lambda: None
        """Told when the model is about to raise, or to say what is no number."""


class FaultySession(ChanceSession):
    """A model of chance that can be made to raise, to say what is no number, or to be slow."""

    def __init__(self, switch: Switch) -> None:
        super().__init__(VOCABULARY.size, 256)
        self._switch = switch

    def feed(self, tokens: Sequence[int]) -> Logits:
        logits = super().feed(tokens)
        fault, self._switch.fault = self._switch.fault, None
        if fault in ("raise", "nan"):
            self._switch.on_failing()
        if fault == "raise":
            raise ArithmeticError("on purpose")
        if fault == "nan":
            return np.full_like(logits, np.nan)
        if fault == "slow":
            self._switch.clock.advance_to(self._switch.clock.now_ns() + 700 * MS)
        return logits


class FaultyPort(MemoryOutputPort):
    """A port that can be made to refuse, and that a listener hears."""

    def __init__(self, clock: ManualClock, listener: Listener) -> None:
        super().__init__(clock, "sound", listener.hear)
        self.refuses = False

    def send(self, data: bytes) -> None:
        if self.refuses:
            raise PortError("it refuses")
        super().send(data)
        self.sent.clear()


class VirtualPort(FaultyPort):
    """Our own port in a guardian, to which a listener may be connected or not."""

    def __init__(self, clock: ManualClock, listener: Listener) -> None:
        super().__init__(clock, listener)
        self._listener = listener
        self.is_connected = False
        self.guarded = GuardianOutput(
            MemoryOutputPort(clock, "wire", self._arrive), cast(MessageReader, None), is_virtual=True
        )
        self._deliver = self.guarded._send

    def connect(self, *, is_connected: bool) -> None:
        """Connect the listener or take it away; the guardian sees it."""
        self.is_connected = is_connected
        self.guarded.tend(is_heard=is_connected)

    def close(self) -> None:
        """Close the pipe to the guardian, which then releases what sounds, if it lives."""
        super().close()
        if not self.guarded._is_over:
            self.guarded.release()

    def _arrive(self, data: bytes) -> None:
        if self.is_connected:
            self._listener.hear(data)
