"""The session of an exported model: portions and rollbacks make no difference, misuse is refused."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loguru import logger

from inference.bundle import Bundle
from inference.graph_runner import PROMPT_TOKENS
from inference.manifest import FUSED, PROMPT
from inference.onnx_session import OnnxSession
from inference.rolling_context import RollingContext
from piano.errors import BundleError
from piano.tokens.vocabulary import VOCABULARY
from tests.support.scripted_session import FORCED_LOGIT, ScriptedSession

if TYPE_CHECKING:
    from train.model.gpt2 import GPT2

EXACT = 2e-4
"""Of logits in single precision, whose size is about 10."""

ROUNDED = 0.5
"""Of logits with 8-bit weights, between one portioning and another: the products round their inputs."""


@pytest.fixture(scope="module")
def exact(tiny_exact_bundle: Path) -> OnnxSession:
    return OnnxSession(Bundle.load(tiny_exact_bundle))


@pytest.fixture(scope="module")
def rounded(tiny_bundle: Path) -> OnnxSession:
    return OnnxSession(Bundle.load(tiny_bundle))


def some_tokens(count: int, seed: int = 0) -> list[int]:
    tokens: list[int] = np.random.default_rng(seed).integers(0, VOCABULARY.size, count).tolist()
    return tokens


def test_logits_are_those_of_torch(exact: OnnxSession, rounded: OnnxSession, tiny_model: "GPT2") -> None:
    from export.verify import torch_logits

    tokens = some_tokens(64)
    wanted = torch_logits(tiny_model, np.array(tokens))
    assert np.abs(wanted).max() > 3
    for session, tolerance in ((exact, EXACT), (rounded, 4 * ROUNDED)):
        session.reset()
        np.testing.assert_allclose(session.feed_each(tokens), wanted, atol=tolerance)
        session.reset()
        np.testing.assert_allclose(session.feed(tokens), wanted[-1], atol=tolerance)
        assert session.length == session.context == 64


portions = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 6)), min_size=1, max_size=8)


@given(portions, st.integers(0, 9))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_portions_and_rollbacks_make_no_difference(
    exact: OnnxSession, rounded: OnnxSession, plan: list[tuple[int, int]], seed: int
) -> None:
    for session, tolerance in ((exact, EXACT), (rounded, ROUNDED)):
        session.reset()
        fed: list[int] = []
        tokens = iter(some_tokens(72, seed))
        logits = np.zeros(0, np.float32)
        for count, back in plan:
            portion = [next(tokens) for _ in range(min(count, session.context - len(fed)))]
            if not portion:
                break
            logits = session.feed(portion)
            fed += portion
            if back and len(fed) > back:
                session.rollback(len(fed) - back)
                again = fed[-back:]
                logits = session.feed(again)
        assert session.length == len(fed)
        session.reset()
        np.testing.assert_allclose(logits, session.feed(fed), atol=tolerance)


def test_a_prefill_longer_than_a_chunk(exact: OnnxSession, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = some_tokens(50)
    exact.reset()
    whole = exact.feed(tokens)
    monkeypatch.setattr("inference.onnx_session.PREFILL_CHUNK", 16)
    for count in (48, 49, 50):
        exact.reset()
        exact.feed(tokens[:count])
        assert exact.length == count
    np.testing.assert_allclose(exact.feed_each(tokens[:14])[0].shape, (VOCABULARY.size,))
    exact.reset()
    np.testing.assert_allclose(exact.feed(tokens), whole, atol=EXACT)


def test_logits_are_the_callers_own(exact: OnnxSession) -> None:
    exact.reset()
    first = exact.feed([1])
    kept = first.copy()
    exact.feed([2])
    np.testing.assert_array_equal(first, kept)


def test_prompts_have_a_graph_of_their_own_that_writes_the_same_cache(rounded: OnnxSession) -> None:
    tokens = some_tokens(PROMPT_TOKENS + 9)
    prompt, rest = tokens[:PROMPT_TOKENS], tokens[PROMPT_TOKENS:]
    rounded.reset()
    for token in prompt:
        rounded.feed([token])
    wanted = [rounded.feed([token]) for token in rest]
    rounded.reset()
    rounded.feed(prompt)
    for token, logits in zip(rest, wanted, strict=True):
        np.testing.assert_allclose(rounded.feed([token]), logits, atol=4 * ROUNDED)


def test_a_bundle_without_a_graph_for_prompts_plays(tiny_bundle: Path) -> None:
    bundle = Bundle.load(tiny_bundle)
    manifest = replace(bundle.manifest, graphs=bundle.manifest.graphs[:1])
    assert [graph.kind for graph in bundle.manifest.graphs] == [FUSED, PROMPT]
    with_it, without = (OnnxSession(replace(bundle, manifest=each)) for each in (bundle.manifest, manifest))
    wanted = without.feed(some_tokens(50))
    logits = with_it.feed(some_tokens(50))
    assert not np.array_equal(logits, wanted)
    np.testing.assert_allclose(logits, wanted, atol=4 * ROUNDED)


def test_a_twin_has_a_cache_of_its_own(exact: OnnxSession) -> None:
    tokens = some_tokens(20)
    exact.reset()
    exact.feed(tokens[:19])
    twin = exact.twin()
    twin.feed(some_tokens(30, seed=5))
    logits = exact.feed(tokens[19:])
    exact.reset()
    np.testing.assert_allclose(exact.feed(tokens), logits, atol=EXACT)
    assert twin.length == 30


def test_an_endless_stream_over_two_twins(exact: OnnxSession) -> None:
    exact.reset()
    stream = some_tokens(200)
    session = RollingContext(exact, exact.twin(), chunk=5)
    singly = [session.feed([token]) for token in stream]
    assert session.exchanges > 3
    session.reset()
    np.testing.assert_allclose(session.feed(stream), singly[-1], atol=EXACT)
    session.rollback(120)
    np.testing.assert_allclose(session.feed(stream[120:150]), singly[149], atol=EXACT)


@pytest.fixture(params=["onnx", "scripted"])
def session(request: pytest.FixtureRequest, exact: OnnxSession) -> OnnxSession | ScriptedSession:
    exact.reset()
    return exact if request.param == "onnx" else ScriptedSession(VOCABULARY.size, 64)


def test_misuse_is_refused_with_the_numbers_and_changes_nothing(session: OnnxSession | ScriptedSession) -> None:
    session.feed(some_tokens(60))
    misuse: tuple[tuple[Sequence[int], str], ...] = (
        ([], "at least 1 token, not 0"),
        ([1] * 5, "5 more tokens after 60 exceed the context of 64"),
        ([-1], f"0 to {VOCABULARY.size - 1}, not -1"),
        ([0, VOCABULARY.size], f"0 to {VOCABULARY.size - 1}, not {VOCABULARY.size}"),
    )
    for tokens, message in misuse:
        with pytest.raises(ValueError, match=message):
            session.feed(tokens)
    for length in (-1, 61):
        with pytest.raises(ValueError, match=f"60 tokens rolls back to 0 to 60, not {length}"):
            session.rollback(length)
    assert session.length == 60


def test_a_script_is_followed_and_the_rest_is_a_function_of_the_history() -> None:
    session = ScriptedSession(10, script={2: 7})
    plain = session.feed([1])
    assert session.feed([4])[7] == FORCED_LOGIT
    session.rollback(0)
    np.testing.assert_array_equal(session.feed([1]), plain)
    assert not np.array_equal(session.feed([2, 3]), plain)
    by_history = ScriptedSession(10, script=lambda tokens: 3 if tokens[-1] == 1 else None)
    assert by_history.feed([5, 1]).argmax() == 3
    short = ScriptedSession(10, horizon=1)
    np.testing.assert_array_equal(short.feed([1, 2]), short.feed([4, 2]))


def test_the_provider_is_the_one_in_use(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    bundle = Bundle.load(tiny_bundle)
    sink = logger.add(lambda message: said.append(message.record["message"]), level="WARNING")
    try:
        assert OnnxSession(bundle, provider="cuda").provider == "CPUExecutionProvider"
        assert said == ["CUDAExecutionProvider is not part of this ONNX Runtime: the model runs on the CPU"]
        both = ["CUDAExecutionProvider", "CPUExecutionProvider"]
        monkeypatch.setattr("onnxruntime.get_available_providers", lambda: both)
        assert OnnxSession(bundle, threads=2, spinning=False).provider == "CPUExecutionProvider"
        assert said[1:] == ["CUDAExecutionProvider needs a bundle exported with --portable: the model runs on the CPU"]
    finally:
        logger.remove(sink)
    with pytest.raises(ValueError, match="auto, tensorrt, cuda, cpu; not 'tpu'"):
        OnnxSession(bundle, provider="tpu")
    with pytest.raises(ValueError, match="or more, not -1"):
        OnnxSession(bundle, threads=-1)


def test_a_graph_that_is_not_what_the_manifest_says_is_refused(tiny_bundle: Path) -> None:
    bundle = Bundle.load(tiny_bundle)
    for change, message in (
        ({"context": 63}, "past_key_0 is .* where the manifest has"),
        ({"layers": 1}, "inputs and outputs are not those of the manifest"),
    ):
        shape = replace(bundle.manifest.shape, **change)
        with pytest.raises(BundleError, match=message):
            OnnxSession(replace(bundle, manifest=replace(bundle.manifest, shape=shape)))
    with pytest.raises(BundleError, match=r"model\.onnx: ONNX Runtime cannot load it"):
        OnnxSession(replace(bundle, files={"model.onnx": b"no model"}))
