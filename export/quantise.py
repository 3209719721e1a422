"""Weights in bytes, as ONNX Runtime reads them: in blocks (MatMulNBits) and in columns (DynamicQuantizeMatMul)."""

import numpy as np
from numpy.typing import NDArray

BLOCK_SIZES = (128, 64, 32, 16)
"""The blocks that MatMulNBits knows and that pay; the larger, the faster."""

LARGEST_OF_COLUMN = 63
"""The largest signed byte of a column: twice its product with 255 still fits into 16 bits."""

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


def quantise_columns(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round a matrix (out, in) to signed bytes (in, out) and one scale an output, (out,).

    From -63 to 63: processors that multiply bytes into 16 bits add two of the products there, and must not run over.
    """
    scales = np.abs(weight).max(axis=1) / LARGEST_OF_COLUMN
    steps = np.rint(weight / np.where(scales == 0, 1, scales)[:, None])
    return np.ascontiguousarray(steps.astype(np.int8).T), scales.astype(np.float32)


def dequantise(codes: NDArray[np.uint8], scales: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Return the matrix (out, in) that the bytes stand for, the padding cut off."""
    steps = codes.astype(np.float32) - MIDDLE
    return (steps * scales[:, :, None]).reshape(codes.shape[0], -1)[:, :width]
