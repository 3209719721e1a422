"""From plain music to tasks: how a model that has never seen two roles begins to learn them."""

from typing import Any

import torch

from piano.events import Role
from piano.tokens.vocabulary import TASKS, VOCABULARY, Kind
from train.model.gpt2 import GPT2
from train.recipe import Tasks


def knows_plain_music_alone(metadata: dict[str, Any]) -> bool:
    """Return whether a checkpoint, by what it says of its making, was trained without tasks."""
    section = metadata.get("recipe", {}).get("tasks")
    return section is None or Tasks.model_validate(section).is_plain


@torch.no_grad()
def open_to_tasks(model: GPT2) -> None:
    """Give each token that plain music never shows the embedding of the one most like it, in place.

    An event of the role GIVEN starts as the same event of the role OWN, a task as `continue`: at first the model takes
    both players for one, and knows all it knew. What it has to learn is who plays what. PREVIEW and PLAY stay as
    they are. The head is the same matrix, so that both roles are equally likely at first: plain music costs up to one
    bit more for each event until the first steps of training have told who plays.
    """
    table = model.transformer.wte.weight
    of_a_role = (VOCABULARY.kinds == Kind.ON) | (VOCABULARY.kinds == Kind.OFF) | (VOCABULARY.kinds == Kind.PEDAL)
    own, given = (torch.from_numpy(of_a_role & (VOCABULARY.roles == role)) for role in (Role.OWN, Role.GIVEN))
    table[given.to(table.device)] = table[own.to(table.device)]
    plain = table[VOCABULARY.task("continue")].clone()
    for task in TASKS:
        table[VOCABULARY.task(task)] = plain
