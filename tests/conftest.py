"""A small model and its bundle, for the tests of every package. No test keeps takes, unless it says where."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from loguru import logger

if TYPE_CHECKING:
    from train.gpt2 import GPT2

os.environ["PIANOD_TAKES"] = ""  # also for the processes that tests start

TINY_CONTEXT = 64


@pytest.fixture(autouse=True)
def _log_lines_go_to_a_stream_that_stays() -> Iterator[None]:
    """Where a test had log lines written may be closed after it: nothing is written there any more."""
    yield
    logger.remove()
    logger.add(sys.__stderr__ or os.devnull)


@pytest.fixture(scope="session")
def tiny_model() -> "GPT2":
    """A GPT-2 of random weights, scaled so that its logits differ as a trained model's do."""
    import torch

    from piano.vocabulary import VOCABULARY
    from train.gpt2 import GPT2, GPT2Config

    torch.manual_seed(7)
    model = GPT2(GPT2Config(VOCABULARY.size, TINY_CONTEXT, layers=2, heads=2, width=48)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.15)
    return model


@pytest.fixture(scope="session")
def tiny_bundle(tiny_model: "GPT2", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a bundle of the tiny model in 8 bits; tests that damage it take a copy."""
    return _export(tiny_model, tmp_path_factory.mktemp("bundles") / "tiny", "int8")


@pytest.fixture(scope="session")
def tiny_exact_bundle(tiny_model: "GPT2", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a bundle of the tiny model in single precision."""
    return _export(tiny_model, tmp_path_factory.mktemp("bundles") / "exact", "fp32")


def _export(model: "GPT2", folder: Path, precision: str) -> Path:
    from export.exporter import ExportOptions, export_bundle
    from export.music import music_windows

    metadata = {"trained_on": [{"dataset": "made up", "licence": "CC0-1.0"}], "step": 3}
    windows = music_windows(None, length=TINY_CONTEXT, count=2)
    export_bundle(model, metadata, folder, windows, ExportOptions(precision))
    return folder
