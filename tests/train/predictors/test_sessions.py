"""A checkpoint and a bundle as sessions: fed in one go, in pieces or after a rollback they answer as the model does."""

from pathlib import Path

import numpy as np
import pytest
import torch

from export.exporter import ExportOptions, export_bundle
from export.music import music_windows
from inference.bundle import Bundle
from inference.onnx_session import OnnxSession
from piano.session import Session
from train.model.gpt2 import GPT2
from train.predictors.torch_session import TorchSession

TOKENS = [1, 60, 200, 300, 90, 455, 12, 77, 301]


@pytest.fixture(params=["checkpoint", "bundle"])
def session(request: pytest.FixtureRequest, tiny_model: GPT2, tmp_path: Path) -> Session:
    if request.param == "checkpoint":
        return TorchSession(tiny_model)
    windows = music_windows(None, length=64, count=2)
    export_bundle(tiny_model, {"trained_on": []}, tmp_path / "bundle", windows, ExportOptions("fp32"))
    return OnnxSession(Bundle.load(tmp_path / "bundle"))


def test_a_session_answers_as_the_model(session: Session, tiny_model: GPT2) -> None:
    with torch.inference_mode():
        wanted = tiny_model(torch.tensor([TOKENS]))[0].numpy()
    np.testing.assert_allclose(session.feed(TOKENS[:4]), wanted[3], atol=2e-4)
    np.testing.assert_allclose(session.feed(TOKENS[4:5]), wanted[4], atol=2e-4)
    session.feed([5, 5, 5])
    session.rollback(5)
    np.testing.assert_allclose(session.feed(TOKENS[5:]), wanted[-1], atol=2e-4)
    assert session.length == len(TOKENS)
    session.reset()
    np.testing.assert_allclose(session.feed(TOKENS), wanted[-1], atol=2e-4)


def test_what_cannot_be_fed_changes_nothing(session: Session) -> None:
    session.feed(TOKENS)
    for tokens in ([], [-1], [10_000], [1] * session.context):
        with pytest.raises(ValueError, match="token"):
            session.feed(tokens)
    with pytest.raises(ValueError, match="rolls back"):
        session.rollback(len(TOKENS) + 1)
    assert session.length == len(TOKENS)
