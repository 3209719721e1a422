"""Where a token's time goes, by ONNX Runtime's own profile: per operator, its nodes and its share.

Profiling adds some two microseconds to each node; the shares point at what is slow, the sums are no measurement.
"""

import json
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import onnxruntime as ort

from bench.contestant import some_tokens
from bench.machine import circumstances
from inference.bundle import Bundle
from inference.graph_runner import load_runner
from inference.onnx_session import OnnxSession
from realtime.engine.find_bundle import EMBEDDED_FOLDER

PASTS = (64, 512, 1000)
STEPS = 300


def measure(steps: int = STEPS, folder: Path = EMBEDDED_FOLDER) -> dict[str, Any]:
    """Profile steps at several past lengths; return each operator's nodes, microseconds and share."""
    bundle = Bundle.load(folder)
    about = circumstances()
    lines = [{"past": past, "operators": _profile(bundle, past, steps)} for past in PASTS]
    return {"kind": "profile", **about, "profile": lines}


def _profile(bundle: Bundle, past: int, steps: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="pianod-bench-") as folder:
        usual = ort.SessionOptions

        def profiling() -> Any:
            options = usual()
            options.enable_profiling = True
            options.profile_file_prefix = str(Path(folder) / "profile")
            return options

        ort.SessionOptions = profiling
        try:
            runner = load_runner(bundle, provider="cpu", threads=1)
        finally:
            ort.SessionOptions = usual
        session = OnnxSession(bundle, runner=runner)
        past = min(past, session.context - 1)
        session.feed(some_tokens(past, 500))
        for _ in range(steps):
            session.feed([7])
            session.rollback(past)
        events = json.loads(Path(runner.session.end_profiling()).read_text())
    return by_operator(events, steps)


def by_operator(events: Iterable[Mapping[str, Any]], steps: int) -> list[dict[str, Any]]:
    """Sum the median times of nodes by operator, the last `steps` runs of each; the slowest operator first."""
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            times[event["args"]["op_name"], event["name"]].append(event["dur"])
    nodes: dict[str, int] = defaultdict(int)
    spent_us: dict[str, float] = defaultdict(float)
    for (operator, _), durations in times.items():
        nodes[operator] += 1
        spent_us[operator] += statistics.median(durations[-steps:])
    whole = sum(spent_us.values()) or 1.0
    ranked = sorted(spent_us, key=lambda operator: -spent_us[operator])
    return [
        {"operator": name, "nodes": nodes[name], "us": spent_us[name], "share": spent_us[name] / whole}
        for name in ranked
    ]
