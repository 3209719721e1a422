"""Where a run stands between its beginning and its end: by its steps, or by the clock."""

from collections.abc import Callable

from train.fit.optimizer import learning_rate, learning_rate_at
from train.fit.ranks import Ranks
from train.fit.run_state import RunProgress
from train.recipe import Recipe

_LONGEST_WARM_UP = 0.1
"""By the clock a warm-up ends with its steps, but lasts at most this share of the time that is left after the first."""


class Course:
    """Learning rate, length of windows, validations and the end, as functions of the progress.

    By the clock they follow the share of the time that has passed, summed over the parts of a run that was interrupted.
    The last validation is part of the time: room is kept for as long as the longest one took. All processes go by the
    clock of the first.
    """

    def __init__(self, recipe: Recipe, progress: RunProgress, ranks: Ranks, now_s: Callable[[], float]) -> None:
        """`now_s` is any clock that only runs forward, in seconds; the time begins to count here."""
        self.recipe, self.progress, self.ranks, self.now_s = recipe, progress, ranks, now_s
        self._resumed_s = now_s() - progress.elapsed_s
        self._judged = self.done

    def tick(self, *, stop: bool = False) -> bool:
        """Take the time after a step or a validation; return whether any of the processes was told to stop."""
        progress = self.progress
        mine = (self.now_s() - self._resumed_s, progress.validation_s) if self.ranks.is_first else (0.0, 0.0)
        progress.elapsed_s, progress.validation_s, stops = self.ranks.total(*mine, float(stop))
        if progress.step and not progress.first_step_s:
            progress.first_step_s = progress.elapsed_s
        if self.long_from() is None and self.done >= self.recipe.batches.short_share:
            progress.long_from = progress.step
        return stops > 0

    @property
    def done(self) -> float:
        """Return the share of the run that is over, 0 to 1."""
        schedule, progress = self.recipe.schedule, self.progress
        if schedule.minutes is None:
            return min(1.0, progress.step / (schedule.steps or 1))
        time_s = max(schedule.minutes * 60 - progress.validation_s, 1e-9)
        return min(1.0, progress.elapsed_s / time_s)

    @property
    def is_over(self) -> bool:
        """Return whether no step is to follow."""
        return self.done >= 1

    def is_validation_due(self) -> bool:
        """Return whether a validation is to follow the step that was just taken; each is asked for once."""
        before, self._judged = self._judged, self.done
        if not self._is_by_the_clock:
            return self.progress.step % self.recipe.schedule.validate_every == 0 or self.is_over
        count = self.recipe.schedule.validations
        return int(self._judged * count) > int(before * count)

    def long_from(self) -> int | None:
        """Return the step from which on windows are as long as the context; None while it is not known."""
        known = self.recipe.long_from
        return self.progress.long_from if known is None else known

    def learning_rate(self) -> float:
        """Return the learning rate of the next step."""
        progress = self.progress
        if not self._is_by_the_clock:
            return learning_rate_at(progress.step, self.recipe)
        warm = (progress.step + 1) / max(1, self.recipe.optimizer.warmup_steps)
        left_s = (self.recipe.schedule.minutes or 0.0) * 60 - progress.first_step_s
        if progress.first_step_s and left_s > 0:
            warm = max(warm, (progress.elapsed_s - progress.first_step_s) / left_s / _LONGEST_WARM_UP)
        return learning_rate(self.recipe.optimizer, warm, self.done)

    @property
    def remaining_minutes(self) -> float | None:
        """Return how much of the time is left; None where the run goes by its steps."""
        minutes = self.recipe.schedule.minutes
        return None if minutes is None else max(0.0, minutes - self.progress.elapsed_s / 60)

    @property
    def _is_by_the_clock(self) -> bool:
        return self.recipe.schedule.minutes is not None
