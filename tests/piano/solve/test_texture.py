"""A part that is filled in: as dense as asked, in the time of what stands."""

from collections.abc import Sequence

import numpy as np
import pytest

from piano.events import Role
from piano.notes import NOTE, NoteArray, Performance
from piano.session import Logits
from piano.solve.biases import in_texture
from piano.solve.evidence import Evidence, FillEvidence
from piano.solve.solver import SolveRequest, solve
from piano.solve.texture import USUAL_RATIO, Texture, lengths_of, texture_of
from piano.tasks.exercise import Exercise, Gap, Preview
from piano.tokens.vocabulary import FILL_TASKS, LONGEST_TIME_STEPS, VOCABULARY
from tests.support.scripted_session import ScriptedSession

EVEN = np.zeros(VOCABULARY.size, np.float32)


def two_hands(beats: int = 40) -> NoteArray:
    notes = [(0.5 * beat, 0.4, 72 + beat % 5, 70, 0) for beat in range(beats)]
    notes += [(0.25 * step, 0.2, 48 + step % 7, 60, 0) for step in range(2 * beats)]
    return np.sort(np.array(notes, NOTE), order=["onset_s", "pitch"])


def to_fill(notes: NoteArray) -> Exercise:
    roles = np.where(notes["pitch"] < 60, np.uint8(Role.OWN), np.uint8(Role.GIVEN))
    given = notes[roles == Role.GIVEN]
    return Exercise("left_hand", Performance(notes), roles, roles[:0], preview=Preview(given))


def filled(exercise: Exercise, fills: FillEvidence | None, seed: int = 1) -> NoteArray:
    session = ScriptedSession(VOCABULARY.size, 4096, seed=seed, horizon=12)
    return solve(session, exercise, SolveRequest(seed=seed, evidence=Evidence(fills=fills))).performance.notes


def off_pulse(notes: NoteArray) -> float:
    """Return the share of notes that go down farther than 25 ms from a quarter of a second."""
    return float((np.abs(notes["onset_s"] - np.rint(notes["onset_s"] * 4) / 4) > 0.025).mean())


@pytest.mark.parametrize("amount", [0.25, 0.5, 1.0])
def test_there_are_about_as_many_notes_as_asked(amount: float) -> None:
    found = filled(to_fill(two_hands()), FillEvidence(follows_own=True, density=amount))
    assert found.size == pytest.approx(80 * amount, rel=0.35)


def test_keys_go_down_in_the_time_of_what_stands() -> None:
    exercise = to_fill(two_hands())
    ways = (None, FillEvidence(follows_own=True))
    free, leaning = (np.concatenate([filled(exercise, fills, seed) for seed in (1, 2, 3, 4)]) for fills in ways)
    assert off_pulse(leaning) < 0.5 < off_pulse(free)


def test_a_key_is_not_hammered() -> None:
    found = filled(to_fill(two_hands()), FillEvidence(follows_own=True, density=3.0))
    for pitch in np.unique(found["pitch"]):
        apart_s = np.diff(found["onset_s"][found["pitch"] == pitch])
        assert (apart_s < 0.25).mean() < 0.2 if apart_s.size else True


def test_every_task_has_a_usual_density() -> None:
    assert set(USUAL_RATIO) == set(FILL_TASKS) - {"gap"}


def test_in_a_gap_it_is_as_dense_as_around_it() -> None:
    texture = texture_of(with_gaps(two_hands(), Gap(6, 10)), follows_own=False)
    assert isinstance(texture, Texture)
    assert float(texture.due[-1]) == pytest.approx(24, rel=0.1)
    assert float(texture.due[590]) == 0.0


class UrgedSession(ScriptedSession):
    """A session in which some tokens are likelier by so many nats."""

    def __init__(self, urged: Sequence[int], nats: float) -> None:
        super().__init__(VOCABULARY.size, 4096)
        self.urged, self.nats = urged, nats

    def twin(self) -> "UrgedSession":
        return UrgedSession(self.urged, self.nats)

    def feed(self, tokens: Sequence[int]) -> Logits:
        logits = super().feed(tokens).copy()
        logits[self.urged] += self.nats
        return logits


def with_gaps(notes: NoteArray, *gaps: Gap) -> Exercise:
    inside = np.zeros(notes.size, np.bool_)
    for gap in gaps:
        inside |= (notes["onset_s"] >= gap.start_s) & (notes["onset_s"] < gap.end_s)
    roles = np.where(inside, np.uint8(Role.OWN), np.uint8(Role.GIVEN))
    return Exercise("gap", Performance(notes), roles, roles[:0], preview=Preview(notes[~inside]), gaps=gaps)


def test_the_pedal_of_a_gap_does_not_flutter() -> None:
    session = UrgedSession([VOCABULARY.pedal(Role.OWN, down=down) for down in (False, True)], 6)
    request = SolveRequest(seed=1, evidence=Evidence(fills=FillEvidence()))
    found = solve(session, with_gaps(two_hands(), Gap(6, 10)), request).performance.pedals
    stays_s = np.diff(found["time_s"])
    downs = found["down"][:-1]
    assert 0 < found.size < 40
    assert stays_s[downs].min() >= 0.16
    assert (stays_s[~downs] >= 0.04).all()


def waits_of(texture: Texture, step: int, presses: Sequence[tuple[int, int]]) -> Logits:
    return in_texture(texture, step, presses, 0, EVEN)[
        VOCABULARY.first_time : VOCABULARY.first_time + LONGEST_TIME_STEPS
    ]


def test_the_emptier_a_gap_is_the_rarer_are_long_waits_in_it() -> None:
    texture = texture_of(with_gaps(two_hands(), Gap(4, 8), Gap(12, 16)), follows_own=False)
    as_due = [(400 + 16 * number, 60) for number in range(19)]
    assert waits_of(texture, 700, [])[80] < waits_of(texture, 700, as_due)[80] - 2
    assert all(waits_of(texture, step, []).min() > -6 for step in range(400, 1700, 50)), "none is taken for impossible"


def test_in_a_gap_nothing_but_a_key_of_ours_ends_a_wait() -> None:
    texture = texture_of(with_gaps(two_hands(), Gap(4, 8)), follows_own=True)
    bias = in_texture(texture, 400, [], 10**9, EVEN)[VOCABULARY.first_time :][:LONGEST_TIME_STEPS]
    assert bias - texture.silence(400, 0) == pytest.approx(texture.bias(400, 0)[1:], abs=0.2)


def test_no_gap_makes_up_for_another() -> None:
    texture = texture_of(with_gaps(two_hands(), Gap(4, 8), Gap(12, 16)), follows_own=False)
    full, empty = [(400 + number, 60) for number in range(40)], [(1210, 60)]
    assert np.array_equal(in_texture(texture, 1250, full + empty, 0, EVEN), in_texture(texture, 1250, empty, 0, EVEN))


def replacing(density: float = 1.0) -> Texture:
    return texture_of(to_fill(two_hands()), follows_own=True, density=density)


def keys_of(texture: Texture, step: int, presses: Sequence[tuple[int, int]]) -> float:
    return float(in_texture(texture, step, presses, 0, EVEN)[VOCABULARY.on(Role.OWN, 52)])


def test_chords_do_not_take_what_single_keys_had() -> None:
    single = [(25 * number, 48 + number % 3) for number in range(40)]
    chords = [(50 * (number // 2), 48 + number % 3) for number in range(39)]
    assert keys_of(replacing(), 950, chords) < keys_of(replacing(), 950, single[:39]) - 1, "hardly any key joins"
    assert keys_of(replacing(), 1000, chords) > keys_of(replacing(), 1000, single) + 1, "the next moment is due"


def test_the_more_moments_are_missed_the_rarer_are_long_waits() -> None:
    texture, as_due = replacing(), [(25 * number, 48) for number in range(40)]
    assert waits_of(texture, 1000, as_due[:32])[20] < waits_of(texture, 1000, as_due)[20] - 1
    assert all(waits_of(texture, step, []).min() > -6 for step in range(0, 1900, 50)), "none is taken for impossible"


def test_no_key_joins_a_single_voice() -> None:
    single = [(25 * number, 48 + number % 3) for number in range(41)]
    assert keys_of(replacing(), 1000, single) < -2, "before one has joined, too"


def test_moments_that_are_late_make_no_chords() -> None:
    waits = slice(VOCABULARY.first_time, VOCABULARY.first_time + LONGEST_TIME_STEPS)
    for late in ([(25 * number, 48 + number % 3) for number in range(10, 41, step)] for step in (1, 3, 6)):
        bias = in_texture(replacing(), late[-1][0], late, 0, EVEN)
        assert np.logaddexp.reduce(bias[waits]) == pytest.approx(np.log(LONGEST_TIME_STEPS), abs=0.01)


def test_keys_join_where_chords_are_replaced() -> None:
    notes = two_hands()
    chords = notes[notes["pitch"] < 60]
    chords["pitch"] -= 12
    exercise = to_fill(np.sort(np.concatenate([notes, chords]), order=["onset_s", "pitch"]))
    joining = texture_of(exercise, follows_own=True).joining
    assert joining is not None
    assert (joining == 0).all()


def test_where_nothing_is_replaced_no_chords_and_no_register_are_known() -> None:
    texture = texture_of(to_fill(two_hands()), follows_own=False)
    assert texture.moments is None
    assert texture.register is None
    assert texture.joining is None


@pytest.mark.parametrize("follows_own", [True, False])
def test_keys_are_held_as_long_as_those_that_are_like_them(follows_own: bool) -> None:
    notes = two_hands()
    notes["duration_s"] = np.where(notes["pitch"] < 60, np.where(notes["onset_s"] < 10, 0.1, 0.9), 0.4)
    found = filled(to_fill(notes), FillEvidence(follows_own=follows_own))
    early, late = found["onset_s"] < 9, found["onset_s"] > 11
    expected = (0.1, 0.9) if follows_own else (0.4, 0.4)
    for part, length_s in zip((early, late), expected, strict=True):
        held_s = found["duration_s"][part]
        assert np.quantile(held_s, 0.1) > 0.6 * length_s
        assert np.quantile(held_s, 0.9) < 1.4 * length_s


def test_keys_that_go_down_together_are_held_alike() -> None:
    lengths = lengths_of(two_hands())
    assert lengths is not None
    rng = np.random.default_rng(3)
    for step in rng.integers(0, 2000, 20):
        first, *others = (lengths.about(int(step), pitch) for pitch in (48, 49, 50))
        assert all(other == first for other in others)
    assert lengths_of(two_hands()[:0]) is None
