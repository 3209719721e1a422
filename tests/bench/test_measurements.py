"""Each measurement runs once, as small as it can be; what is asserted is what was counted, never how long it took."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import scale
from bench.bench_model import cache_bytes, make_bundle, weight_bytes
from bench.contestant import BenchModel, CannotError
from bench.contestant_processes import contestants_of, end, start
from bench.contestants import CONTESTANTS, FLOOR, OURS, READER
from bench.decode import Plan, measure
from bench.keys import measure as measure_keys
from bench.lateness import measure as measure_lateness
from bench.long import measure as measure_long
from bench.offline import batch_rate, naive_ms_per_token
from bench.prepare import in_turns, made_up_files
from bench.prepare import measure as measure_prepare
from bench.tables import describe
from bench.train import measure as measure_train
from bench.worker import most_memory_mb, serve
from export.weights import weights_of
from inference.bundle import Bundle
from inference.onnx_session import OnnxSession
from realtime.engine.find_bundle import EMBEDDED_FOLDER
from train.model.checkpoint import save_checkpoint
from train.model.gpt2 import GPT2


@pytest.fixture(scope="module")
def checkpoint(tiny_model: GPT2, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny checkpoint."""
    folder = tmp_path_factory.mktemp("checkpoint") / "tiny"
    save_checkpoint(folder, tiny_model, {})
    return folder


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let contestants run in the environment of the tests, whatever environments of the bench there are."""
    import sys

    monkeypatch.setattr("bench.contestants.Entry.python", lambda *_: Path(sys.executable))


@pytest.mark.usefixtures("here")
def test_everyone_is_asked_everything_and_who_is_missing_is_named(checkpoint: Path) -> None:
    ours = next(entry for entry in CONTESTANTS if entry.name == OURS)
    stub = replace(ours, name="stub", module="tests.bench.stub_contestant", kind="Stub", converts=True)
    absent = replace(ours, name="nobody", module="bench.peers.nobody")
    falling = replace(stub, name="falling", kind="Falling")
    plan = Plan(rounds=2, steps=2, pasts=(8,), prefills=(4,), fed_after=16)
    written: list[dict[str, Any]] = []
    figures = measure(checkpoint, plan, [ours, stub, absent, falling], so_far=written.append)
    assert len(written) == 2
    assert set(written[0]) == set(written[1]) == set(figures)
    assert "SIGILL, an illegal instruction" in figures["missing"]["falling"]
    assert [line["past"] for line in figures["decode"]] == [8, 61]
    for line in figures["decode"]:
        assert line["ms"] > 0
        assert set(line["peers_over_ours"]) == {"stub"}
        assert line["over_floor"] == pytest.approx(line["ms"] / line["floor_ms"])
    assert set(figures["memory_mb"]) == set(figures["start_up_s"]) == {OURS, "stub"}
    assert "No module named" in figures["missing"]["nobody"]
    assert [line["all_ms"].keys() for line in figures["feed"]] == [{OURS}] * 4
    assert "stub (feed)" in figures["missing"]


@pytest.mark.usefixtures("here")
def test_a_bench_without_us_says_why(checkpoint: Path) -> None:
    ours = next(entry for entry in CONTESTANTS if entry.name == OURS)
    plan = Plan(rounds=1, steps=2, pasts=(8,), prefills=(4,), fed_after=16)
    with pytest.raises(CannotError, match=r"pianod does not start: .*No module named"):
        measure(checkpoint, plan, [replace(ours, module="bench.peers.nobody")])


@pytest.mark.usefixtures("here")
def test_a_contestant_says_what_it_cannot(checkpoint: Path, tmp_path: Path) -> None:
    member = start(READER, BenchModel(checkpoint, tmp_path, 2, "none"))
    try:
        assert member.ask("read", bytes=80_000) > 0
        with pytest.raises(CannotError, match="exit code"):
            member.ask("something else")
    finally:
        end(member)
    with contestants_of([replace(READER, kind="Nobody")], BenchModel(checkpoint, tmp_path, 1, "none")) as crew:
        assert "AttributeError" in crew.missing[FLOOR]


def test_a_worker_answers_a_line_for_a_line() -> None:
    class Loud:
        def decode(self, past: int, steps: int) -> list[float]:
            return [float(past)] * steps

        def feed(self, past: int, count: int) -> float:
            raise CannotError(f"not {count} after {past}")

    questions = [{"what": "decode", "past": 3, "steps": 2}, {"what": "feed", "past": 3, "count": 2}]
    answers: list[object] = []
    serve(Loud(), 10, io.StringIO("\n".join(map(json.dumps, questions))), answers.append)
    assert answers == [[3.0, 3.0], {"cannot": "not 2 after 3"}]
    assert most_memory_mb() > 1


def test_the_bytes_of_a_token_are_those_of_weights_and_cache(
    checkpoint: Path, tiny_model: GPT2, tmp_path: Path
) -> None:
    matter = BenchModel(checkpoint, tmp_path, 1, "fp32")
    shape = make_bundle(matter)
    weights = weights_of(tiny_model)
    positions = weights["wpe.weight"].nbytes
    read = weight_bytes(matter.bundle)
    parameters = sum(array.nbytes for array in weights.tensors.values()) - positions
    assert parameters <= read < parameters + 1000, "each matrix once, the head for the tied table"
    assert cache_bytes(shape, 9) == 2 * shape.layers * shape.width * 10 * 4


def test_keys_go_through_a_daemon_and_come_back() -> None:
    figures = measure_keys(3, guarded=False)
    assert (figures["keys"], figures["lost"], figures["key_to_note"].count) == (3, 0, 3)


def test_all_notes_of_dense_playing_go_out() -> None:
    figures = measure_lateness(0.3)
    assert figures["all"].count == int(0.3 * 84)
    assert figures["at_exchanges"].count + figures["elsewhere"].count == figures["all"].count


def test_minutes_of_music_are_played_in_fast_time() -> None:
    figures = measure_long(2, minute_s=1.0)
    assert len(figures["minutes"]) == 2
    assert figures["messages"] > 0
    assert sum(line.tokens for line in figures["minutes"]) > 5


def test_streams_in_a_batch_and_the_naive_loop() -> None:
    bundle = Bundle.load(EMBEDDED_FOLDER)
    assert batch_rate(bundle, 2, 1) > 0
    assert naive_ms_per_token(OnnxSession(bundle, threads=1), 1) > 0


def test_both_trainers_step(tmp_path: Path) -> None:
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(
        "[model]\nlayers = 1\nheads = 2\nwidth = 32\ncontext = 64\n[batches]\ntokens = 128\nworkers = 0\n"
        "[schedule]\nsteps = 9\n"
    )
    figures = measure_train(1, recipe)
    assert figures["over_nano"] == pytest.approx(figures["tokens_per_s"] / figures["nano_tokens_per_s"])
    assert 0 <= figures["loader_share"] < 1


def test_files_are_prepared_with_or_without_miditok(tmp_path: Path) -> None:
    made_up_files(tmp_path / "midi", 2)
    figures = measure_prepare(2, tmp_path / "midi")
    assert figures["files"] == 2
    assert ("MidiTok" in figures["files_per_s"]) != ("MidiTok" in figures["missing"])
    seen: list[str] = []
    in_turns({"a": lambda: seen.append("a"), "b": lambda: seen.append("b")}, 2)
    assert seen == ["b", "a", "a", "b"]


def test_the_cost_of_many_files_and_of_a_cluster_is_measured() -> None:
    figures = scale.measure((10,), (4, 12), (64, 128))
    assert {(row["work"], row["files"]) for row in figures["rows"]} == {(work, 10) for work in scale.WORKS}
    assert [row["place"] for row in figures["overhead"]] == ["--jobs 2", "local:2"]
    assert [row["files"] for row in figures["graphs"]] == [64, 128]
    assert "empty files" in "\n".join(describe(figures))
