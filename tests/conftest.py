"""A small model and its bundle, for the tests of every package. No test keeps takes, unless it says where.

A run in which tests were skipped for want of a program of the system does not end as if all had passed.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from loguru import logger

from inference.trial import without_hold
from tests.support.programs import NOT_INSTALLED

if TYPE_CHECKING:
    from train.model.gpt2 import GPT2

os.environ["PIANOD_TAKES"] = ""  # also for the processes that tests start

TINY_CONTEXT = 64

NOT_RUN = 77
"""The exit code of a run that is fine but for tests that could not be run; bin/test knows it."""


def _not_run(config: pytest.Config) -> Counter[str]:
    """Return how many tests were skipped for each program that is not installed."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", ()) if reporter else ()
    reasons = [report.longrepr[2].removeprefix("Skipped: ") for report in skipped]
    return Counter(reason for reason in reasons if NOT_INSTALLED in reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List what was not run."""
    if not_run := _not_run(terminalreporter.config):
        terminalreporter.section("not run")
        for reason, count in sorted(not_run.items()):
            terminalreporter.line(f"{count} tests: {reason}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Say by the exit code too that something was not run."""
    if session.exitstatus == pytest.ExitCode.OK and _not_run(session.config):
        session.exitstatus = NOT_RUN


@pytest.fixture(autouse=True)
def _log_lines_go_to_a_stream_that_stays() -> Iterator[None]:
    """Where a test had log lines written may be closed after it: nothing is written there any more."""
    yield
    logger.remove()
    logger.add(sys.__stderr__ or os.devnull)


@pytest.fixture(autouse=True)
def _memory_is_held_for_a_test_alone() -> Iterator[None]:
    """A test that opens a model of a stranger's has this process held to its memory: the next one is not, nor the
    programs that it starts, such as a browser.
    """
    with without_hold():
        yield


@pytest.fixture(scope="session")
def tiny_model() -> "GPT2":
    """A GPT-2 of random weights, scaled so that its logits differ as a trained model's do."""
    import torch

    from piano.tokens.vocabulary import VOCABULARY
    from train.model.gpt2 import GPT2, GPT2Config

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
