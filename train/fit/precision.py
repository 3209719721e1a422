"""In which precision training computes: in 16 bits where the machine multiplies them, and nowhere else."""

import torch


def in_16_bits(asked: str, device: torch.device) -> bool:
    """Return whether products are computed in bfloat16; `asked` is a recipe's `precision`: bf16, fp32 or auto.

    A processor without instructions for it only pretends, and takes 2.6 times as long as in 32 bits.
    """
    if asked != "auto":
        return asked == "bf16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    features: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()  # older PyTorch cannot tell
    return any(bool(features.get(name)) for name in _MULTIPLY_IN_16_BITS)


_MULTIPLY_IN_16_BITS = ("avx512_bf16", "amx_bf16")
"""What torch calls the instructions of processors that multiply in bfloat16."""
