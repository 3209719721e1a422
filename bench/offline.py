"""New music without waiting for it: notes a second for one file, for several, in a batch, and by the naive loop.

The naive loop is what decoding is without a cache: the whole context through the graph for each token.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from bench.collections import by_place, starts
from bench.contestant import some_tokens
from bench.machine import circumstances
from inference.batch_session import BatchSession
from inference.bundle import Bundle
from inference.onnx_session import OnnxSession
from piano.notes import Performance
from piano.session import RowUpdate
from realtime.engine.find_bundle import EMBEDDED_FOLDER, open_bundle
from realtime.engine.offline_run import OfflineRun
from realtime.engine.open_model import open_session
from realtime.files.continuation import NOTHING, PieceLength, go_on
from realtime.files.draw_pieces import partner_settings
from realtime.settings import Settings

ROWS = (1, 2, 4, 8, 16)
PAST = 256


def measure(
    seconds: float, files: int, steps: int, folder: Path = EMBEDDED_FOLDER, *, is_quick: bool = False
) -> dict[str, Any]:
    """Make so many seconds of music so many times, and `steps` tokens in batches; return the figures."""
    about = circumstances()
    one, *others = [_make(seconds, seed) for seed in tqdm(range(files), desc="files", unit="file")]
    bundle = Bundle.load(folder)
    naive_ms = naive_ms_per_token(OnnxSession(bundle, threads=1), max(4, steps // 8))
    notes, music_s, taken_s = (sum(run[place] for run in (one, *others)) for place in range(3))
    cached_ms = 1000 * taken_s / max(1.0, sum(run[3] for run in (one, *others)))
    return {
        "kind": "offline",
        **about,
        "one_file": {"notes_per_s": one[0] / one[2], "real_time_factor": one[1] / one[2]},
        "folder": {"files": files, "notes_per_s": notes / taken_s, "real_time_factor": music_s / taken_s},
        "naive": {
            "ms_per_token": naive_ms,
            "past": PAST,
            "real_time_factor": (music_s / taken_s) * cached_ms / naive_ms,
        },
        "ms_per_token": cached_ms,
        "places": by_place(*((4, 5.0, 1) if is_quick else (24, 20.0, 3))),
        "starts": starts(1 if is_quick else 5),
        "batch": [{"rows": rows, "tokens_per_s": batch_rate(bundle, rows, steps)} for rows in tqdm(ROWS, desc="rows")],
    }


def _make(seconds: float, seed: int) -> tuple[float, float, float, float]:
    """Make one piece; return its notes, its seconds of music, the seconds it took, and the tokens it took."""
    from inference.session_wrapper import MeteredSession

    settings = Settings(panel=False, takes=None)
    session, _ = open_session(open_bundle(settings), settings, spreads=False)
    metered = MeteredSession(session)
    primer: Performance = NOTHING
    run = OfflineRun(metered, partner_settings(settings, seed, is_new=True))
    before, began_s = metered.tokens, time.perf_counter()
    made = go_on(run, primer, PieceLength(seconds))
    taken_s = time.perf_counter() - began_s
    performance = made.performance
    return float(performance.notes.size), performance.end_s, taken_s, float(metered.tokens - before)


def naive_ms_per_token(session: OnnxSession, steps: int) -> float:
    """Return the milliseconds of a token where nothing is kept: all tokens so far are fed anew."""
    tokens = some_tokens(PAST, 500)

    def step() -> None:
        session.reset()
        session.feed(tokens)

    return 1000 * _seconds_of(step, steps)


def batch_rate(bundle: Bundle, rows: int, steps: int) -> float:
    """Return how many tokens a second so many streams get, side by side, one token each in a call."""
    streams = BatchSession(bundle, rows, threads=1)
    streams.feed({row: RowUpdate(0, some_tokens(PAST, 500)) for row in range(rows)})
    length = PAST

    def step() -> None:
        nonlocal length
        streams.feed({row: RowUpdate(length, [7 + row]) for row in range(rows)})
        length += 1

    return rows / _seconds_of(step, steps)


def _seconds_of(step: Callable[[], None], steps: int) -> float:
    """Return the median time of a step, the first left out."""
    step()
    taken = []
    for _ in range(steps):
        began_ns = time.perf_counter_ns()
        step()
        taken.append((time.perf_counter_ns() - began_ns) / 1e9)
    return float(np.median(taken))
