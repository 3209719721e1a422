"""What music costs given its cues: a code that could be sent, cheaper by what the cues tell."""

import numpy as np
import pytest
from numpy.typing import NDArray

from piano.cue_arrays import CUE
from piano.cues import BEAT
from piano.events import Role
from piano.notes import NOTE, Performance
from piano.tokens.encoding import encode
from piano.tokens.vocabulary import VOCABULARY
from train.predictors.told_cost import steps_to_cue, told_cost


def _logits(**shares: float) -> NDArray[np.float32]:
    """Return one row of logits in which the named tokens share all there is."""
    row = np.full((1, VOCABULARY.size), -60.0, np.float32)
    for name, share in shares.items():
        row[0, VOCABULARY.names.index(name)] = np.log(share)
    return row


def test_a_wait_to_a_cue_knows_how_far_it_is() -> None:
    notes = np.array([(0.0, 0.1, 60, 64, 0), (1.5, 0.1, 62, 64, 0)], NOTE)
    events = encode(Performance(notes, cues=np.array([(1.3, BEAT)], CUE)))
    told = [
        (VOCABULARY.names[token], steps) for token, steps in zip(events, steps_to_cue(events).tolist(), strict=True)
    ]
    assert told == [
        *(("ON_OWN_60", 0), ("VEL_16", 0), ("TIME_10", 0), ("OFF_OWN_60", 0), ("TIME_100", 120), ("TIME_20", 20)),
        *(("BEAT", 0), ("TIME_20", 0), ("ON_OWN_62", 0), ("VEL_16", 0), ("TIME_10", 0), ("OFF_OWN_62", 0)),
    ]


def test_no_events_have_no_steps() -> None:
    assert steps_to_cue(np.zeros(0, np.int32)).size == 0


def test_a_cue_is_free_and_its_probability_is_shared_among_the_rest() -> None:
    logits = _logits(BEAT=0.5, ON_OWN_60=0.25, TIME_3=0.25)
    beat, note = VOCABULARY.cue(BEAT), VOCABULARY.on(Role.OWN, 60)
    assert told_cost(logits, np.array([beat], np.int32), np.array([0]))[0] == 0
    assert told_cost(logits, np.array([note], np.int32), np.array([0]))[0] == pytest.approx(np.log(2))


def test_a_wait_up_to_a_cue_costs_what_all_longer_ones_cost_together() -> None:
    logits = _logits(TIME_5=0.5, TIME_20=0.3, TIME_100=0.2)
    cost = told_cost(logits, np.array([VOCABULARY.time(10)], np.int32), np.array([10]))
    assert cost[0] == pytest.approx(-np.log(0.5))


def test_a_full_second_on_the_way_to_a_cue_is_a_choice_like_any_other() -> None:
    logits = _logits(TIME_5=0.5, TIME_100=0.5)
    cost = told_cost(logits, np.array([VOCABULARY.time(100)], np.int32), np.array([170]))
    assert cost[0] == pytest.approx(np.log(2))


def test_the_chances_of_all_that_can_follow_add_up_to_one() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(1, VOCABULARY.size)).astype(np.float32)
    lead = 30  # a cue is told 300 ms ahead
    options = [
        (token, 0) for token in range(VOCABULARY.size) if not VOCABULARY.names[token].startswith(("CHORD_", "TIME_"))
    ]
    options = [(token, way) for token, way in options if VOCABULARY.names[token] not in ("BEAT", "DOWNBEAT", "ENDING")]
    options += [(VOCABULARY.time(steps), 0) for steps in range(1, lead)] + [(VOCABULARY.time(lead), lead)]
    rows = np.repeat(logits, len(options), axis=0)
    cost = told_cost(rows, np.array([token for token, _ in options], np.int32), np.array([way for _, way in options]))
    assert np.exp(-cost).sum() == pytest.approx(1.0)
