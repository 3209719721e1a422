"""Hold an exported bundle against the PyTorch model it was made from, through the session that will play it.

Tolerances: in single precision a logit may differ by a thousandth of the largest one. With 8-bit weights the products
round their inputs too, so what is bounded is what it costs: the divergence from the model's distribution, in nats a
token. How the tokens are portioned (singly, in chunks, after a rollback) must matter less than that in either.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from export.music import note_count
from inference.onnx_session import Logits, OnnxSession
from piano.errors import BundleError
from piano.tokens.encoding import TokenArray
from train.model.gpt2 import GPT2

RELATIVE_ERROR = 1e-3
"""Of a logit in single precision, against the largest logit."""

LARGEST_DIVERGENCE_NATS = 0.02
"""Of 8-bit weights, in the mean over the tokens; a good export has a tenth of it."""

CHUNKS = (1, 5, 1, 17, 64, 2)
"""How many tokens are fed at a time, in turn, to prove that it makes no difference."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found: differences from PyTorch's logits, and bits per note of both on the same music."""

    verified_tokens: int
    largest_logit_error: float
    divergence_nats_per_token: float
    portioning_logit_error: float
    portioning_divergence_nats_per_token: float
    torch_bits_per_note: float
    export_bits_per_note: float

    @property
    def change_percent(self) -> float:
        """Return by how much the export needs more bits for a note; 0 where no notes were seen."""
        return 100 * (self.export_bits_per_note / self.torch_bits_per_note - 1) if self.torch_bits_per_note else 0.0

    def figures(self) -> dict[str, float]:
        """Return the figures as they go into a manifest."""
        return {**asdict(self), "bits_per_note_change_percent": self.change_percent}


def verify(session: OnnxSession, model: GPT2, windows: Sequence[TokenArray], *, precision: str) -> Verification:
    """Compare over windows of tokens; BundleError if the export is not the model within the tolerance."""
    scale, error, portion_error = 0.0, 0.0, 0.0
    divergence, portion_divergence, torch_bits, export_bits = 0.0, 0.0, 0.0, 0.0
    tokens, notes = 0, 0
    for window in windows:
        wanted = torch_logits(model, window)
        session.reset()
        found = session.feed_each(window.tolist())
        places, portioned = _portioned(session, window)
        tokens, notes = tokens + window.size, notes + note_count(window[1:])
        scale = max(scale, float(np.abs(wanted).max()))
        error = max(error, float(np.abs(found - wanted).max()))
        portion_error = max(portion_error, float(np.abs(portioned - found[places]).max()))
        divergence += float(_divergence(wanted, found).sum())
        portion_divergence += float(_divergence(found[places], portioned).mean()) * window.size
        torch_bits += _bits(wanted, window)
        export_bits += _bits(found, window)
    result = Verification(
        verified_tokens=tokens,
        largest_logit_error=error,
        divergence_nats_per_token=divergence / tokens,
        portioning_logit_error=portion_error,
        portioning_divergence_nats_per_token=portion_divergence / tokens,
        torch_bits_per_note=torch_bits / max(notes, 1),
        export_bits_per_note=export_bits / max(notes, 1),
    )
    _judge(result, precision, scale)
    return result


def torch_logits(model: GPT2, tokens: TokenArray) -> Logits:
    """Return PyTorch's logits after each token, shape (tokens, vocabulary)."""
    training = model.training
    model.eval()
    with torch.inference_mode():
        logits: Logits = model(torch.from_numpy(tokens.astype(np.int64))[None])[0].float().numpy()
    model.train(training)
    return logits


def _judge(result: Verification, precision: str, scale: float) -> None:
    if precision == "fp32":
        worst, allowed = max(result.largest_logit_error, result.portioning_logit_error), RELATIVE_ERROR * scale
        what = "a logit"
    else:
        worst = max(result.divergence_nats_per_token, result.portioning_divergence_nats_per_token)
        allowed, what = LARGEST_DIVERGENCE_NATS, "the distribution of the next token"
    if not worst <= allowed:  # a comparison that NaN fails too
        raise BundleError(
            f"the exported model is not the checkpoint's: {what} is off by {worst:.3g} where {allowed:.3g} is allowed. "
            "Export with --precision fp32, or with a smaller --block; nothing was written."
        )


def _portioned(session: OnnxSession, window: TokenArray) -> tuple[list[int], Logits]:
    """Feed a window in portions with detours that are rolled back; return (places, the logits after each of them)."""
    session.reset()
    places: list[int] = []
    logits: list[Logits] = []
    turn = 0
    while session.length < window.size:
        start = session.length
        detour = window[::-1][: min(turn % 4, session.context - start)].tolist()
        if detour:
            session.feed(detour)
            session.rollback(start)
        logits.append(session.feed(window[start : start + CHUNKS[turn % len(CHUNKS)]].tolist()))
        places.append(session.length - 1)
        turn += 1
    return places, np.stack(logits)


def _log_softmax(logits: Logits) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    result: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result


def _divergence(wanted: Logits, found: Logits) -> NDArray[np.float64]:
    """Return Kullback and Leibler's divergence of each row, in nats."""
    log_p, log_q = _log_softmax(wanted), _log_softmax(found)
    result: NDArray[np.float64] = (np.exp(log_p) * (log_p - log_q)).sum(axis=1)
    return result


def _bits(logits: Logits, window: TokenArray) -> float:
    """Return the bits that the logits need for the tokens after the first."""
    rows = np.arange(window.size - 1)
    return float(-_log_softmax(logits)[rows, window[1:]].sum() / np.log(2))
