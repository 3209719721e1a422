"""docs/performance.md and its picture, made of the JSON files of the measurements: no figure is typed by hand."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.picture import draw
from bench.tables import describe

TITLES = {
    "decode": "One token",
    "profile": "Where a token's time goes",
    "keys": "From the key to the note",
    "lateness": "Notes on time",
    "long": "An hour of playing",
    "offline": "Music without waiting",
    "train": "Training",
    "prepare": "Preparing a corpus",
}

PREAMBLE = """# Performance

This page is made by `bin/bench report` from the figures that the commands below wrote; `bin/bench --help` lists them.
Everyone decodes the same weights; contestants run in turns, in processes of their own, and a figure is the median.

The *floor* is the time that it takes to read, once, the bytes that a token needs (the weights as they are stored, and
the keys and values so far) as fast as numpy reads an array of that size on as many threads, from wherever the last read
left it, which for the embedded sizes is the last cache. The *floor from memory* counts the same bytes at the rate of an
array that is too large for any cache. A model that stays in the cache from token to token may be quicker than that, so
that it does not tell what is left to gain; the floor does, and is what `over_floor` in the JSON means.
"""

CLOSING = """## What is not measured

No figure here was measured on a GPU. That CUDA and TensorRT are chosen where they are offered, with engines that are
kept, half precision on request and the cache on the device, is held by tests with stand-ins alone.

Real-time priority makes notes punctual while both cores work; it is used where the system grants it and never needed.
On Linux a line such as `@audio - rtprio 95` in a file under `/etc/security/limits.d` grants it to the group `audio`.
"""


def page(files: Sequence[Path], picture: Path) -> str:
    """Return the page, and draw its picture where there is a decode measurement among the files."""
    all_figures: list[dict[str, Any]] = [json.loads(file.read_text()) for file in files]
    lines = [PREAMBLE]
    decode = [figures for figures in all_figures if figures["kind"] == "decode"]
    if decode:
        draw(decode[0], picture)
        lines += [f"![Milliseconds a token by past length, pianod and its peers]({picture.name})", ""]
    for kind, title in TITLES.items():
        for figures in (figures for figures in all_figures if figures["kind"] == kind):
            lines += [f"## {title}", "", *describe(figures), ""]
    return "\n".join([*lines, CLOSING])
