"""Cues: what they are called, how they are moved, and where they stand in a stream."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.cue_arrays import CUE, transposed
from piano.cues import BEAT, CUES, DOWNBEAT, ENDING, NO_CHORD, QUALITIES, chord, cue_name, read_harte, tones
from piano.errors import PianodError
from piano.events import NoteOff, NoteOn, TimedEvent
from piano.notes import NOTE, PEDAL, Performance
from piano.tokens.encoding import decode, encode
from piano.tokens.grammar import Grammar
from piano.tokens.stream import StreamEncoder
from piano.tokens.vocabulary import VOCABULARY, Kind


def test_every_code_has_a_token_of_its_own_name() -> None:
    for code in range(CUES):
        token = VOCABULARY.cue(code)
        assert VOCABULARY.names[token] == cue_name(code)
        assert (VOCABULARY.kinds[token], VOCABULARY.values[token]) == (Kind.CUE, code)
    with pytest.raises(ValueError, match="cues 0 to"):
        VOCABULARY.cue(CUES)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("C", "CHORD_C:maj"),
        ("F#:min7/b3", "CHORD_Gb:min7"),
        ("Bb:sus4(b7)", "CHORD_Bb:sus4"),
        ("Cb:maj6", "CHORD_B:maj"),
        ("E:minmaj7", "CHORD_E:min"),
        ("A:hdim7/5", "CHORD_A:hdim7"),
        ("N", "CHORD_N"),
    ],
)
def test_harte_labels_are_read(label: str, name: str) -> None:
    assert cue_name(read_harte(label)) == name


@pytest.mark.parametrize("label", ["", "H:maj", "c", "Cx:maj", "maj"])
def test_what_is_no_chord_is_refused_by_name(label: str) -> None:
    with pytest.raises(PianodError, match="is no chord"):
        read_harte(label)


@given(st.integers(0, 11), st.sampled_from(sorted(QUALITIES)), st.integers(-30, 30))
def test_a_moved_chord_has_the_moved_tones(root: int, quality: str, semitones: int) -> None:
    code = chord(root, quality)
    moved = int(transposed(np.array([code], np.uint8), semitones)[0])
    assert tones(moved) == {(tone + semitones) % 12 for tone in tones(code)}


def test_what_is_no_chord_does_not_move() -> None:
    codes = np.array([BEAT, DOWNBEAT, ENDING, NO_CHORD], np.uint8)
    assert transposed(codes, 5).tolist() == codes.tolist()


def _played() -> Performance:
    notes = np.array([(0.5, 0.4, 60, 66, 0), (1.0, 0.5, 64, 66, 0)], NOTE)
    pedals = np.array([(0.5, True), (1.2, False)], PEDAL)
    cues = np.array([(0.1, chord(0, "maj")), (0.5, DOWNBEAT), (1.0, BEAT), (1.0, chord(9, "min"))], CUE)
    return Performance(notes, pedals, cues)


def test_a_cue_stands_before_the_events_of_its_step() -> None:
    names = [VOCABULARY.names[token] for token in encode(_played())]
    assert names == [
        *(
            "TIME_10",
            "CHORD_C:maj",
            "TIME_40",
            "DOWNBEAT",
            "PEDAL_OWN_1",
            "ON_OWN_60",
            "VEL_16",
            "TIME_40",
            "OFF_OWN_60",
        ),
        *("TIME_10", "BEAT", "CHORD_A:min", "ON_OWN_64", "VEL_16", "TIME_20", "PEDAL_OWN_0", "TIME_30", "OFF_OWN_64"),
    ]


def test_cues_come_back_from_tokens_and_change_no_note() -> None:
    played = _played()
    decoded = decode(encode(played)).performance
    plain = decode(encode(Performance(played.notes, played.pedals))).performance
    assert decoded.cues["code"].tolist() == played.cues["code"].tolist()
    assert np.allclose(decoded.cues["time_s"], played.cues["time_s"])
    assert decoded.notes.tolist() == plain.notes.tolist()
    assert decoded.pedals.tolist() == plain.pedals.tolist()


def test_live_cues_and_notes_make_the_same_stream_as_the_whole() -> None:
    encoder = StreamEncoder(0)
    tokens: list[int] = []

    def apply(rewind: int, added: tuple[int, ...]) -> None:
        del tokens[len(tokens) - rewind :]
        tokens.extend(added)

    for at_ns, what in (
        (100_000_000, chord(0, "maj")),
        (499_000_000, NoteOn(60, 66)),
        (500_000_000, DOWNBEAT),  # the clock comes a millisecond after the key, within its step
        (900_000_000, NoteOff(60)),
    ):
        edit = encoder.push_cue(at_ns, what) if isinstance(what, int) else encoder.push(TimedEvent(at_ns, what))
        apply(edit.rewind, edit.tokens)
    notes = np.array([(0.499, 0.401, 60, 66, 0)], NOTE)
    cues = np.array([(0.1, chord(0, "maj")), (0.5, DOWNBEAT)], CUE)
    assert tokens == encode(Performance(notes, cues=cues)).tolist()


def test_the_grammar_lets_no_cue_be_sampled() -> None:
    grammar = Grammar()
    for token in encode(_played()):
        assert not grammar.mask()[VOCABULARY.kinds == Kind.CUE].any()
        grammar.push(int(token))
