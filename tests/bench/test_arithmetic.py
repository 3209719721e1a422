"""What the bench makes of what it measured: ratios, percentiles, drifts, ways of keys. No time is taken here."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from bench import decode as decode_measurement
from bench.cli import MEASUREMENTS, main, parser
from bench.contestant import some_tokens
from bench.contestant_processes import ending_of
from bench.contestants import CONTESTANTS, FLOOR, OURS, Entry, is_peer
from bench.decode import Plan, Times, decode_line, rounds_of
from bench.floor import LEAST_BYTES, TIMES_THE_CACHE, larger_than_caches
from bench.keys import STAGES, figures, ways
from bench.lateness import dense_events, within_spans
from bench.long import Minute, TimedSession, drift
from bench.profile import by_operator
from bench.report import page
from bench.summary import spread_of
from bench.train import rates, waiting
from inference.onnx_session import Logits
from inference.rolling_context import RollingContext
from piano.events import NoteOff, NoteOn
from tests.support.cells import unfilled

MS = 1_000_000


def test_a_line_holds_ratios_to_ours_and_to_the_floor() -> None:
    line = decode_line(64, 4_000_000, {OURS: 0.2, "pianod fp32": 0.4, FLOOR: 0.1, "llama.cpp q8_0": 0.5}, 10.0)
    assert (line["past"], line["ms"], line["over_floor"]) == (64, 0.2, 2.0)
    assert line["peers_over_ours"] == {"llama.cpp q8_0": 2.5}, "neither the floor nor we are peers"
    assert line["floor_gb_per_s"] == pytest.approx(40)
    assert line["memory_floor_ms"] == pytest.approx(0.4)
    assert line["over_memory_floor"] == pytest.approx(0.5), "what lies in the cache may be quicker than the memory"
    assert FLOOR not in line["all_ms"]


def test_what_is_read_from_memory_fits_into_no_cache(tmp_path: Path) -> None:
    assert larger_than_caches(tmp_path) == LEAST_BYTES, "where nothing tells how large the caches are"
    for number, size in enumerate(("48K", "2048K", "96M")):
        (tmp_path / f"index{number}").mkdir()
        (tmp_path / f"index{number}" / "size").write_text(f"{size}\n")
    assert larger_than_caches(tmp_path) == TIMES_THE_CACHE * 96 * 2**20


def test_a_figure_is_the_median_of_all_rounds() -> None:
    times = Times()
    for round_ms in ([1.0, 9.0], [2.0], [3.0, 4.0]):
        times.add(("decode", 64), OURS, round_ms)
    assert times.medians(("decode", 64)) == {OURS: 3.0}
    assert times.medians(("decode", 512)) == {}


def test_rounds_end_when_time_is_up_but_one_is_always_taken() -> None:
    clock = iter(range(0, 1000, 100))
    assert list(rounds_of(Plan(rounds=9, seconds=75), lambda: float(next(clock)))) == [0, 1]
    assert list(rounds_of(Plan(rounds=2, seconds=75), lambda: 0.0)) == [0, 1, 2]


def test_percentiles_are_measured_times() -> None:
    spread = spread_of([float(value) for value in range(1, 1001)])
    assert (spread.count, spread.p50_ms, spread.p99_ms, spread.max_ms) == (1000, 501.0, 991.0, 1000.0)
    assert spread_of([]).count == 0


def test_the_way_of_a_key_is_put_together_from_the_moments_on_it() -> None:
    moments = {
        "came": [2 * MS, 102 * MS],
        "fed": [(3 * MS, 4 * MS), (6 * MS, 7 * MS), (103 * MS, 105 * MS)],
        "left": [5 * MS, 106 * MS],
    }
    first, second = ways([1 * MS, 101 * MS], [6 * MS, 108 * MS], moments)
    assert first.stages_ms() == dict(zip(STAGES, (1, 1, 1, 1, 1), strict=True)), "a feed after the answer is not on it"
    assert second.stages_ms() == dict(zip(STAGES, (1, 1, 2, 1, 2), strict=True))
    told = figures([first, second], 3)
    assert told["lost"] == 1
    assert sum(told["shares"].values()) == pytest.approx(1)
    assert told["key_to_note"].max_ms == 7


def test_a_key_that_never_came_back_has_no_way() -> None:
    moments = {"came": [1, 2], "fed": [], "left": [1, 2]}
    assert len(ways([0, 1], [None, 5], moments)) == 1


def test_what_was_due_within_an_exchange_or_just_after_is_at_it() -> None:
    spans = [(100 * MS, 102 * MS), (200 * MS, 201 * MS)]
    due = [99 * MS, 101 * MS, 106 * MS, 108 * MS, 203 * MS]
    assert within_spans(due, spans) == [False, True, True, False, True]
    assert within_spans(due, []) == [False] * 5


def test_dense_music_strikes_no_key_that_is_down() -> None:
    down: set[int] = set()
    events = dense_events(20.0)
    assert [at_ns for at_ns, _ in events] == sorted({at_ns for at_ns, _ in events})
    for _, event in events:
        if isinstance(event, NoteOn):
            assert event.pitch not in down
            down.add(event.pitch)
        elif isinstance(event, NoteOff):
            down.remove(event.pitch)


def test_drift_compares_the_last_quarter_with_the_second() -> None:
    lines = [Minute(9, ms, 9.0, mb) for ms, mb in ((9.0, 1.0), (2.0, 50.0), (3.0, 60.0), (3.0, 55.0))]
    assert drift(lines) == {"late_over_early": 1.5, "grown_mb": 5.0}
    assert drift(lines[:1]) == {"late_over_early": 1.0, "grown_mb": 0.0}
    silent = Minute(0, 0.0, 0.0, 1.0)
    assert drift([silent])["late_over_early"] == 1.0, "where nothing was measured, nothing drifts"
    halves = [line for pair in lines for line in (silent, pair)]
    assert drift(halves)["late_over_early"] == 1.5, "a minute in which nothing was measured counts for nothing"


class Full:
    """A window that is as full as it is told to be."""

    length, context, fill = 0, 64, 0.0

    def feed(self, tokens: Sequence[int]) -> Logits:
        return np.zeros(len(tokens), np.float32)


def test_only_tokens_alike_are_compared() -> None:
    window = Full()
    timed = TimedSession(cast("RollingContext", window))
    for fill, count in ((0.2, 1), (0.5, 1), (0.7, 1), (0.7, 2), (0.75, 1), (0.9, 1)):
        window.fill = fill
        timed.feed([0] * count)
    assert (timed.tokens, len(timed.times_ms)) == (5, 2)
    timed.begin_minute()
    assert (timed.tokens, len(timed.times_ms)) == (0, 0)


def test_rates_leave_the_first_two_steps_out() -> None:
    told = rates([99, 99, 2, 2], [99, 99, 4, 4], [50, 50, 0.2, 0.2], 1000)
    assert told == {"tokens_per_s": 500, "nano_tokens_per_s": 250, "over_nano": 2, "loader_share": pytest.approx(0.1)}


def test_each_batch_is_waited_for_once() -> None:
    waits: list[float] = []
    batches = waiting(iter([[], []]), waits)
    assert [next(batches), next(batches)] == [[], []]
    assert len(waits) == 2


def test_tokens_are_the_same_for_all_and_all_are_tokens() -> None:
    assert some_tokens(900, 574) == some_tokens(900, 574)
    assert all(0 <= token < 574 for token in some_tokens(900, 574))
    assert some_tokens(5, 574) == some_tokens(900, 574)[:5], "a longer past begins as a shorter one does"


def test_a_profile_is_summed_by_operator_over_the_last_runs() -> None:
    def node(name: str, operator: str, us: float) -> dict[str, object]:
        return {"cat": "Node", "name": f"{name}_kernel_time", "dur": us, "args": {"op_name": operator}}

    events = [node("a", "Add", 50), node("a", "Add", 1), node("b", "Add", 2), node("c", "MatMul", 9)]
    events += [{"cat": "Session", "name": "model_run", "dur": 99, "args": {}}]
    assert by_operator(events, 1) == [
        {"operator": "MatMul", "nodes": 1, "us": 9, "share": 0.75},
        {"operator": "Add", "nodes": 2, "us": 3, "share": 0.25},
    ]


def test_names_tell_peers_from_us() -> None:
    assert [entry.name for entry in CONTESTANTS if not is_peer(entry.name)] == [OURS, "pianod fp32"]


def test_what_has_to_be_compiled_takes_part_only_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for: list[Sequence[Entry]] = []

    def measure(_checkpoint: Path, _plan: Plan, entries: Sequence[Entry], **_: object) -> dict[str, Any]:
        asked_for.append(entries)
        return {}

    monkeypatch.setattr(decode_measurement, "measure", measure)
    for words in ([], ["--compiled"]):
        MEASUREMENTS["decode"][1](parser().parse_args(words))
    less, all_of_them = ({entry.name for entry in entries} for entries in asked_for)
    assert all_of_them - less == {"llama.cpp fp32", "llama.cpp q8_0"}


@pytest.mark.parametrize(
    ("code", "says"), [(1, "exit code 1"), (-9, "SIGKILL"), (-4, "SIGILL, an illegal instruction: it was built for")]
)
def test_how_a_process_ended_is_said_in_words(code: int, says: str) -> None:
    assert ending_of(code).startswith(says)


def test_the_page_is_made_of_json_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = decode_line(64, 4_000_000, {OURS: 0.2, FLOOR: 0.1, "peer": 0.5}, 10.0)
    about = {"versions": {"numpy": "2"}, "command": "bin/bench", "date": "2026-11-21", "machine": "a machine"}
    decode = {
        "kind": "decode",
        **about,
        "threads": 1,
        "shape": {"layers": 1, "width": 8, "context": 64},
        "decode": [line],
        "prefill": [{"tokens": 64, "ms": 2.0, "all_ms": {OURS: 2.0, "peer": 3.0}}],
        "feed": [{"tokens": 2, "past": 512, "ms": 2.0, "all_ms": {OURS: 2.0}}],
        "sampling_us": 20.0,
        "memory_gb_per_s": 10.0,
        "start_up_s": {OURS: 0.5},
        "memory_mb": {OURS: 90.0},
        "missing": {"another": "it is not installed"},
    }
    file, picture = tmp_path / "decode.json", tmp_path / "performance.png"
    file.write_text(json.dumps(decode))
    made = page([file], picture)
    text = unfilled(made)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "| peer | 0.500 (2.5 x) |" in text
    assert "| pianod over the floor | 2.00 x |" in text
    assert "| pianod over the floor from memory | 0.50 x |" in text
    assert "another 20 µs: 10 % at 64" in text
    assert "no prompt: 0.66 at 64 ms" in text
    assert "| another | cannot run: it is not installed |" in text
    assert main(["report", str(file), "--picture", str(picture)]) == 0
    assert capsys.readouterr().out == made


def test_without_a_name_tokens_are_measured() -> None:
    asked = parser().parse_args(["--quick", "--json", "figures.json"])
    assert (asked.name, asked.quick, asked.json) == (None, True, Path("figures.json"))
