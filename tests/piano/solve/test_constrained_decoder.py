"""The one decoder: tokens are drawn while options are offered, from these alone, and each is taken once."""

import numpy as np
import pytest

from piano.sampling.sampler import Sampler, SamplingSettings
from piano.session import Logits
from piano.solve.constrained_decoder import ConstrainedDecoder
from piano.solve.exercise_stream import ExerciseStream
from piano.solve.limits import Options
from piano.solve.live_stream import LiveStream
from piano.tokens.vocabulary import VOCABULARY

NO_BIAS: Logits = np.zeros(VOCABULARY.size, np.float32)


class CountsDown(ConstrainedDecoder):
    """Offers a wait of one step or of two, so many times; the model finds one step twice as likely."""

    def __init__(self, times: int, bias: Logits = NO_BIAS) -> None:
        super().__init__(SamplingSettings(temperature=0.0))
        self.left, self.taken, self._bias = times, list[int](), bias

    def options(self) -> Options | None:
        if not self.left:
            return None
        logits = np.full(VOCABULARY.size, 9.0, np.float32)
        logits[[VOCABULARY.time(1), VOCABULARY.time(2)]] = np.log(2), 0.0
        allowed = np.zeros(VOCABULARY.size, np.bool_)
        allowed[[VOCABULARY.time(1), VOCABULARY.time(2)]] = True
        return self._offer(Options(allowed), logits, 0, {}, bias=self._bias)

    def take(self, token: int) -> None:
        self.left -= 1
        self.taken.append(token)


def test_it_draws_while_options_are_offered() -> None:
    decoder = CountsDown(3)
    decoder.draw(Sampler(0, SamplingSettings(temperature=0.0)))
    assert decoder.taken == [VOCABULARY.time(1)] * 3
    assert not decoder.draw_one(Sampler(0))


def test_what_is_known_of_the_music_counts() -> None:
    bias = NO_BIAS.copy()
    bias[VOCABULARY.time(2)] = 1.0
    decoder = CountsDown(1, bias)
    decoder.draw(Sampler(0, SamplingSettings(temperature=0.0)))
    assert decoder.taken == [VOCABULARY.time(2)]


def test_how_probable_a_token_is_counts_among_the_options() -> None:
    decoder = CountsDown(1)
    with pytest.raises(RuntimeError, match="no options"):
        _ = decoder.logits
    decoder.options()
    assert decoder.log_probability(VOCABULARY.time(1)) == pytest.approx(np.log(2 / 3))
    assert decoder.log_probability(VOCABULARY.time(2)) == pytest.approx(np.log(1 / 3))


def test_live_and_files_draw_by_it_and_by_nothing_else() -> None:
    for stream in (LiveStream, ExerciseStream):
        assert issubclass(stream, ConstrainedDecoder)
        assert stream.draw is ConstrainedDecoder.draw
        assert stream.draw_one is ConstrainedDecoder.draw_one
