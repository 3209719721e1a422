"""Which styles of the vocabulary the settings ask for."""

from typing import get_args

from piano.tokens.styles import MOODS
from piano.tokens.vocabulary import VOCABULARY
from realtime.engine.open_model import SOURCE_OF_STYLE, stream_head, styles_of
from realtime.settings import AnswerGroup, Settings


def _choices(name: str) -> tuple[str, ...]:
    return tuple(choice for kind in get_args(AnswerGroup.model_fields[name].annotation) for choice in get_args(kind))


def test_styles_stand_in_the_order_in_which_the_model_has_learned_them() -> None:
    settings = Settings(composer="bach", style="jazz", density=1.0, mood="calm")
    assert styles_of(settings) == ("composer:bach", "source:jazz", "density:0", "mood:calm")
    assert stream_head(settings)[2:] == tuple(VOCABULARY.style(style) for style in styles_of(settings))
    assert styles_of(Settings()) == ()


def test_every_style_and_mood_that_can_be_asked_for_is_known_to_the_model() -> None:
    assert set(_choices("style")) == set(SOURCE_OF_STYLE)
    assert set(_choices("mood")) == set(MOODS)
    for style in SOURCE_OF_STYLE.values():
        VOCABULARY.style(f"source:{style}")
