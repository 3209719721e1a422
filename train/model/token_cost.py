"""The cost of the tokens that are asked for, with its gradients, and nothing of what is not asked for.

Cross-entropy as it is usually written keeps the logits of all positions twice in 32 bits and goes over them some six
times. Here only the rows with a target are multiplied with the head at all, a chunk of them at a time, and the
gradient, which is the softmax less one at the target, is made in the same pass (as in Hsu et al. 2024, Liger Kernel).
"""

from typing import Any

import torch
from torch import Tensor

_CHUNK_ROWS = {"cpu": 512, "cuda": 16384}


def summed_cost(hidden: Tensor, head: Tensor, rows: Tensor, targets: Tensor) -> Tensor:
    """Return what the targets cost in all, in nats, as a scalar of 32 bits.

    `hidden` is (positions, width), `head` (vocab, width); `rows` (asked,) are the positions that have a target, each at
    most once, and `targets` (asked,) what is to come there. Products are computed in the precision of autocast.
    """
    kind = hidden.device.type
    precision = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else hidden.dtype
    cost: Tensor = _SummedCost.apply(hidden, head, rows, targets, precision)  # type: ignore[no-untyped-call]
    return cost


class _SummedCost(torch.autograd.Function):
    """The gradients are made on the way forward; on the way back they are scaled."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, head: Tensor, rows: Tensor, targets: Tensor, precision: torch.dtype
    ) -> Tensor:
        """Compute the sum; keep the gradients if any are wanted."""
        wanted = any(ctx.needs_input_grad)
        of_hidden = torch.zeros_like(hidden) if wanted else hidden  # (positions, width)
        of_head = torch.zeros_like(head, dtype=torch.float32) if wanted else head  # (vocab, width)
        table, cost = head.to(precision), torch.zeros((), device=hidden.device)
        chunk = _CHUNK_ROWS.get(hidden.device.type, 4096)
        with torch.autocast(hidden.device.type, enabled=False):
            for start in range(0, rows.numel(), chunk):
                these, wants = rows[start : start + chunk], targets[start : start + chunk]
                seen = hidden[these].to(precision)  # (chunk, width)
                log_shares = torch.log_softmax((seen @ table.T).float(), -1)  # (chunk, vocab)
                cost -= log_shares.gather(1, wants[:, None]).sum()
                if wanted:
                    shares = log_shares.exp_()
                    shares.scatter_add_(1, wants[:, None], shares.new_full((wants.numel(), 1), -1.0))
                    of_logits = shares.to(precision)
                    of_hidden[these] = (of_logits @ table).to(hidden.dtype)
                    of_head += of_logits.T @ seen
        ctx.save_for_backward(*((of_hidden, of_head) if wanted else ()))
        return cost

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        """Return the gradients of `hidden` and `head`."""
        of_hidden, of_head = ctx.saved_tensors
        return of_hidden * gradients[0], of_head * gradients[0], None, None, None
