"""Eight-bit blocks: what comes back is within half a step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.quantise import block_for, dequantise, quantise


@given(rows=st.integers(1, 5), width=st.integers(1, 70), block=st.sampled_from([16, 32]), seed=st.integers(0, 99))
def test_each_weight_comes_back_within_half_a_step(rows: int, width: int, block: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weight = (rng.standard_normal((rows, width)) * rng.choice([0, 1e-3, 1, 50], (rows, 1))).astype(np.float32)
    codes, scales = quantise(weight, block)
    assert codes.shape == (rows, -(-width // block), block)
    back = dequantise(codes, scales, width)
    steps = np.repeat(scales, block, axis=1)[:, :width]
    assert (np.abs(back - weight) <= steps * 0.5001 + 1e-9).all()


@pytest.mark.parametrize(
    ("width", "largest", "block"), [(256, 128, 128), (320, 128, 64), (48, 128, 16), (40, 128, 32), (256, 32, 32)]
)
def test_the_largest_block_that_divides_a_width(width: int, largest: int, block: int) -> None:
    assert block_for(width, largest) == block


def test_a_block_is_one_that_the_operator_knows() -> None:
    with pytest.raises(ValueError, match="128, 64, 32, 16 weights, not 100"):
        block_for(256, 100)
