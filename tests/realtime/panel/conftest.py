"""Presets of the tests are the tests' own."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _presets_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIANOD_PRESETS", str(tmp_path / "presets.json"))
