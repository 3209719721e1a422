"""Play limits: each knob does what it says, from one end to the other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.events import NoteOff, NoteOn, Role
from piano.tokens.vocabulary import VELOCITIES_PER_BIN, VOCABULARY, Kind
from realtime.engine.from_settings import limits_of, play_settings_of
from realtime.engine.offline_run import OfflineRun
from realtime.engine.partner import PartnerSettings
from realtime.performers.play_limits import OWN_ON, SECOND_NS, PlayLimiter
from realtime.performers.play_settings import AnswerSettings, DuetSettings, Mode, PlayLimits, PlaySettings, WhenAlone
from realtime.settings import Settings
from tests.support.scripted_play import MS, S, own_onsets, phrase
from tests.support.session_models import HEAD, model_of_chance


def test_only_keys_within_range_that_nobody_holds_are_struck() -> None:
    allowed = PlayLimiter(PlayLimits(lowest_pitch=40, highest_pitch=60)).allowed({45, 50})
    own = {int(VOCABULARY.values[token]) for token in np.flatnonzero(allowed & OWN_ON)}
    assert own == set(range(40, 61)) - {45, 50}
    of_the_other = (VOCABULARY.kinds == Kind.ON) & (VOCABULARY.roles == Role.GIVEN)
    assert allowed[of_the_other].all(), "what the other may do is not limited"
    assert not (PlayLimiter(PlayLimits()).allowed((), strikes=False) & OWN_ON).any()


@given(st.integers(1, 127), st.integers(1, 127), st.integers(-64, 64))
def test_what_goes_out_is_as_loud_as_it_may_be(velocity: int, loudest: int, louder: int) -> None:
    softened = PlayLimiter(PlayLimits(loudest=loudest, louder=louder)).soften(NoteOn(60, velocity))
    assert softened == NoteOn(60, min(max(velocity + louder, 1), loudest))
    assert PlayLimiter(PlayLimits(louder=louder)).soften(NoteOff(60)) == NoteOff(60)


@given(st.integers(1, 127), st.integers(-64, 64))
def test_some_loudness_is_always_left_to_the_model(loudest: int, louder: int) -> None:
    allowed = PlayLimiter(PlayLimits(loudest=loudest, louder=louder)).allowed(())
    bins = VOCABULARY.values[allowed & (VOCABULARY.kinds == Kind.VELOCITY)]
    assert bins.size
    assert bins.max() == min(loudest - min(louder, 0), 127) // VELOCITIES_PER_BIN


@given(st.lists(st.integers(0, 300 * MS), max_size=60), st.integers(1, 5), st.integers(0, 20))
def test_no_second_has_more_keys_than_it_may(gaps: list[int], most: int, taken_back: int) -> None:
    limiter = PlayLimiter(PlayLimits(most_a_second=most))
    struck: list[int] = []
    at_ns = 0
    for index, gap_ns in enumerate(gaps):
        at_ns = max(at_ns + gap_ns, limiter.free_ns() or 0)
        limiter.strike(at_ns)
        struck.append(at_ns)
        if index == taken_back:
            at_ns = max(0, at_ns - SECOND_NS // 2)
            limiter.rollback(at_ns)
            struck = [moment for moment in struck if moment <= at_ns]
    for moment in struck:
        assert sum(moment <= other < moment + SECOND_NS for other in struck) <= most


def bias_at(restraint: float, rate: int) -> float:
    limiter = PlayLimiter(PlayLimits(restraint=restraint, most_a_second=10))
    for index in range(4 * rate):
        limiter.strike(index * SECOND_NS // rate)
    bias = limiter.bias(4 * SECOND_NS)
    assert bias is not None
    assert not bias[~OWN_ON].any()
    return float(bias[OWN_ON][0])


def test_restraint_gives_way_as_it_takes_effect() -> None:
    assert PlayLimiter(PlayLimits()).bias(0) is None
    urged = [bias_at(-2.0, rate) for rate in (0, 2, 5, 10)]
    assert urged[0] == pytest.approx(2.0)
    assert urged == sorted(urged, reverse=True)
    assert 0.0 <= urged[-1] < 0.4
    held_back = [bias_at(2.0, rate) for rate in (0, 1, 3)]
    assert held_back[0] == 0.0
    assert held_back[-1] == pytest.approx(-2.0)


def test_the_whole_knob_of_restraint_is_bounded_and_goes_one_way() -> None:
    def keys(restraint: float) -> int:
        limits = PlayLimits(restraint=restraint, most_a_second=6)
        how = PlaySettings(AnswerSettings(), HEAD, Mode.DUET, DuetSettings(limits, WhenAlone.CONTINUE))
        run = OfflineRun(model_of_chance(), PartnerSettings(how))
        run.play(phrase(1.0))
        run.run_until(21 * S)
        return len(own_onsets(run))

    counts = [keys(restraint) for restraint in (-3.0, 0.0, 1.5, 6.0)]
    assert counts == sorted(counts, reverse=True)
    assert 4.0 * 20 < counts[0] <= 6 * 20 + 6
    assert 0 < counts[-1] < counts[1] / 2


def test_the_player_chooses_a_side_of_the_keyboard_or_a_hand() -> None:
    divided = limits_of(Settings(duet_split=60, duet_side="below"), 0)
    assert (divided.lowest_pitch, divided.highest_pitch) == (21, 59)
    divided = limits_of(Settings(duet_split=60, duet_side="above", duet_highest=96), 0)
    assert (divided.lowest_pitch, divided.highest_pitch) == (60, 96)
    tasks = {
        ("duet", "any", None): "duet",
        ("duet", "right", None): "left_hand",
        ("duet", "left", 60): "right_hand",
        ("loop", "left", None): "right_hand",
        ("loop", "any", 60): "below_median",
        ("answer", "left", 60): "continue",
    }
    for (mode, hand, split), task in tasks.items():
        settings = Settings.model_validate({"mode": mode, "duet_hand": hand, "duet_split": split})
        assert play_settings_of(settings, 0).head[1] == VOCABULARY.task(task)
