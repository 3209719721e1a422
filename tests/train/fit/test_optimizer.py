"""Optimizers: which weights decay, which go to Muon, and the shape of the learning rate over a run."""

from collections.abc import Callable

import pytest
import torch

from train.fit.optimizer import build_optimizers, learning_rate_at, set_learning_rate
from train.model.gpt2 import GPT2
from train.recipe import Optimizer, Recipe


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_every_parameter_is_stepped_once(tiny_model: GPT2, name: str) -> None:
    optimizers = build_optimizers(tiny_model, Optimizer(name=name, weight_decay=0.1))
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    ids = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(ids) == sorted(id(parameter) for parameter in tiny_model.parameters())
    vectors = [parameter for group in groups if group["weight_decay"] == 0 for parameter in group["params"]]
    assert {id(parameter) for parameter in tiny_model.parameters() if parameter.ndim < 2} <= set(map(id, vectors))


def test_muon_takes_the_matrices_of_the_layers(tiny_model: GPT2) -> None:
    _, muon = build_optimizers(tiny_model, Optimizer(name="muon"))
    matrices = {id(parameter) for parameter in tiny_model.transformer.h.parameters() if parameter.ndim == 2}
    assert {id(parameter) for parameter in muon.param_groups[0]["params"]} == matrices


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_a_step_moves_every_weight(tiny_model: GPT2, name: str) -> None:
    before = [parameter.detach().clone() for parameter in tiny_model.parameters()]
    optimizers = build_optimizers(tiny_model, Optimizer(name=name))
    logits = tiny_model(torch.arange(40)[None])
    torch.autograd.backward(torch.nn.functional.cross_entropy(logits[0], torch.arange(1, 41)))
    for optimizer in optimizers:
        optimizer.step()
    assert all(not torch.equal(old, new.detach()) for old, new in zip(before, tiny_model.parameters(), strict=True))


def test_the_rate_warms_up_and_falls_to_its_final_share(make_recipe: Callable[..., Recipe]) -> None:
    recipe = make_recipe(
        optimizer={"learning_rate": 1.0, "warmup_steps": 4, "final_share": 0.1}, schedule={"steps": 20}
    )
    rates = [learning_rate_at(step, recipe) for step in range(21)]
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert rates[12] == pytest.approx(0.55)
    assert rates[20] == pytest.approx(0.1)


def test_a_schedule_shorter_than_the_warm_up_is_no_fault(make_recipe: Callable[..., Recipe]) -> None:
    recipe = make_recipe(optimizer={"warmup_steps": 50}, schedule={"steps": 3})
    rates = [learning_rate_at(step, recipe) for step in range(3)]
    assert rates == sorted(rates)


def test_a_rate_reaches_every_group(tiny_model: GPT2) -> None:
    optimizers = build_optimizers(tiny_model, Optimizer(name="muon"))
    set_learning_rate(optimizers, 0.125)
    assert {group["lr"] for optimizer in optimizers for group in optimizer.param_groups} == {0.125}


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_position_embeddings_may_have_a_share_of_the_rate(tiny_model: GPT2, name: str) -> None:
    optimizers = build_optimizers(tiny_model, Optimizer(name=name, position_share=0.25))
    set_learning_rate(optimizers, 0.5)
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    rates = {id(parameter): group["lr"] for group in groups for parameter in group["params"]}
    assert {rates.pop(id(tiny_model.transformer.wpe.weight))} == {0.125}
    assert set(rates.values()) == {0.5}
    assert len(rates) == len(list(tiny_model.parameters())) - 1
