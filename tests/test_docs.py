"""What the documents for readers name is there: tests, programs, modules."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
NAME = re.compile(r"`([a-zA-Z_/.]+\.py)`")
PACKAGES = ("piano", "inference", "workers", "train", "export", "realtime", "bench", "tests", "examples", "docs")

MADE = {"run.py"}
"""What a command writes, here `train pack`."""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_of_ours_that_is_named_is_there(document: Path) -> None:
    files = {path.relative_to(ROOT).as_posix() for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    ends = {"/".join(path.split("/")[place:]) for path in files for place in range(path.count("/") + 1)}
    named = set(NAME.findall(document.read_text(encoding="utf-8"))) - MADE
    assert named <= ends, f"not there: {sorted(named - ends)}"
