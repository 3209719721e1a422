"""docs/performance.md and its picture, made of the JSON files of the measurements.

No figure is typed by hand but the ratios of what was tried and left, which no command measures again.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.picture import draw_performance
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
    "trading": "Traded bars",
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

TRIED = """## What was tried for a token

Graphs in turns in one process, on one thread, low quantiles of many calls; other work ran on the machine, so that these
ratios show what is worth keeping and are not results. Onnxruntime 1.31.1, 2026-11-21.

| time against what is kept, at a past of | 64 | 512 | 991 |
| --- | ---: | ---: | ---: |
| attention as it was: its factor within the product, keys in tiles | 1.03 | 1.33 | 1.46 |
| SkipLayerNormalization for an addition and a normalisation | 1.05 | 1.04 | 1.05 |
| BiasGelu, or FastGelu with the bias | 1.01 | 1.01 | 1.01 |
| root-mean-square normalisation, the mean taken out of the weights | 0.98 | - | - |
| blocks of 256 weights | 0.99 | 0.99 | 1.01 |
| blocks of 64 weights | 1.09 | 1.06 | 1.05 |
| blocks of 32 weights | 1.16 | 1.11 | 1.09 |
| DynamicQuantizeMatMul for one token | 1.27 | 1.21 | 1.20 |

| attention alone against what is kept, at a past of | 64 | 512 | 991 |
| --- | ---: | ---: | ---: |
| keys and values in 8 bits, one scale, without tiles | 1.17 | 1.42 | 1.49 |
| keys and values in 8 bits, a scale a channel, without tiles | 1.28 | 1.59 | 1.68 |
| keys and values in 4 bits, one scale, in tiles | 1.46 | 2.02 | 2.11 |
| DecoderMaskedMultiHeadAttention | 1.40 | - | - |

A step after a pause takes longer than one right after another: 15 ms later 2 to 4 times as long, however the pause is
passed (asleep, or busy with something else), for weights and cache have to come from memory again. That is why a key,
which comes after a pause, waits for longer than two tokens of the table; and on a machine that is shared it moves by
half from hour to hour. What was done against it: the next window is prepared in idle moments, and a key's two tokens
go as two steps. Of 1,500 keys, four runs one behind the other, p50 and p99 are 3.9 and 6.7, 4.2 and 7.6 ms with both,
4.8 and 9.7 without the second, 5.5 and 12.8 without either. How far the machine moves it: 10,000 keys twenty minutes
before those of the table, with the same code, had 6.3 and 12.1. Huge pages for the cache gain 3 % and were not kept.

Products with weights in 4 bits take 0.97 of the time of 8 bits in blocks of 128, and 1.33 in blocks of 32, which they
would need. The arena, the memory pattern, flushing denormals, the level of optimisation and the parallel executor
change nothing that could be told from noise; no optimisation at all costs 1.4 times the time. A call of an empty
graph takes 3 µs, and Python with the copy of the logits 4 µs, 3 % of a token. What is left above the floor is above
all the arithmetic of the products with one row: 1.8 to 2.9 times the time of reading their weights, by their size.
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
        draw_performance(decode[0], picture)
        lines += [f"![Milliseconds a token by past length, pianod and its peers]({picture.name})", ""]
    for kind, title in TITLES.items():
        described = [line for figures in all_figures if figures["kind"] == kind for line in (*describe(figures), "")]
        lines += [f"## {title}", "", *described] if described else []
    return "\n".join([*lines, TRIED, CLOSING])
