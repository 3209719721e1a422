"""Eight-bit blocks: what comes back is within half a step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.quantise import LARGEST_OF_COLUMN, block_for, dequantise, quantise, quantise_columns


@given(rows=st.integers(1, 5), width=st.integers(1, 70), block=st.sampled_from([16, 32]), seed=st.integers(0, 99))
def test_each_weight_comes_back_within_half_a_step(rows: int, width: int, block: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weight = (rng.standard_normal((rows, width)) * rng.choice([0, 1e-3, 1, 50], (rows, 1))).astype(np.float32)
    codes, scales = quantise(weight, block)
    assert codes.shape == (rows, -(-width // block), block)
    back = dequantise(codes, scales, width)
    steps = np.repeat(scales, block, axis=1)[:, :width]
    assert (np.abs(back - weight) <= steps * 0.5001 + 1e-9).all()


@given(rows=st.integers(1, 5), width=st.integers(1, 70), seed=st.integers(0, 99))
def test_columns_come_back_and_two_products_with_a_byte_fit_into_16_bits(rows: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weight = (rng.standard_normal((rows, width)) * rng.choice([0, 1e-3, 1, 50], (rows, 1))).astype(np.float32)
    columns, scales = quantise_columns(weight)
    assert columns.dtype == np.int8
    assert columns.shape == (width, rows)
    assert scales.shape == (rows,)
    assert (np.abs(columns.T * scales[:, None] - weight) <= scales[:, None] * 0.5001 + 1e-9).all()
    assert 2 * 255 * int(np.abs(columns.astype(int)).max()) < 2**15
    assert np.abs(columns).max() == (LARGEST_OF_COLUMN if weight.any() else 0)


@pytest.mark.parametrize(
    ("width", "largest", "block"), [(256, 128, 128), (320, 128, 64), (48, 128, 16), (40, 128, 32), (256, 32, 32)]
)
def test_the_largest_block_that_divides_a_width(width: int, largest: int, block: int) -> None:
    assert block_for(width, largest) == block


def test_a_block_is_one_that_the_operator_knows() -> None:
    with pytest.raises(ValueError, match="128, 64, 32, 16 weights, not 100"):
        block_for(256, 100)
