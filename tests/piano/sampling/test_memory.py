"""The memory of a session: exact under rollback, honest as a distribution, and a motif comes back from it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from piano.events import Role
from piano.sampling.memory import RECENT_NOTES, Memory
from piano.sampling.note_log import NoteLog
from piano.sampling.pointers import WINDOW, Pointer
from piano.tokens.vocabulary import KEYS, VOCABULARY

FLAT: NDArray[np.float32] = np.zeros(VOCABULARY.size, np.float32)
MOTIF = (60, 64, 67, 72, 71, 67, 65, 62)
OTHER = (41, 90, 55, 80, 47, 85, 58, 77)
FIRST = VOCABULARY.first_on

pitches = st.integers(58, 63)
tokens = st.one_of(
    st.integers(1, 30).map(VOCABULARY.time),
    pitches.map(lambda pitch: VOCABULARY.on(Role.OWN, pitch)),
    pitches.map(lambda pitch: VOCABULARY.on(Role.GIVEN, pitch)),
    pitches.map(lambda pitch: VOCABULARY.off(Role.OWN, pitch)),
    pitches.map(lambda pitch: VOCABULARY.off(Role.GIVEN, pitch)),
    st.integers(1, 127).map(VOCABULARY.velocity),
    st.sampled_from(
        [VOCABULARY.pedal(Role.OWN, down=True), VOCABULARY.preview, VOCABULARY.play, VOCABULARY.bos, VOCABULARY.pad]
    ),
)


def notes(motif: tuple[int, ...], wait: int = 20, velocity: int = 64, role: Role = Role.OWN) -> list[int]:
    """Return the tokens of keys struck one after another, each held until the next."""
    played = []
    for pitch in motif:
        played += [VOCABULARY.on(role, pitch), VOCABULARY.velocity(velocity), VOCABULARY.time(wait)]
        played += [VOCABULARY.off(role, pitch)]
    return played


def fresh(stream: list[int]) -> Memory:
    memory = Memory()
    memory.extend(stream)
    return memory


def shares(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    weights = np.exp(logits.astype(np.float64))
    return np.asarray(weights / weights.sum())


def key_shares(memory: Memory, role: Role = Role.OWN, recall: float = 1.0) -> NDArray[np.float64]:
    """Return how likely each key of a role is to go down next, given that one does and the model knows nothing."""
    first = FIRST + KEYS * role
    return shares(memory.adjust(FLAT, recall)[first : first + KEYS])


@given(st.lists(tokens, max_size=120), st.lists(tokens, max_size=40), st.lists(tokens, max_size=40))
def test_what_is_taken_back_leaves_no_trace(kept: list[int], taken_back: list[int], after: list[int]) -> None:
    memory = fresh(kept)
    memory.extend(taken_back)
    memory.rollback(len(kept))
    assert np.array_equal(memory.adjust(FLAT, 1.0, pulse=1.0), fresh(kept).adjust(FLAT, 1.0, pulse=1.0))
    memory.extend(after)
    assert np.array_equal(memory.adjust(FLAT, 1.0, pulse=1.0), fresh(kept + after).adjust(FLAT, 1.0, pulse=1.0))


@pytest.mark.parametrize("keep", [0, 5, 3 * RECENT_NOTES, 4 * RECENT_NOTES + 2, 4 * 3 * RECENT_NOTES])
def test_a_long_way_back_is_exact_too(keep: int) -> None:
    rng = np.random.default_rng(1)
    stream = notes(tuple(int(pitch) for pitch in rng.integers(50, 62, 4 * RECENT_NOTES)))
    memory = fresh(stream)
    memory.rollback(keep)
    again = stream[keep : keep + 400]
    memory.extend(again)
    assert np.array_equal(memory.adjust(FLAT, 1.0, pulse=1.0), fresh(stream[: keep + 400]).adjust(FLAT, 1.0, pulse=1.0))
    memory.rollback(keep)
    assert np.array_equal(memory.adjust(FLAT, 1.0, pulse=1.0), fresh(stream[:keep]).adjust(FLAT, 1.0, pulse=1.0))


@given(st.lists(tokens, max_size=150))
def test_a_copy_goes_its_own_way(stream: list[int]) -> None:
    memory = fresh(stream)
    other = memory.copy()
    other.extend(notes(OTHER))
    assert np.array_equal(memory.adjust(FLAT, 1.0, pulse=1.0), fresh(stream).adjust(FLAT, 1.0, pulse=1.0))
    assert np.array_equal(other.adjust(FLAT, 1.0, pulse=1.0), fresh(stream + notes(OTHER)).adjust(FLAT, 1.0, pulse=1.0))


@given(st.lists(tokens, max_size=150), st.integers(0, 2**32 - 1), st.sampled_from([0.3, 1.0, 5.0]))
def test_mixing_leaves_a_distribution(stream: list[int], seed: int, recall: float) -> None:
    logits = np.random.default_rng(seed).normal(0, 3, VOCABULARY.size).astype(np.float32)
    before = logits.copy()
    mixed = fresh(stream).adjust(logits, recall, pulse=recall)
    assert np.array_equal(logits, before)
    assert np.isfinite(mixed).all()


def test_without_recall_nothing_changes() -> None:
    logits = np.random.default_rng(0).normal(size=VOCABULARY.size).astype(np.float32)
    assert fresh(notes(MOTIF * 3)).adjust(logits, 0.0) is logits


def test_a_rhythm_that_is_going_on_is_leant_on() -> None:
    memory = fresh(notes(OTHER, wait=30))
    plain, leant = (shares(memory.adjust(FLAT, 0.0, pulse=pulse)) for pulse in (0.0, 2.0))
    assert leant[VOCABULARY.on(Role.OWN, 60)] > 1.5 * plain[VOCABULARY.on(Role.OWN, 60)], "the next beat is due"
    begun = fresh(notes(OTHER, wait=30) + notes((60,), wait=10))
    waits = begun.adjust(FLAT, 0.0, pulse=1.0)[VOCABULARY.first_time : VOCABULARY.first_time + 100]
    assert 18 <= waits.argmax() + 1 <= 22


def test_a_motif_that_begins_again_is_expected_to_go_on() -> None:
    begun = fresh(notes(MOTIF) + notes(OTHER) + notes(MOTIF[:5]))
    assert key_shares(begun).argmax() == MOTIF[5] - 21
    assert key_shares(begun)[MOTIF[5] - 21] > 0.5


def test_another_key_and_another_role_are_heard_through() -> None:
    moved = tuple(pitch + 5 for pitch in MOTIF)
    answer = fresh(notes(MOTIF, role=Role.GIVEN) + notes(OTHER) + notes(moved[:6]))
    assert key_shares(answer).argmax() == moved[6] - 21


def test_keys_of_a_chord_may_come_in_any_order() -> None:
    def chord(root: int, order: tuple[int, ...]) -> list[int]:
        struck = [
            token
            for above in order
            for token in (VOCABULARY.on(Role.OWN, root + above), VOCABULARY.velocity(64), VOCABULARY.time(1))
        ]
        return [*struck, VOCABULARY.time(30), *(VOCABULARY.off(Role.OWN, root + above) for above in order)]

    heard = [token for root in (48, 53, 56, 50) for token in chord(root, (0, 4, 7))]
    again = chord(48, (0, 4, 7)) + chord(53, (0, 4, 7)) + chord(56, (7, 0, 4))[:3]
    assert key_shares(fresh(heard + notes(OTHER) + again))[[56 - 21, 60 - 21]].sum() > 0.5


def test_the_figure_comes_in_its_rhythm_at_the_tempo_of_now() -> None:
    slower = fresh(notes(MOTIF, wait=20) + notes(OTHER) + notes(MOTIF[:5], wait=30)[:-2])
    factors = np.exp(slower.adjust(FLAT, 1.0)[VOCABULARY.first_time : VOCABULARY.first_time + 100])
    assert 27 <= factors.argmax() + 1 <= 31


def test_the_touch_comes_along() -> None:
    loud = notes(MOTIF[:4], velocity=100) + notes(MOTIF[4:], velocity=40)
    again = [*notes(MOTIF[:4], velocity=100), VOCABULARY.on(Role.OWN, MOTIF[4])]
    logits = fresh(loud + notes(OTHER) + again).adjust(FLAT, 1.0)
    touch = logits[VOCABULARY.first_velocity : VOCABULARY.first_velocity + 32]
    assert abs(int(touch.argmax()) - 40 // 4) <= 2


def test_a_key_that_may_not_go_down_is_not_expected() -> None:
    memory = fresh(notes(MOTIF) + notes(OTHER) + notes(MOTIF[:5]))
    mask = np.ones(VOCABULARY.size, np.bool_)
    mask[[VOCABULARY.on(Role.OWN, MOTIF[5]), VOCABULARY.off(Role.OWN, MOTIF[5])]] = False
    logits = memory.adjust(FLAT, 1.0, mask)
    assert logits[VOCABULARY.on(Role.OWN, MOTIF[5])] <= logits[FIRST : FIRST + KEYS].max()


def test_the_past_can_tell_which_key_goes_down_and_not_when_one_does() -> None:
    memory = fresh(notes(MOTIF) + notes(OTHER) + notes(MOTIF[:5]))
    keys, waits = slice(FIRST, FIRST + KEYS), slice(VOCABULARY.first_time, VOCABULARY.first_time + 100)
    told, timed = (memory.adjust(FLAT, 1.0, tells_when=tells_when) for tells_when in (False, True))
    assert int(told[keys].argmax()) == int(timed[keys].argmax()) == VOCABULARY.on(Role.OWN, MOTIF[5]) - FIRST
    assert np.exp(told[keys]).sum() == pytest.approx(np.exp(FLAT[keys]).sum(), rel=1e-4)
    assert np.array_equal(told[waits], FLAT[waits])
    assert not np.array_equal(timed[waits], FLAT[waits])


def test_that_a_key_goes_down_is_as_likely_whichever_is_expected() -> None:
    """The keys are mixed among themselves: with nothing due, the sum over them stays."""
    from piano.sampling.forecast import Forecast, mix_keys

    logits = np.random.default_rng(4).normal(0, 2, VOCABULARY.size).astype(np.float32)
    mixed = logits.copy()
    mix_keys(mixed, None, Forecast(2.0, ((40, 0.75), (43, 0.25)), ()), Role.OWN, 1.0)
    before, after = np.exp(logits[FIRST : FIRST + KEYS]).sum(), np.exp(mixed[FIRST : FIRST + KEYS]).sum()
    assert after == pytest.approx(before, rel=1e-5)
    assert shares(mixed[FIRST : FIRST + KEYS])[40] > 0.5


def test_it_tells_how_surely_the_last_note_repeats_something() -> None:
    assert fresh([]).repetition(Role.OWN) == 0
    assert fresh(notes(MOTIF)).repetition(Role.OWN) == 0
    assert fresh(notes(MOTIF * 4)).repetition(Role.OWN) > 0.5
    assert fresh(notes(MOTIF * 4)).repetition(Role.GIVEN) == 0


def test_more_than_there_is_cannot_be_taken_back() -> None:
    memory = fresh(notes(MOTIF))
    with pytest.raises(ValueError, match="tokens roll back"):
        memory.rollback(len(memory) + 1)


def test_a_rhythm_holds_no_key_of_a_chord_back() -> None:
    begun = [*notes(OTHER, wait=30), VOCABULARY.on(Role.OWN, 48), VOCABULARY.velocity(64)]
    memory = fresh(begun)
    keys = slice(FIRST, FIRST + KEYS)
    assert np.array_equal(memory.adjust(FLAT, 0.0, pulse=1.0)[keys], FLAT[keys])
    memory.push(VOCABULARY.time(12))
    early = memory.adjust(FLAT, 0.0, pulse=1.0)[keys]
    memory.push(VOCABULARY.time(18))
    assert (memory.adjust(FLAT, 0.0, pulse=1.0)[keys] > early + 0.3).all(), "it is due at the next beat"


@given(
    st.lists(st.tuples(pitches, st.integers(0, 6)), min_size=1, max_size=8),
    st.integers(0, 7),
    st.integers(0, 2**WINDOW - 1),
    st.integers(-2, 2),
)
def test_the_chance_of_one_key_is_what_it_has_among_all_that_come(
    played: list[tuple[int, int]], place: int, gone: int, shift: int
) -> None:
    log, step = NoteLog(), 0
    for pitch, wait in played:
        step += wait
        log.push(0, pitch, step)
    pointer = Pointer(0, min(place, len(played)), gone, shift, 0.5, 0, 0, 10.0, 10.0, 0.0)
    coming = pointer.coming(log.voices[0], len(played))
    for pitch in range(54, 68):
        among = next(((chance, number) for key, chance, number in coming if key == pitch), (0.0, -1))
        assert pointer.chance_of(pitch, log.voices[0], len(played)) == among
