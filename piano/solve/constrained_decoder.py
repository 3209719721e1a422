"""The one decoder: tokens are drawn from a model within what may come, live, in a loop, on files and in the study.

Whoever plays has a stream that says what may come next (`options`) and what becomes of a token (`take`):
`piano.solve.live_stream` live, in a loop and in the study of sampling, `piano.solve.exercise_stream` on files. What
lies between stands here, once:

    options -> logits of what follows -> memory and guards -> what else is known of the music -> a draw -> take

Waits, hold limits and masks are in `piano.solve.limits`, guards and memory in `piano.sampling.logit_guards`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from piano.sampling.logit_guards import LogitGuards
from piano.sampling.memory import Memory
from piano.sampling.sampler import Sampler, SamplingSettings
from piano.session import Logits
from piano.solve.limits import Options


class ConstrainedDecoder(ABC):
    """A stream from which tokens are drawn. Plain state of one owner.

    `sampling` is what the logits go through before a token is drawn; none of it if not given. `memory` is what was
    played before, in other streams, and takes what is played in this one; one of its own if not given.
    """

    def __init__(self, sampling: SamplingSettings | None = None, memory: Memory | None = None) -> None:
        self._sampling = sampling or SamplingSettings()
        self._guards = LogitGuards(memory)
        self._options, self._drawn_from = Options(np.zeros(0, np.bool_)), np.zeros(0, np.float32)

    @abstractmethod
    def options(self) -> Options | None:
        """Return what may be drawn now; None if nothing may: it waits to be fed, or there is nothing more to draw."""

    @abstractmethod
    def take(self, token: int) -> None:
        """Take a token that was drawn from the options last offered."""

    @property
    def logits(self) -> Logits:
        """Return the logits of the options last offered, (vocab,), through the guards and with what else is known.

        RuntimeError where none were.
        """
        if not self._drawn_from.size:
            raise RuntimeError("no options have been offered: the stream is due to be fed, or done")
        return self._drawn_from

    def draw(self, sampler: Sampler) -> None:
        """Draw token after token, until nothing may be drawn."""
        while self.draw_one(sampler):
            pass

    def draw_one(self, sampler: Sampler) -> bool:
        """Draw a token and take it; return False if nothing may be drawn."""
        options = self.options()
        if options is not None:
            self.take(sampler.draw(self.logits, options.allowed))
        return options is not None

    def log_probability(self, token: int) -> float:
        """Return how probable a token is among the options last offered, in nats; what comes to the same is one."""
        logits, options = self.logits, self._options
        same = next((mask for mask in (options.lets_come, options.presses) if mask[token]), None)
        return (float(logits[token]) if same is None else _log_sum(logits[same])) - _log_sum(logits[options.allowed])

    def _offer(
        self,
        options: Options,
        logits: Logits,
        step: int,
        pressed: Mapping[int, int] | None,
        under_pedal: int = 0,
        *,
        bias: Logits | None = None,
        notes_per_s: float | None = None,
        chooses_keys: bool = True,
        recalls_when: bool = True,
    ) -> Options:
        """Offer options at a step, with the logits of what follows, (vocab,); return them.

        `bias` is what else is known of the music, in nats for each token. All else is as for `LogitGuards.adjust`.
        """
        guarded = self._guards.adjust(
            logits,
            options.allowed,
            self._sampling,
            step,
            pressed,
            under_pedal,
            notes_per_s=notes_per_s,
            chooses_keys=chooses_keys,
            recalls_when=recalls_when,
        )
        self._options, self._drawn_from = options, guarded if bias is None else guarded + bias
        return options

    def _remember(self, length: int, tokens: Iterable[int]) -> None:
        """Have the memory hold some tokens after the first `length` of those that it holds."""
        self._guards.memory.rollback(length)
        self._guards.memory.extend(tokens)


def _log_sum(logits: NDArray[np.float32]) -> float:
    peak = float(logits.max())
    return peak + float(np.log(np.exp(logits.astype(np.float64) - peak).sum()))
