"""The vocabulary is frozen, and its look-ups and arrays tell the same story."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.cues import CUES
from piano.events import HIGHEST_PITCH, LOWEST_PITCH, Role
from piano.tokens.styles import COMPOSERS, DENSITIES, LATER_SOURCES, MOODS, SOURCES
from piano.tokens.vocabulary import (
    STEP_NS,
    TASKS,
    VOCABULARY,
    Kind,
    Vocabulary,
    steps_of_ns,
    velocity_of_bin,
)

FROZEN_SIZE, FROZEN_FINGERPRINT = 716, "68c37be193e02ccc"
PITCHES = range(LOWEST_PITCH, HIGHEST_PITCH + 1)


def test_the_vocabulary_is_the_one_that_models_were_trained_with() -> None:
    assert (VOCABULARY.size, VOCABULARY.fingerprint) == (FROZEN_SIZE, FROZEN_FINGERPRINT), (
        "The table of tokens has changed. Every checkpoint and bundle made so far, the embedded model among them, "
        "will be refused: their fingerprint no longer matches. If that is meant, train and export them anew and "
        "write the new size and fingerprint here; if not, take the change back."
    )


def test_the_fingerprint_depends_on_the_table_alone() -> None:
    assert Vocabulary().fingerprint == VOCABULARY.fingerprint


def test_every_name_is_unique() -> None:
    assert len(set(VOCABULARY.names)) == len(VOCABULARY.names) == VOCABULARY.size


def test_the_arrays_hold_one_entry_a_token_and_cannot_be_written() -> None:
    for array in (VOCABULARY.kinds, VOCABULARY.values, VOCABULARY.roles):
        assert array.shape == (VOCABULARY.size,)
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def _entry(token: int) -> tuple[Kind, int, Role]:
    return Kind(VOCABULARY.kinds[token]), int(VOCABULARY.values[token]), Role(VOCABULARY.roles[token])


def test_look_ups_and_arrays_agree_and_cover_the_whole_table() -> None:
    found = {
        VOCABULARY.pad: (Kind.PAD, 0, Role.OWN),
        VOCABULARY.bos: (Kind.BOS, 0, Role.OWN),
        VOCABULARY.end: (Kind.END, 0, Role.OWN),
        VOCABULARY.preview: (Kind.PREVIEW, 0, Role.OWN),
        VOCABULARY.play: (Kind.PLAY, 0, Role.OWN),
    }
    found |= {VOCABULARY.task(name): (Kind.TASK, index, Role.OWN) for index, name in enumerate(TASKS)}
    styles = [*(f"composer:{name}" for name in COMPOSERS), *(f"source:{name}" for name in SOURCES)]
    styles += [*(f"density:{name}" for name in DENSITIES), "opening"]
    found |= {VOCABULARY.style(name): (Kind.STYLE, index, Role.OWN) for index, name in enumerate(styles)}
    found |= {VOCABULARY.time(steps): (Kind.TIME, steps, Role.OWN) for steps in range(1, 101)}
    for role in Role:
        found |= {VOCABULARY.on(role, pitch): (Kind.ON, pitch, role) for pitch in PITCHES}
        found |= {VOCABULARY.off(role, pitch): (Kind.OFF, pitch, role) for pitch in PITCHES}
        found |= {VOCABULARY.pedal(role, down=down): (Kind.PEDAL, int(down), role) for down in (False, True)}
    found |= {VOCABULARY.velocity(max(1, 4 * bin_)): (Kind.VELOCITY, bin_, Role.OWN) for bin_ in range(32)}
    later = [*(f"source:{name}" for name in LATER_SOURCES), *(f"mood:{name}" for name in MOODS)]
    found |= {VOCABULARY.style(name): (Kind.STYLE, len(styles) + index, Role.OWN) for index, name in enumerate(later)}
    found |= {VOCABULARY.cue(code): (Kind.CUE, code, Role.OWN) for code in range(CUES)}
    assert found == {token: _entry(token) for token in range(VOCABULARY.size)}


def test_the_first_of_each_kind_is_where_the_kind_begins() -> None:
    for kind, first in (
        (Kind.TIME, VOCABULARY.first_time),
        (Kind.ON, VOCABULARY.first_on),
        (Kind.OFF, VOCABULARY.first_off),
        (Kind.PEDAL, VOCABULARY.first_pedal),
        (Kind.VELOCITY, VOCABULARY.first_velocity),
    ):
        of_kind = np.flatnonzero(VOCABULARY.kinds == kind)
        assert of_kind.tolist() == list(range(first, first + of_kind.size))


@pytest.mark.parametrize(
    ("steps", "tokens"), [(0, []), (1, [1]), (99, [99]), (100, [100]), (101, [100, 1]), (1000, [100] * 10)]
)
def test_a_wait_is_full_seconds_then_the_rest(steps: int, tokens: list[int]) -> None:
    assert list(VOCABULARY.wait(steps)) == [VOCABULARY.time(part) for part in tokens]


@given(st.integers(0, 100_000))
def test_a_wait_adds_up(steps: int) -> None:
    assert int(VOCABULARY.values[list(VOCABULARY.wait(steps))].sum()) == steps


@pytest.mark.parametrize("steps", [-1, -100, -101])
def test_nobody_waits_backwards(steps: int) -> None:
    with pytest.raises(ValueError, match=f"backwards: cannot wait {steps} steps"):
        VOCABULARY.wait(steps)


@pytest.mark.parametrize("steps", [-1, 0, 101])
def test_a_time_token_holds_1_to_100_steps(steps: int) -> None:
    with pytest.raises(ValueError, match=f"1 to 100 steps, not {steps}"):
        VOCABULARY.time(steps)


@pytest.mark.parametrize("pitch", [-1, 0, 20, 109, 127])
def test_there_are_88_keys(pitch: int) -> None:
    for look_up in (VOCABULARY.on, VOCABULARY.off):
        with pytest.raises(ValueError, match=f"21 to 108, not {pitch}"):
            look_up(Role.OWN, pitch)


@pytest.mark.parametrize("velocity", [-1, 0, 128])
def test_a_press_has_a_velocity_of_1_to_127(velocity: int) -> None:
    with pytest.raises(ValueError, match=f"1 to 127, not {velocity}"):
        VOCABULARY.velocity(velocity)


def test_an_unknown_task_or_style_is_answered_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no task 'sing'; there are: continue, above_median, .*perform_score$"):
        VOCABULARY.task("sing")
    with pytest.raises(ValueError, match=r"no style 'composer:abba'; there are: composer:albeniz, .*, mood:calm$"):
        VOCABULARY.style("composer:abba")


@given(st.integers(1, 127))
def test_a_bin_is_at_most_2_away_from_a_velocity(velocity: int) -> None:
    centre = velocity_of_bin(int(VOCABULARY.values[VOCABULARY.velocity(velocity)]))
    assert abs(centre - velocity) <= 2
    assert 1 <= centre <= 127
    assert VOCABULARY.velocity(centre) == VOCABULARY.velocity(velocity)


@given(st.integers(-(10**15), 10**15))
def test_the_nearest_step_is_at_most_half_a_step_away(at_ns: int) -> None:
    distance_ns = steps_of_ns(at_ns) * STEP_NS - at_ns
    assert -STEP_NS // 2 < distance_ns <= STEP_NS // 2  # halves go upwards


def test_an_earlier_table_is_known_by_its_fingerprint() -> None:
    assert VOCABULARY.fingerprint_of(574) == "da5206dec6d73be4"
    assert VOCABULARY.fingerprint_of(VOCABULARY.size) == VOCABULARY.fingerprint
