"""How well a model does each task of a mixture: bits per note over what is asked, on windows that never change."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from piano.tasks.repair_tasks import VELOCITY_TASKS
from piano.tasks.task_stream import Part, PreviewSize
from piano.tokens.vocabulary import VOCABULARY, Kind
from train.dataset.mixture import Draw
from train.dataset.windows import IGNORED, WindowDataset

_SEED = 3_141_592


class TaskScores:
    """Windows of each task, drawn once, and their score at any time.

    Tasks are posed with previews where they have one; velocity tasks without one too, under their name and `_live`.
    What is counted are the tokens that the task asks for, over the notes it asks for.
    """

    def __init__(self, data: WindowDataset, tasks: Sequence[str], windows: int) -> None:
        draws = {task: Draw(task, PreviewSize()) for task in tasks}
        draws |= {f"{task}_live": Draw(task, None) for task in tasks if task in VELOCITY_TASKS}
        self.batches = {name: _batch(data, draw, windows) for name, draw in draws.items()}

    def bits_per_note(self, nats: Callable[[Tensor, Tensor, Tensor], Tensor]) -> dict[str, float]:
        """Return the score of each task; `nats` maps tokens, targets and positions to the sum of the targets' cost."""
        is_velocity = torch.from_numpy(VOCABULARY.kinds == Kind.VELOCITY)
        scores = {}
        with torch.no_grad():
            for name, (tokens, targets, positions) in self.batches.items():
                notes = int(is_velocity[targets[targets != IGNORED]].sum())
                if notes:
                    scores[name] = float(nats(tokens, targets, positions)) / notes / math.log(2)
        return scores


def _batch(data: WindowDataset, draw: Draw, windows: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return tokens, asked targets and positions, each (windows, length)."""
    length = data.plan.length
    tokens = np.full((windows, length), VOCABULARY.pad, np.int64)
    targets = np.full((windows, length), IGNORED, np.int64)
    for row in range(windows):
        rng = np.random.default_rng([_SEED, row])
        stream = data.stream(data.piece_at(rng.random()), rng, draw)
        size = min(stream.tokens.size - 1, length)
        tokens[row, :size] = stream.tokens[:size]
        following, parts = stream.targets[1 : size + 1], stream.parts[1 : size + 1]
        targets[row, :size] = np.where(parts == Part.ASKED, following, IGNORED)
    positions = torch.arange(length).expand(windows, length)
    return torch.from_numpy(tokens), torch.from_numpy(targets), positions
