"""The left hand leads: what is held under a split is the chord, for the keys that pianod strikes and for the model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.changes import read_chord, scale_tones
from piano.chords import chord_of
from piano.cues import FIRST_CHORD, NO_CHORD, QUALITIES, chord
from piano.events import NoteOff, NoteOn, TimedEvent
from piano.tokens.vocabulary import VOCABULARY, Kind
from realtime.beat.held_chord import SETTLES_NS, HeldChord
from realtime.engine.offline_run import OfflineRun
from realtime.engine.partner import PartnerSettings
from realtime.performers.play_settings import AnswerSettings, PlaySettings
from tests.support.random_players import RUNS
from tests.support.scripted_play import MS, S, note, own_onsets, wire
from tests.support.session_models import HEAD, ChanceSession, model_of_chance

C_MAJOR, A_FLAT = (36, 40, 43), (44, 48, 51)
SPLIT = 55


@given(st.integers(0, 11), st.sampled_from(sorted(QUALITIES)), st.integers(2, 4))
def test_a_chord_that_is_held_with_its_root_lowest_has_its_name(root: int, quality: str, octave: int) -> None:
    keys = [12 * octave + root + tone for tone in QUALITIES[quality]]
    assert chord_of(keys) == chord(root, quality)
    assert chord_of([*keys, keys[1] + 12]) == chord(root, quality)


@pytest.mark.parametrize("keys", [(), (48,), (48, 60, 72), (48, 55)])
def test_fewer_than_three_names_are_no_chord(keys: tuple[int, ...]) -> None:
    assert chord_of(keys) == NO_CHORD


class Hands:
    """What is held, told key by key."""

    def __init__(self, below: int | None = SPLIT) -> None:
        self.held = HeldChord()
        self.held.below = below

    def press(self, at_ns: int, *pitches: int) -> None:
        for index, pitch in enumerate(pitches):
            self.held.hear(TimedEvent(at_ns + index * 15 * MS, NoteOn(pitch, 60)))

    def lift(self, at_ns: int, *pitches: int) -> None:
        for pitch in pitches:
            self.held.hear(TimedEvent(at_ns, NoteOff(pitch)))


def test_a_chord_stays_until_another_is_held_and_what_is_passed_through_counts_for_nothing() -> None:
    hands = Hands()
    hands.press(S, *C_MAJOR, 76)
    assert hands.held.chord_at(S) == NO_CHORD
    assert hands.held.chord_at(2 * S) == read_chord("C")
    hands.lift(2 * S, *C_MAJOR)
    assert hands.held.chord_at(9 * S) == read_chord("C")
    hands.press(9 * S, *C_MAJOR)
    hands.press(9 * S + 200 * MS, *A_FLAT)  # for a moment both are down
    hands.lift(9 * S + 230 * MS, *C_MAJOR)
    hands.press(9 * S + 240 * MS, 56 - 12 * 2 + 12)
    at_ns = 9 * S + 240 * MS
    assert hands.held.chord_at(at_ns) == read_chord("C")
    assert hands.held.chord_at(at_ns + SETTLES_NS) == read_chord("Ab")


def test_keys_above_the_split_are_none_of_it() -> None:
    hands = Hands(40)
    hands.press(S, 48, 52, 55)
    assert hands.held.chord_at(2 * S) == NO_CHORD
    assert Hands(None).held.chord_at(2 * S) == NO_CHORD


def playing(harmony: float = 1.0) -> PlaySettings:
    answers = AnswerSettings(seed=1, leads_below=SPLIT)
    return PlaySettings(answers, HEAD, chord_split=SPLIT, harmony=harmony)


def held(from_s: float, until_s: float, keys: tuple[int, ...]) -> list[tuple[float, NoteOn | NoteOff]]:
    return [event for key in keys for event in note(from_s, key, until_s - from_s)]  # type: ignore[misc]


def test_an_answer_keeps_to_the_chord_that_is_held_and_goes_on_when_it_changes() -> None:
    run = OfflineRun(model_of_chance(), PartnerSettings(playing()))
    phrase = [event for index in range(5) for event in note(1.2 + index * 0.3, 72 + index, 0.2)]
    both = held(1.0, 8.0, C_MAJOR) + held(8.1, 14.0, A_FLAT) + phrase
    run.play(wire(sorted(both, key=lambda timed: timed[0])))
    run.run_until(14 * S)
    assert run.is_playing, "the left hand ends no answer"
    for from_s, until_s, name in ((3.0, 8.0, "C"), (8.3, 14.0, "Ab")):
        own = [timed for timed in own_onsets(run) if from_s * S < timed.at_ns < until_s * S]
        keys = {timed.event.pitch % 12 for timed in own if isinstance(timed.event, NoteOn)}
        assert len(keys) > 3
        assert keys <= scale_tones(read_chord(name))


class KnowingSession(ChanceSession):
    """A session of chance that says it knows cues."""

    knows_cues = True


@RUNS
@given(st.integers(0, 1000), st.integers(0, 1500))
def test_a_model_that_knows_chords_is_told_each_once(seed: int, gap_ms: int) -> None:
    session = KnowingSession(VOCABULARY.size, 100_000, seed=seed)
    run = OfflineRun(session, PartnerSettings(playing(0.0)))
    change_s = 5 + gap_ms / 1000
    events = held(1.0, change_s, C_MAJOR) + held(change_s + 0.1, change_s + 3, A_FLAT) + note(1.5, 76)
    run.play(wire(sorted(events, key=lambda timed: timed[0])))
    run.run_until(12 * S)
    tokens = [token for token in session.tokens if VOCABULARY.kinds[token] == Kind.CUE]
    codes = [int(VOCABULARY.values[token]) for token in tokens]
    assert [code for code in codes if code >= FIRST_CHORD] == [read_chord("C"), read_chord("Ab")]
