"""How tracks are called that are a hand of a piano, in several languages: the one table, and how a name is read.

    hand_tracks(["Rechte Hand", "Linke Hand", "Strings"], "left")    # {1}

A name is read in whole words, whatever their case, accents, dots and hyphens: "m.d." is "md". What names a hand counts
wherever it stands; a side alone ("right", "links", "m.d.") only beside words that any track of a piano may bear, and
numbers: a guitar on the right is no hand. And a hand counts only where the other one is named in the same language, so
that one track called "Bass", or "Links", is nobody's left hand.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class HandWords(NamedTuple):
    """What names the two hands: anywhere in a name, and beside plain words alone."""

    right: tuple[str, ...]
    left: tuple[str, ...]
    right_side: tuple[str, ...] = ()
    left_side: tuple[str, ...] = ()


HAND_WORDS: Mapping[str, HandWords] = {
    "English": HandWords(("right hand", "righthand", "rh"), ("left hand", "lefthand", "lh"), ("right",), ("left",)),
    "German": HandWords(
        ("rechte hand", "rechtehand", "rh"), ("linke hand", "linkehand", "lh"), ("rechts", "rechte"), ("links", "linke")
    ),
    "French": HandWords(("main droite",), ("main gauche",), ("droite", "md"), ("gauche", "mg")),
    "Italian": HandWords(("mano destra",), ("mano sinistra",), ("destra", "md"), ("sinistra", "ms")),
    "Spanish": HandWords(("mano derecha",), ("mano izquierda",), ("derecha", "md"), ("izquierda", "mi")),
    "Dutch": HandWords(
        ("rechterhand", "rechter hand", "rh"), ("linkerhand", "linker hand", "lh"), ("rechts",), ("links",)
    ),
    "staves": HandWords(("treble clef",), ("bass clef",), ("treble", "upper"), ("bass", "lower")),
}
"""By language, and as notation programs call the two staves of a piano."""

_PLAIN = frozenset(
    (
        "acoustic",
        "and",
        "clavier",
        "clef",
        "flugel",
        "grand",
        "hand",
        "harpsichord",
        "instrument",
        "keyboard",
        "keys",
        "klavier",
        "main",
        "mano",
        "of",
        "part",
        "piano",
        "pianoforte",
        "pno",
        "staff",
        "stave",
        "system",
        "track",
        "upright",
        "voice",
    )
)
"""What may stand beside a side."""


def hand_tracks(names: Sequence[str], hand: str) -> set[int]:
    """Return the indices of the tracks that say they are a hand's, "right" or "left"; none unless both hands say so."""
    if hand not in ("right", "left"):
        raise ValueError(f"a hand is right or left, not {hand!r}")
    found: set[int] = set()
    read = [_words(name) for name in names]
    for words in HAND_WORDS.values():
        right = {index for index, name in enumerate(read) if _says(name, words.right, words.right_side)}
        left = {index for index, name in enumerate(read) if _says(name, words.left, words.left_side)}
        if right - left and left - right:
            found |= right - left if hand == "right" else left - right
    return found


def _words(name: str) -> list[str]:
    """Return the words of a name without case and accents; initials with dots, "r. h.", are one word."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", name) if not unicodedata.combining(sign)).lower()
    plain = re.sub(r"\b([a-z])\. ?([a-z])\b\.?", r"\1\2", plain)
    return re.findall(r"[^\W_]+", plain)


def _says(name: Sequence[str], anywhere: Sequence[str], beside: Sequence[str]) -> bool:
    """Say whether a name, in words, has one of these anywhere, or one of those beside plain words and numbers alone."""
    spaced = f" {' '.join(name)} "
    if any(f" {phrase} " in spaced for phrase in anywhere):
        return True
    others = [word for word in name if word not in beside]
    return len(others) < len(name) and all(word in _PLAIN or word.isdigit() for word in others)
