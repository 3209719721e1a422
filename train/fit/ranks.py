"""The processes that train together: who this one is, and what it adds up with the others."""

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among those that train together, and its place on its machine; (0, 1) alone."""

    rank: int
    world: int
    local_rank: int = 0

    @staticmethod
    def join() -> "Ranks":
        """Join the processes that torchrun started, over nccl on GPUs and gloo elsewhere; alone without torchrun."""
        if "RANK" not in os.environ:
            return Ranks(0, 1)
        local_rank = int(os.environ.get("LOCAL_RANK", "0"))
        if torch.cuda.is_available():
            torch.cuda.set_device(local_rank)
            dist.init_process_group("nccl")
        else:
            dist.init_process_group("gloo")
        return Ranks(dist.get_rank(), dist.get_world_size(), local_rank)

    def leave(self) -> None:
        """Part from the others."""
        if self.world > 1 or dist.is_initialized():
            dist.destroy_process_group()

    @property
    def is_first(self) -> bool:
        """Return whether this process writes files and speaks."""
        return self.rank == 0

    @property
    def device(self) -> torch.device:
        """Return the device of this process."""
        return torch.device(f"cuda:{self.local_rank}" if torch.cuda.is_available() else "cpu")

    def total(self, *values: float) -> list[float]:
        """Return the sum of each value over all ranks."""
        if self.world == 1:
            return list(values)
        sums: Tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(sums)
        return [float(each) for each in sums]
