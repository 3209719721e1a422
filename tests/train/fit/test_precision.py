"""In which precision training computes."""

import pytest
import torch

from train.fit.precision import in_16_bits

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ({"avx512_bf16": True}, True),
        ({"amx_bf16": True}, True),
        ({"avx512_vnni": True, "amx_bf16": False}, False),
        ({}, False),
    ],
)
def test_16_bits_where_the_processor_multiplies_them(
    monkeypatch: pytest.MonkeyPatch, features: dict[str, bool], *, expected: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features, raising=False)
    assert in_16_bits("auto", CPU) is expected


def test_a_recipe_settles_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    assert not in_16_bits("fp32", CPU)
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)
    assert in_16_bits("bf16", CPU)
