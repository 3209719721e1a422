"""What the fuzzers found, and what they begin with, replayed with every run of the tests; without a fuzzer."""

from importlib import import_module
from typing import Any

import pytest

from tests.fuzz.drive import FINDINGS

TARGETS = ("midi_file", "bundle", "configuration", "control", "presets", "frames", "journal", "tables")


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_found_is_mended(name: str) -> None:
    target: Any = import_module(f"tests.fuzz.{name}")
    findings = [path.read_bytes() for path in sorted((FINDINGS / name).glob("*"))]
    for data in (*target.seeds(), *findings, b"", b"\xff" * 100):
        target.check(data)
