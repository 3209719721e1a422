"""Which tracks say that they are a hand of a piano, and which only seem to."""

import pytest

from piano.midi.hand_names import HAND_WORDS, hand_tracks


@pytest.mark.parametrize(
    ("right", "left"),
    [
        ("Right Hand", "Left Hand"),
        ("Piano_Right", "left-hand"),
        ("RH", "LH"),
        ("Chopin, R.H.", "Chopin, L. H."),
        ("rechts", "links"),
        ("Rechts 11", "Links 11"),
        ("Rechte Hand", "Linke Hand"),
        ("Klavier r.H.", "Klavier l.H."),
        ("Main droite", "Main gauche"),
        ("MD", "MG"),
        ("piano (m.d.)", "piano (m.g.)"),
        ("Mano destra", "Mano sinistra"),
        ("m.d.", "m.s."),
        ("MANO DERECHA", "MANO IZQUIERDA"),
        ("derecha", "izquierda"),
        ("Rechterhand", "Linkerhand"),
        ("Piano, upper", "Piano, lower"),
        ("Upper staff", "Lower staff"),
        ("Treble", "Bass"),
        ("Piano right 1", "Piano left 2"),
    ],
)
def test_both_hands_are_known_by_their_names(right: str, left: str) -> None:
    names = ["Title", right, left, "Strings"]
    assert (hand_tracks(names, "right"), hand_tracks(names, "left")) == ({1}, {2})


@pytest.mark.parametrize(
    "names",
    [
        ("Piano", "Bass", "Drums"),
        ("Links 2 3 4", "Gitarre", "Bass"),
        ("Links 2 3 4", "Right"),
        ("Guitar Right", "Guitar Left"),
        ("Upper strings", "Lower strings"),
        ("bright", "Leftover"),
        ("Right hand", "Strings"),
        ("Right and left hand", "Both hands"),
        ("MD", "RH", "mi bemol"),
        ("droit", "Gaucho"),
        ("", ""),
    ],
)
def test_what_only_seems_to_be_a_hand_is_none(names: tuple[str, ...]) -> None:
    assert (hand_tracks(names, "right"), hand_tracks(names, "left")) == (set(), set())


def test_hands_of_two_pianos_are_found_together_and_a_third_is_refused() -> None:
    names = ["Piano I right", "RH", "LH", "Piano upper", "Piano lower"]
    assert hand_tracks(names, "right") == {1, 3}
    with pytest.raises(ValueError, match="not 'both'"):
        hand_tracks(names, "both")


def test_every_language_has_words_for_both_hands() -> None:
    assert all(
        words.right and words.left and len(words.right_side) == len(words.left_side) for words in HAND_WORDS.values()
    )
