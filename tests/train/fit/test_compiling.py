"""Which way of computing is kept: the faster one by a clock moved by hand; the plain one if there is no other."""

from collections.abc import Callable

import pytest
import torch

from train.fit.compiling import TIMED_STEPS, Compile, CompileChoice
from train.fit.ranks import Ranks
from train.model.gpt2 import GPT2


class Stage:
    """A model, a clock and a compiler that are told what to do."""

    def __init__(self, model: GPT2, monkeypatch: pytest.MonkeyPatch, *, fails: bool = False) -> None:
        self.model, self.now_s, self.fails = model, 0.0, fails
        self.said: list[str] = []
        self.taken: list[bool] = []
        self.forgotten = 0
        monkeypatch.setattr(torch, "compile", lambda function, **_: function)

    def choice(self, how: Compile) -> CompileChoice:
        return CompileChoice(self.model, how, Ranks(0, 1), lambda: self.now_s, self.said.append, self.forget)

    def forget(self) -> None:
        self.forgotten += 1

    def take(self, plain_s: float, compiled_s: float) -> Callable[[], float]:
        def step() -> float:
            is_compiled = self.model.compiled is not None
            if is_compiled and self.fails:
                raise RuntimeError("No working C++ compiler found\nand a long trace")
            self.now_s += compiled_s if is_compiled else plain_s
            self.now_s += 60.0 if is_compiled and True not in self.taken else 0.0
            self.taken.append(is_compiled)
            return 1.5

        return step


@pytest.mark.parametrize(("compiled_s", "said"), [(0.5, "compiled: a compiled"), (2.0, "not compiled: a compiled")])
def test_the_faster_one_is_kept(
    tiny_model: GPT2, monkeypatch: pytest.MonkeyPatch, compiled_s: float, said: str
) -> None:
    stage = Stage(tiny_model, monkeypatch)
    choice = stage.choice("auto")
    for _ in range(2 * TIMED_STEPS + 5):
        assert choice.step(stage.take(1.0, compiled_s)) == 1.5
    assert stage.taken[: TIMED_STEPS + 1] == [False] * (TIMED_STEPS + 1)
    assert stage.taken[TIMED_STEPS + 1 : 2 * TIMED_STEPS + 2] == [True] * (TIMED_STEPS + 1)
    assert set(stage.taken[2 * TIMED_STEPS + 2 :]) == {compiled_s < 1}
    (line,) = stage.said
    assert line.startswith(said)
    assert f"takes {compiled_s:.2f} of the time" in line


def test_what_cannot_be_compiled_is_taken_again_without(tiny_model: GPT2, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(tiny_model, monkeypatch, fails=True)
    choice = stage.choice("auto")
    for _ in range(TIMED_STEPS + 4):
        assert choice.step(stage.take(1.0, 1.0)) == 1.5
    assert stage.taken == [False] * (TIMED_STEPS + 4)
    assert stage.said == ["not compiled, since that failed (No working C++ compiler found)"]
    assert stage.forgotten == 1


@pytest.mark.parametrize("how", [True, False])
def test_what_is_asked_for_is_done(tiny_model: GPT2, monkeypatch: pytest.MonkeyPatch, how: bool) -> None:
    stage = Stage(tiny_model, monkeypatch)
    choice = stage.choice(how)
    for _ in range(3):
        choice.step(stage.take(1.0, 9.0))
    assert stage.taken == [how] * 3
    assert stage.said == []


def test_other_faults_are_no_matter_of_compiling(tiny_model: GPT2, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(tiny_model, monkeypatch, fails=True)
    with pytest.raises(RuntimeError, match="No working"):
        stage.choice(True).step(stage.take(1.0, 1.0))
