"""Performances to tokens and back: what is lost, and that it is never a note."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from piano.events import NoteOn, Pedal, Role
from piano.notes import NOTE, PEDAL, Performance, no_notes
from piano.tokens.encoding import SHORTEST_NOTE_S, RoleArray, TokenArray, decode, encode
from piano.tokens.stream import StreamDecoder
from piano.tokens.vocabulary import STEP_NS, VOCABULARY, Kind
from tests.support.strategies import TwoRoles, any_notes, duets, streams

HALF_STEP_S = 0.005 + 1e-9  # and the rounding of floating point


def names(tokens: TokenArray) -> list[str]:
    """Return tokens by name."""
    return [VOCABULARY.names[token] for token in tokens.tolist()]


def performance(*notes: tuple[float, float, int, int], pedals: tuple[tuple[float, bool], ...] = ()) -> Performance:
    """Return a performance of (onset, duration, pitch, velocity)."""
    return Performance(np.array([(*note, 0) for note in notes], NOTE), np.array(list(pedals), PEDAL))


def encoded(duet: TwoRoles) -> TokenArray:
    """Return the tokens of both players."""
    return encode(duet.performance, roles=duet.roles, pedal_roles=duet.pedal_roles)


def by_key(played: Performance, roles: RoleArray) -> list[tuple[float, float, int, int, int]]:
    """Return (onset, end, pitch, role, velocity) by role, key and order of playing."""
    notes = played.notes
    order = np.lexsort((np.arange(notes.size), notes["onset_s"], notes["pitch"], roles))
    ends_s = notes["onset_s"] + notes["duration_s"]
    columns = (notes["onset_s"], ends_s, notes["pitch"], roles, notes["velocity"])
    return list(zip(*(column[order].tolist() for column in columns), strict=True))


def test_a_chord_reads_as_the_layout_says() -> None:
    chord = performance((0.5, 1.2, 60, 64), (0.502, 0.1, 64, 127), pedals=((0.5, True), (1.7, False)))
    assert names(encode(chord)) == [
        *("TIME_50", "PEDAL_OWN_1", "ON_OWN_60", "VEL_16", "ON_OWN_64", "VEL_31"),
        *("TIME_10", "OFF_OWN_64", "TIME_100", "TIME_10", "OFF_OWN_60", "PEDAL_OWN_0"),
    ]


def test_a_key_struck_twice_within_a_step_keeps_its_order() -> None:
    trill = performance((1.000, 0.001, 60, 64), (1.002, 0.5, 60, 70))
    expected = ["TIME_100", "ON_OWN_60", "VEL_16", "OFF_OWN_60", "ON_OWN_60", "VEL_17", "TIME_50", "OFF_OWN_60"]
    assert names(encode(trill)) == expected


def test_the_roles_are_kept_apart() -> None:
    both = performance((0.0, 1.0, 60, 64), (0.0, 1.0, 60, 64), pedals=((0.5, True),))
    tokens = encode(both, roles=np.array([0, 1], np.uint8), pedal_roles=np.array([1], np.uint8))
    assert names(tokens) == [
        *("ON_OWN_60", "VEL_16", "ON_GIVEN_60", "VEL_16", "TIME_50", "PEDAL_GIVEN_1"),
        *("TIME_50", "OFF_OWN_60", "OFF_GIVEN_60"),
    ]


@given(duets())
def test_a_round_trip_keeps_every_note_to_5_ms_and_half_a_bin(duet: TwoRoles) -> None:
    decoded = decode(encoded(duet))
    played, heard = by_key(duet.performance, duet.roles), by_key(decoded.performance, decoded.roles)
    assert len(heard) == len(played)
    for (onset_s, end_s, *key, velocity), (heard_onset_s, heard_end_s, *heard_key, heard_velocity) in zip(
        played, heard, strict=True
    ):
        assert heard_key == key
        assert abs(heard_onset_s - onset_s) <= HALF_STEP_S
        assert abs(heard_end_s - end_s) <= HALF_STEP_S + SHORTEST_NOTE_S * (heard_end_s - heard_onset_s < 0.005)
        assert abs(heard_velocity - velocity) <= 2


@given(duets())
def test_a_round_trip_keeps_every_pedal_change_to_5_ms(duet: TwoRoles) -> None:
    decoded = decode(encoded(duet))
    for role in Role:
        played = duet.performance.pedals[duet.pedal_roles == role]
        heard = decoded.performance.pedals[decoded.pedal_roles == role]
        assert heard["down"].tolist() == played["down"].tolist()
        assert np.all(np.abs(heard["time_s"] - played["time_s"]) <= HALF_STEP_S)


@given(duets())
def test_tokens_decoded_and_encoded_again_are_the_same_tokens(duet: TwoRoles) -> None:
    tokens = encoded(duet)
    decoded = decode(tokens)
    again = encode(decoded.performance, roles=decoded.roles, pedal_roles=decoded.pedal_roles)
    assert names(again) == names(tokens)


@given(any_notes())
@example(performance((0.0, 1.0, 60, 64), (0.0, 1.0, 60, 64), (0.0, 0.2, 60, 64)))
@example(performance((0.1, 9.0, 60, 64), (0.5, 1.0, 60, 70)))
def test_overlapping_notes_of_a_key_take_turns_and_none_is_lost(played: Performance) -> None:
    tokens = encode(played)
    on_piano = int((played.notes["pitch"] >= 60).sum() - (played.notes["pitch"] > 108).sum())
    assert decode(tokens).performance.notes.size == on_piano
    down: set[int] = set()
    for token in tokens.tolist():
        kind, pitch = VOCABULARY.kinds[token], int(VOCABULARY.values[token])
        if kind == Kind.ON:
            assert pitch not in down
            down.add(pitch)
        elif kind == Kind.OFF:
            down.remove(pitch)
    assert not down


def test_notes_that_touch_still_touch_after_any_stretch() -> None:
    factors = np.random.default_rng(1).uniform(0.8, 1.25, 300)
    onsets_s = np.arange(200) * 0.037
    notes = np.zeros(200, NOTE)
    notes["pitch"], notes["velocity"] = 60, 64
    for factor in factors:
        notes["onset_s"], notes["duration_s"] = onsets_s * factor, 0.037 * factor
        heard = decode(encode(Performance(notes))).performance.notes
        assert np.abs(np.diff(heard["onset_s"]) - heard["duration_s"][:-1]).max() < 1e-9


@given(duets(), st.integers(0, 500))
def test_what_was_before_the_origin_shows_only_its_releases(duet: TwoRoles, origin_steps: int) -> None:
    origin_s = origin_steps / 100
    played = duet.performance
    tokens = encode(played, roles=duet.roles, pedal_roles=duet.pedal_roles, origin_s=origin_s)
    onsets_ns = np.rint((played.notes["onset_s"] - origin_s) * 1e9)
    ends_ns = np.maximum(
        np.rint((played.notes["onset_s"] + played.notes["duration_s"] - origin_s) * 1e9), onsets_ns + 1
    )
    pedals_ns = np.rint((played.pedals["time_s"] - origin_s) * 1e9)
    kinds = VOCABULARY.kinds[tokens]
    assert (kinds == Kind.ON).sum() == (onsets_ns >= 0).sum()
    assert (kinds == Kind.OFF).sum() == (ends_ns >= 0).sum()
    assert (kinds == Kind.PEDAL).sum() == (pedals_ns >= 0).sum()
    since = decode(tokens)
    kept = onsets_ns >= 0
    expected = by_key(Performance(played.notes[kept]), duet.roles[kept])
    heard = by_key(since.performance, since.roles)
    assert [entry[2:4] for entry in heard] == [entry[2:4] for entry in expected]
    for (heard_s, *_), (onset_s, *_) in zip(heard, expected, strict=True):
        assert abs(heard_s + origin_s - onset_s) <= HALF_STEP_S


def test_a_key_held_over_the_origin_shows_its_release_alone() -> None:
    held = performance((1.0, 2.0, 60, 64), (2.5, 1.0, 64, 64), pedals=((0.5, True), (2.2, False)))
    assert names(encode(held, origin_s=2.0)) == [
        *("TIME_20", "PEDAL_OWN_0", "TIME_30", "ON_OWN_64", "VEL_16"),
        *("TIME_50", "OFF_OWN_60", "TIME_50", "OFF_OWN_64"),
    ]


def test_pitches_outside_the_piano_are_left_out() -> None:
    assert names(encode(performance((0.0, 0.1, 20, 64), (0.0, 0.1, 109, 64)))) == []


@pytest.mark.parametrize("velocity", [0, 128, 255])
def test_an_impossible_velocity_is_refused(velocity: int) -> None:
    with pytest.raises(ValueError, match=f"velocity of 1 to 127, not {velocity} to {velocity}"):
        encode(performance((0.0, 0.1, 60, velocity)))


def test_nothing_is_no_tokens_and_no_tokens_are_nothing() -> None:
    assert encode(Performance(no_notes())).dtype == np.int32
    for silence in (encode(Performance(no_notes())), np.array(VOCABULARY.wait(300), np.int32)):
        decoded = decode(silence)
        assert decoded.performance.notes.size == decoded.roles.size == decoded.pedal_roles.size == 0


def test_a_head_and_a_preview_are_not_played() -> None:
    head = [VOCABULARY.bos, VOCABULARY.task("continue"), VOCABULARY.style("opening")]
    press = [VOCABULARY.on(Role.OWN, 60), VOCABULARY.velocity(64)]
    tokens = [*head, VOCABULARY.preview, *press, *VOCABULARY.wait(150), VOCABULARY.play, *VOCABULARY.wait(20), *press]
    heard = decode(np.array(tokens, np.int32)).performance.notes
    assert heard["onset_s"].tolist() == [0.2]


def _heard_live(tokens: list[int]) -> list[tuple[int, int, int, int, int]]:
    """Return (on step, off step, pitch, role, velocity) of the notes that a live decoder makes of tokens."""
    decoder = StreamDecoder(0)
    notes: list[tuple[int, int, int, int, int]] = []
    open_notes: dict[tuple[int, Role], tuple[int, int]] = {}
    for token in tokens:
        timed = decoder.push(token)
        if timed is None or isinstance(timed.event, Pedal):
            continue
        step, pitch = timed.at_ns // STEP_NS, timed.event.pitch
        if begun := open_notes.pop((pitch, timed.role), None):
            notes.append((begun[0], step, pitch, int(timed.role), begun[1]))
        if isinstance(timed.event, NoteOn):
            open_notes[pitch, timed.role] = step, timed.event.velocity
    notes += [(on, decoder.step, pitch, int(role), velocity) for (pitch, role), (on, velocity) in open_notes.items()]
    return sorted(notes)


@given(streams())
def test_any_tokens_decode_and_say_what_they_say_live(tokens: list[int]) -> None:
    decoded = decode(np.array(tokens, np.int32))
    notes = decoded.performance.notes
    on = np.rint(notes["onset_s"] * 100).astype(int)
    length = np.where(notes["duration_s"] == SHORTEST_NOTE_S, 0, np.rint(notes["duration_s"] * 100)).astype(int)
    columns = (on, on + length, notes["pitch"], decoded.roles, notes["velocity"])
    assert sorted(zip(*(column.tolist() for column in columns), strict=True)) == _heard_live(tokens)
    live = StreamDecoder(0)
    pedals = [timed for token in tokens if (timed := live.push(token)) and isinstance(timed.event, Pedal)]
    assert decoded.pedal_roles.tolist() == [timed.role for timed in pedals]
    assert decoded.performance.pedals["down"].tolist() == [
        timed.event.down for timed in pedals if isinstance(timed.event, Pedal)
    ]
