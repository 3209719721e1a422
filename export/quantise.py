"""Eight-bit weights in blocks, as ONNX Runtime's MatMulNBits reads them."""

import numpy as np
from numpy.typing import NDArray

BLOCK_SIZES = (128, 64, 32, 16)
"""The blocks that MatMulNBits knows and that pay; the larger, the faster."""

MIDDLE = 128
"""The byte that stands for zero."""


def block_for(width: int, largest: int = BLOCK_SIZES[0]) -> int:
    """Return the largest block up to `largest` that divides a width, or 32 where none does (the rest is padded)."""
    if largest not in BLOCK_SIZES:
        raise ValueError(f"a block has {', '.join(map(str, BLOCK_SIZES))} weights, not {largest}")
    return next((block for block in BLOCK_SIZES if block <= largest and width % block == 0), 32)


def quantise(weight: NDArray[np.float32], block: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Round a matrix (out, in) to bytes (out, blocks, block) and one scale a block (out, blocks).

    Symmetric: a weight is scale * (byte - 128). The inverse, up to half a scale, is `dequantise`.
    """
    outputs, width = weight.shape
    blocks = -(-width // block)
    padded = np.zeros((outputs, blocks * block), np.float32)
    padded[:, :width] = weight
    grouped = padded.reshape(outputs, blocks, block)
    scales = np.abs(grouped).max(axis=2) / 127
    steps = np.rint(grouped / np.where(scales == 0, 1, scales)[:, :, None])
    return (steps + MIDDLE).astype(np.uint8), scales.astype(np.float32)


def dequantise(codes: NDArray[np.uint8], scales: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Return the matrix (out, in) that the bytes stand for, the padding cut off."""
    steps = codes.astype(np.float32) - MIDDLE
    return (steps * scales[:, :, None]).reshape(codes.shape[0], -1)[:, :width]
