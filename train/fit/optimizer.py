"""The optimizer and its learning rate: AdamW (Loshchilov & Hutter 2019), or Muon (Jordan et al. 2024) beside it."""

import math

import torch
from torch.optim import AdamW, Muon, Optimizer

from train.model.gpt2 import GPT2
from train.recipe import Optimizer as OptimizerRecipe
from train.recipe import Recipe


def build_optimizers(model: GPT2, recipe: OptimizerRecipe) -> list[Optimizer]:
    """Return what steps the model: biases and norms do not decay; Muon, if asked for, takes the layers' matrices."""
    matrices, embeddings, vectors, positions = [], [], [], []
    for name, parameter in model.named_parameters():
        if parameter.ndim < 2:
            vectors.append(parameter)
        elif ".h." in name:
            matrices.append(parameter)
        elif name.endswith("wpe.weight") and recipe.position_share < 1:
            positions.append(parameter)
        else:
            embeddings.append(parameter)
    rate, decay = recipe.learning_rate, recipe.weight_decay
    groups: list[dict[str, object]] = [{"params": vectors, "weight_decay": 0.0}]
    if positions:
        groups.append({"params": positions, "weight_decay": 0.0, "share": recipe.position_share})
    if recipe.name == "adamw":
        groups.append({"params": matrices + embeddings, "weight_decay": decay})
        return [AdamW(groups, lr=rate, betas=(recipe.beta_1, recipe.beta_2))]
    groups.append({"params": embeddings, "weight_decay": 0.0})
    return [
        AdamW(groups, lr=rate, betas=(recipe.beta_1, recipe.beta_2)),
        Muon(matrices, lr=rate, weight_decay=decay, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
    ]


def learning_rate_at(step: int, recipe: Recipe) -> float:
    """Return the learning rate of a step: a linear warm-up, then half a cosine down to its final share.

    The recipe must say how many steps there are.
    """
    warmup = recipe.optimizer.warmup_steps
    if step < warmup:
        return learning_rate(recipe.optimizer, (step + 1) / warmup, 0.0)
    length = max(1, (recipe.schedule.steps or 0) - warmup)
    return learning_rate(recipe.optimizer, 1.0, (step - warmup) / length)


def learning_rate(settings: OptimizerRecipe, warm: float, done: float) -> float:
    """Return the learning rate where the share `warm` of the warm-up and `done` of the cosine are over."""
    fallen = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    share = settings.final_share + (1 - settings.final_share) * fallen
    return settings.learning_rate * share * min(1.0, warm)


def set_learning_rate(optimizers: list[Optimizer], rate: float) -> None:
    """Give every parameter group one learning rate, or its share of it."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            own = rate * group.get("share", 1.0)
            group["lr"] = torch.tensor(own) if isinstance(group["lr"], torch.Tensor) else own
