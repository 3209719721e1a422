"""The figures of a run as TensorBoard shows them: its event file, on the first rank."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from train.fit.ranks import Ranks


@contextmanager
def open_logbook(folder: Path, step: int, ranks: Ranks) -> Iterator[Any]:
    """Open TensorBoard's event file after a step; on any rank but the first what is logged goes nowhere."""
    if not ranks.is_first:
        yield _NoLogbook()
        return
    writer: Any = SummaryWriter(folder, purge_step=step + 1)
    try:
        yield writer
    finally:
        writer.close()


class _NoLogbook:
    def add_scalar(self, tag: str, value: float, step: int) -> None:
        """Take a figure and do nothing with it."""
