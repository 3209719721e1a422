"""How a model goes on with what it has not met: two roles, tasks, and tokens that came to the vocabulary later."""

from dataclasses import asdict
from typing import Any

import torch

from piano.events import Role
from piano.tokens.vocabulary import TASKS, VOCABULARY, Kind
from train.model.gpt2 import GPT2, GPT2Config
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


@torch.no_grad()
def with_later_tokens(model: GPT2) -> GPT2:
    """Return the model with a row for each token of today's vocabulary; what it knew costs what it cost.

    A later style starts as the mean of all styles, which no one is asked to say. A cue starts as PAD, which is never
    said either, so that almost no probability goes to cues before they are learned.
    """
    config = model.config
    known = config.vocab_size
    if known == VOCABULARY.size:
        return model
    grown = GPT2(GPT2Config(**{**asdict(config), "vocab_size": VOCABULARY.size}))
    weights = {name: tensor for name, tensor in model.state_dict().items() if tensor.shape[0] != known}
    grown.load_state_dict(weights, strict=False)
    old, table = model.transformer.wte.weight, grown.transformer.wte.weight
    table[:known] = old
    table[known:] = old[VOCABULARY.pad]
    styles = torch.from_numpy(VOCABULARY.kinds == Kind.STYLE)
    later = styles & (torch.arange(VOCABULARY.size) >= known)
    table[later] = old[styles[:known]].mean(dim=0)
    return grown
