"""What the player leaves room for: as many keys, elsewhere, in the gaps."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from piano.events import NoteOn, Role, TimedEvent
from piano.tokens.vocabulary import VOCABULARY
from realtime.engine.offline_run import OfflineRun
from realtime.engine.partner import PartnerSettings
from realtime.performers.partner_ear import WINDOW_NS, DuetRole, PartnerEar
from realtime.performers.play_settings import AnswerSettings, DuetSettings, Mode, PlayLimits, PlaySettings
from tests.support.scripted_play import MS, S, note, own_onsets, wire
from tests.support.session_models import HEAD, model_of_chance


def an_ear(keys: list[tuple[float, int]]) -> PartnerEar:
    ear = PartnerEar()
    for at_s, pitch in keys:
        ear.hear(TimedEvent(round(at_s * S), NoteOn(pitch, 60)))
    return ear


def weight(ear: PartnerEar, role: DuetRole, at_s: float, pitch: int) -> float:
    return float(ear.bias(role, round(at_s * S), 1.0)[VOCABULARY.on(Role.OWN, pitch)])


@pytest.mark.parametrize("role", DuetRole)
def test_keys_near_the_hands_are_less_likely_than_those_far_from_them(role: DuetRole) -> None:
    ear = an_ear([(1.0, 60), (1.2, 64)])
    assert weight(ear, role, 1.3, 61) < min(weight(ear, role, 1.3, 36), weight(ear, role, 1.3, 90)) + 1.5
    assert weight(ear, DuetRole.CONVERSE, 1.3, 61) < weight(ear, DuetRole.CONVERSE, 1.3, 40)
    assert weight(ear, role, 1.3, 61) <= 0 or role is DuetRole.CONVERSE


def test_a_leader_plays_above_and_one_who_accompanies_below() -> None:
    ear = an_ear([(1.0, 60)])
    assert weight(ear, DuetRole.ACCOMPANY, 1.1, 40) > weight(ear, DuetRole.ACCOMPANY, 1.1, 80)
    assert weight(ear, DuetRole.LEAD, 1.1, 40) < weight(ear, DuetRole.LEAD, 1.1, 80)


def test_one_who_converses_waits_while_the_player_fills_and_fills_the_gaps() -> None:
    ear = an_ear([(0.2 * index, 100) for index in range(30)])
    assert weight(ear, DuetRole.CONVERSE, 5.9, 30) < weight(ear, DuetRole.CONVERSE, 8.5, 30)


@settings(max_examples=10, deadline=None)
@example([40, 161, 240, 90, 401, 40, 113, 340], 74, DuetRole.CONVERSE)  # the player's keys leave the window first
@given(st.lists(st.integers(40, 900), min_size=8, max_size=25), st.integers(0, 99), st.sampled_from(DuetRole))
def test_there_are_never_more_keys_than_the_role_may_have(gaps_ms: list[int], seed: int, role: DuetRole) -> None:
    duet = DuetSettings(PlayLimits(seed=seed, role=role))
    run = OfflineRun(model_of_chance(seed), PartnerSettings(PlaySettings(AnswerSettings(), HEAD, Mode.DUET, duet)))
    at_ms, keys = 1000, []
    for index, gap_ms in enumerate(gaps_ms):
        at_ms += gap_ms
        keys.append((at_ms * MS, 60 + index % 12))
    run.play(sorted(message for at_ns, pitch in keys for message in wire(note(at_ns / S, pitch, 0.03))))
    run.run_until((at_ms + 3000) * MS)
    share = {DuetRole.ACCOMPANY: 0.8, DuetRole.CONVERSE: 1.0, DuetRole.LEAD: 1.6}[role]
    for timed in own_onsets(run):
        own = sum(timed.at_ns - WINDOW_NS < other.at_ns <= timed.at_ns for other in own_onsets(run))
        heard = sum(timed.at_ns - WINDOW_NS < at_ns <= timed.at_ns + 10 * MS for at_ns, _ in keys)
        assert own <= share * heard + 1
    run.finish()
