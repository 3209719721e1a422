"""Styles: what a corpus says of a piece, in the vocabulary's words."""

import pytest

from piano.tokens.styles import DENSITIES
from piano.tokens.vocabulary import VOCABULARY
from train.dataset.styles import composer_style, density_style, source_style


@pytest.mark.parametrize(
    ("name", "style"),
    [
        ("Frédéric Chopin", "composer:chopin"),
        ("Franz Schubert / Franz Liszt", "composer:schubert"),
        ("Johann Sebastian Bach / Ferruccio Busoni", "composer:bach"),
        ("Isaac Albéniz", "composer:albeniz"),
        ("RACHMANINOFF, Sergei", "composer:rachmaninoff"),
        ("Cesar Franck", None),
        ("", None),
    ],
)
def test_a_composer_is_known_in_any_spelling(name: str, style: str | None) -> None:
    assert composer_style(name) == style
    if style:
        VOCABULARY.style(style)


@pytest.mark.parametrize("dataset", ["maestro-v3.0.0", "asap", "pop909", "hannds", "giantmidi", "pianolatron"])
def test_each_dataset_of_the_corpus_has_a_source(dataset: str) -> None:
    style = source_style(dataset)
    assert style is not None
    VOCABULARY.style(style)


def test_another_collection_has_no_source() -> None:
    assert source_style("my recordings") is None


def test_density_grows_from_first_to_last() -> None:
    styles = [density_style(notes, 10.0) for notes in range(0, 200, 5)]
    assert sorted(set(styles)) == [f"density:{name}" for name in DENSITIES]
    assert styles == sorted(styles)
    assert density_style(5, 0.0) == f"density:{DENSITIES[-1]}"
    for style in styles:
        VOCABULARY.style(style)
