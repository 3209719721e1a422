"""Which tasks are measured, and how each is met."""

import math

import pytest

from piano.errors import ConfigError
from piano.tasks.repair_tasks import VELOCITY_NOISE, VELOCITY_TASKS
from piano.tokens.vocabulary import FILL_TASKS, REPAIR_TASKS
from realtime.performers.play_settings import VelocitySettings
from train.evaluate.situations import UNTOUCHED_TASKS, situations


def test_all_tasks_are_met_with_a_preview_and_velocities_live_too() -> None:
    found = situations("all", None)
    assert {case.task for case in found} == {*FILL_TASKS, *REPAIR_TASKS}
    assert {case.task for case in found if case.preview is None} == {*VELOCITY_TASKS, "duet"}
    assert len({case.name for case in found}) == len(found)
    assert len(found) == len(FILL_TASKS) + len(REPAIR_TASKS) + len(VELOCITY_TASKS) + 1 + len(UNTOUCHED_TASKS)


def test_noise_is_also_met_as_the_daemon_meets_it() -> None:
    """The same readings, believed as much, heard under the task of a keyboard of which nothing is known."""
    (live,) = (case for case in situations("denoise_velocity", None) if case.told)
    assert (live.name, live.told) == ("denoise_velocity, live, heard as clean_velocity", VelocitySettings(0.5).task)
    assert live.reading_noise == VELOCITY_NOISE
    assert not any(case.told for case in situations("velocities", True))


@pytest.mark.parametrize("preview", [True, False])
def test_one_way_alone(preview: bool) -> None:
    assert all((case.preview is not None) == preview for case in situations("velocities,gap", preview))


def test_a_reading_is_weighed_once() -> None:
    """Live the likelihood is multiplied in; a preview shows the reading, and without one there is nothing to weigh."""
    noise = {case.name: case.reading_noise for case in situations("velocities", None, noise=12.0)}
    assert noise.pop("denoise_velocity, live") == noise.pop("clean_velocity, live") == 12.0
    assert noise.pop("denoise_velocity, live, heard as clean_velocity") == 12.0
    assert set(noise.values()) == {math.inf}


def test_a_task_is_measured_once() -> None:
    assert [case.task for case in situations("gap,fill,gap", None)].count("gap") == 1


def test_an_unknown_task_is_named() -> None:
    with pytest.raises(ConfigError, match=r"no 'melody'.*groups: all.*above_median"):
        situations("gap,melody", None)
