"""What is sampled under the grammar is a valid stream, and what is given can never corrupt it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.events import Role
from piano.tokens.encoding import decode, encode
from piano.tokens.grammar import Grammar, Mask, tokens_of_role
from piano.tokens.vocabulary import VOCABULARY, Kind
from tests.support.strategies import TwoRoles, duets, streams


def pushed(tokens: list[int]) -> Grammar:
    """Return the grammar after some tokens."""
    grammar = Grammar()
    for token in tokens:
        grammar.push(token)
    return grammar


def walk(grammar: Grammar, seed: int, length: int, allowed: Mask | None = None) -> list[int]:
    """Return tokens drawn from what the mask allows, all equally likely, until END or the length."""
    rng, stream = np.random.default_rng(seed), list[int]()
    while len(stream) < length and VOCABULARY.end not in stream[-1:]:
        mask = grammar.mask() if allowed is None else grammar.mask() & allowed
        token = int(rng.choice(np.flatnonzero(mask)))
        stream.append(token)
        grammar.push(token)
    return stream


class Judge:
    """The rules once more, in the plainest form: fails on the first token that breaks one."""

    def __init__(self) -> None:
        self.down: set[tuple[int, int]] = set()
        self.pedals: set[int] = set()
        self.last = Kind.BOS

    def hear(self, token: int) -> None:
        kind, value, role = Kind(VOCABULARY.kinds[token]), int(VOCABULARY.values[token]), int(VOCABULARY.roles[token])
        assert (kind == Kind.VELOCITY) == (self.last == Kind.ON)
        assert kind in (Kind.TIME, Kind.ON, Kind.OFF, Kind.PEDAL, Kind.VELOCITY, Kind.END)
        if kind == Kind.ON:
            assert (role, value) not in self.down
            self.down.add((role, value))
        elif kind == Kind.OFF:
            self.down.remove((role, value))
        elif kind == Kind.PEDAL:
            assert (role in self.pedals) != bool(value)
            self.pedals ^= {role}
        elif kind == Kind.END:
            assert not self.down
        self.last = kind


@given(st.integers(0, 2**32), st.integers(1, 250))
def test_a_random_walk_under_the_mask_is_a_valid_stream(seed: int, length: int) -> None:
    grammar, judge = Grammar(), Judge()
    stream = walk(grammar, seed, length)
    for token in stream:
        judge.hear(token)
    for role in Role:
        assert grammar.sounding(role) == {pitch for of, pitch in judge.down if of == role}
        assert grammar.pedal_is_down(role) == (role in judge.pedals)
    notes = decode(np.array(stream, np.int32)).performance.notes
    assert notes.size == (VOCABULARY.kinds[stream] == Kind.VELOCITY).sum()
    assert np.all(notes["duration_s"] > 0)


@given(duets())
def test_whatever_two_pianists_can_play_is_allowed(duet: TwoRoles) -> None:
    grammar = Grammar()
    for token in encode(duet.performance, roles=duet.roles, pedal_roles=duet.pedal_roles).tolist():
        assert grammar.mask()[token], VOCABULARY.names[token]
        grammar.push(token)
    assert grammar.mask()[VOCABULARY.end]


@given(streams(), st.integers(0, 2**32))
def test_given_tokens_that_break_the_rules_corrupt_nothing(given_tokens: list[int], seed: int) -> None:
    grammar = pushed([*given_tokens, VOCABULARY.play])
    judge = Judge()
    judge.down = {(int(role), pitch) for role in Role for pitch in grammar.sounding(role)}
    judge.pedals = {int(role) for role in Role if grammar.pedal_is_down(role)}
    for token in walk(grammar, seed, 30):
        judge.hear(token)


@given(streams())
def test_the_mask_says_what_is_known_of_keys_and_pedals(given_tokens: list[int]) -> None:
    grammar = pushed([*given_tokens, VOCABULARY.play])
    mask = grammar.mask()
    for role in Role:
        for pitch in range(21, 109):
            is_down = pitch in grammar.sounding(role)
            assert mask[VOCABULARY.off(role, pitch)] == is_down
            assert mask[VOCABULARY.on(role, pitch)] == (not is_down)
        for down in (False, True):
            assert mask[VOCABULARY.pedal(role, down=down)] == (grammar.pedal_is_down(role) != down)
    nothing_is_down = not (grammar.sounding(Role.OWN) or grammar.sounding(Role.GIVEN))
    assert mask[VOCABULARY.end] == nothing_is_down
    of_time = VOCABULARY.kinds == Kind.TIME
    assert mask[of_time].all()


@given(streams(), streams(max_size=15))
def test_a_copy_goes_its_own_way(before: list[int], after: list[int]) -> None:
    grammar = pushed(before)
    other = grammar.copy()
    kept = grammar.mask().copy(), grammar.sounding(Role.OWN), grammar.pedal_is_down(Role.OWN)
    for token in after:
        other.push(token)
    assert np.array_equal(grammar.mask(), kept[0])
    assert (grammar.sounding(Role.OWN), grammar.pedal_is_down(Role.OWN)) == kept[1:]
    for token in after:
        grammar.push(token)
    assert np.array_equal(grammar.mask(), other.mask())
    assert grammar.sounding(Role.GIVEN) == other.sounding(Role.GIVEN)


def test_a_velocity_and_nothing_else_follows_a_press() -> None:
    grammar = pushed([VOCABULARY.on(Role.GIVEN, 60)])
    assert np.array_equal(grammar.mask(), VOCABULARY.kinds == Kind.VELOCITY)
    grammar.push(VOCABULARY.velocity(64))
    assert not grammar.mask()[VOCABULARY.kinds == Kind.VELOCITY].any()


def test_a_stream_begins_with_every_key_up() -> None:
    allowed = {Kind(kind) for kind in VOCABULARY.kinds[Grammar().mask()]}
    assert allowed == {Kind.TIME, Kind.ON, Kind.PEDAL, Kind.END}


def test_a_preview_presses_no_key() -> None:
    shown = [VOCABULARY.preview, VOCABULARY.on(Role.GIVEN, 60), VOCABULARY.velocity(64), VOCABULARY.on(Role.GIVEN, 64)]
    grammar = pushed([*shown, VOCABULARY.play])
    assert not grammar.sounding(Role.GIVEN)
    assert np.array_equal(grammar.mask(), Grammar().mask())


def test_nobody_can_write_into_the_mask() -> None:
    for grammar in (Grammar(), Grammar().copy(), pushed([VOCABULARY.on(Role.OWN, 60)]).copy()):
        with pytest.raises(ValueError, match="read-only"):
            grammar.mask()[0] = True


@given(st.sampled_from(Role), st.integers(0, 2**32))
def test_one_role_plays_alone_under_its_mask(role: Role, seed: int) -> None:
    allowed = tokens_of_role(role)
    grammar = Grammar()
    stream = np.array(walk(grammar, seed, 60, allowed))
    of_a_role = np.isin(VOCABULARY.kinds[stream], (Kind.ON, Kind.OFF, Kind.PEDAL))
    assert np.all(VOCABULARY.roles[stream][of_a_role] == role)
    assert allowed[VOCABULARY.kinds == Kind.TIME].all()
    assert allowed[VOCABULARY.kinds == Kind.VELOCITY].all()
    assert allowed[VOCABULARY.end]


def test_the_two_roles_share_only_what_belongs_to_nobody() -> None:
    own, given_role = tokens_of_role(Role.OWN), tokens_of_role(Role.GIVEN)
    assert (own | given_role).all()
    assert not np.isin(VOCABULARY.kinds[own & given_role], (Kind.ON, Kind.OFF, Kind.PEDAL)).any()
