"""Whether the layers are compiled: always, never, or as the first steps tell, which are timed both ways.

Compiling takes a C++ compiler, or Triton on a GPU, and pays on some processors and not on others. The steps that are
timed are steps of the run like any other.
"""

import statistics
from collections.abc import Callable, Iterator
from typing import Literal

import torch

from train.fit.ranks import Ranks
from train.model.gpt2 import GPT2

TIMED_STEPS = 3

Compile = bool | Literal["auto"]


class CompileChoice:
    """Takes the steps of a run and settles, on the way, how the model computes its layers while training.

    `forget` undoes what a step that failed has left: a step that cannot be compiled is taken again without.
    """

    def __init__(
        self,
        model: GPT2,
        how: Compile,
        ranks: Ranks,
        now_s: Callable[[], float],
        say: Callable[[str], None],
        forget: Callable[[], None],
    ) -> None:
        self.model, self.ranks, self.now_s, self.say, self.forget = model, ranks, now_s, say, forget
        self._plan = self._time_both() if how == "auto" else None
        self._took_s = 0.0
        if how is True:
            self._compile()
        elif self._plan:
            next(self._plan)

    def step(self, take: Callable[[], float]) -> float:
        """Take a step and return what it returns."""
        began_s = self.now_s()
        try:
            loss = take()
        except RuntimeError as fault:
            if self._plan is None or self.model.compiled is None:
                raise
            self._plan, self.model.compiled = None, None
            self.say(f"not compiled, since that failed ({str(fault).strip().splitlines()[0][:120]})")
            self.forget()
            return take()
        if self._plan is not None:
            self._took_s = self.now_s() - began_s
            if next(self._plan, "settled") == "settled":
                self._plan = None
        return loss

    def _compile(self) -> None:
        self.model.compiled = torch.compile(self.model.transformer.forward, dynamic=False)

    def _time_both(self) -> Iterator[str]:
        """Go on by one after each step; the first step of either kind starts something up and is not timed."""
        medians = []
        for is_compiled in (False, True):
            if is_compiled:
                self._compile()
            times_s = []
            for _ in range(TIMED_STEPS + 1):
                yield "timing"
                times_s.append(self._took_s)
            medians.append(statistics.median(times_s[1:]))
        plain, compiled = self.ranks.total(*medians)
        if plain <= compiled:
            self.model.compiled = None
        kept = "not compiled" if plain <= compiled else "compiled"
        self.say(f"{kept}: a compiled step takes {compiled / plain:.2f} of the time of one that is not")
