"""The model: causal, the same in training and evaluation, and stacked as its paper has it."""

import pytest
import torch

from piano.tokens.vocabulary import VOCABULARY
from train.model.causal_attention import ATTENTION_BLOCK
from train.model.gpt2 import GPT2, Attention, GPT2Config


def test_attention_takes_the_same_values_in_training_and_evaluation() -> None:
    attention = Attention(GPT2Config(8, context=256, layers=1, heads=2, width=16))
    x = torch.randn(2, ATTENTION_BLOCK, 16)
    torch.testing.assert_close(attention.train()(x), attention.eval()(x))


def test_a_token_changes_nothing_before_it(tiny_model: GPT2) -> None:
    tokens = torch.randint(VOCABULARY.size, (1, 20))
    changed = tokens.clone()
    changed[0, 12] = (changed[0, 12] + 1) % VOCABULARY.size
    before, after = tiny_model(tokens), tiny_model(changed)
    torch.testing.assert_close(before[:, :12], after[:, :12], atol=0, rtol=0)
    assert not torch.allclose(before[:, 12:], after[:, 12:])


def test_positions_count_from_zero_unless_given(tiny_model: GPT2) -> None:
    tokens = torch.randint(VOCABULARY.size, (2, 10))
    torch.testing.assert_close(tiny_model(tokens), tiny_model(tokens, torch.arange(10)))
    rows = torch.stack([torch.arange(10), torch.arange(5, 15)])
    shifted = tiny_model(tokens, rows)
    torch.testing.assert_close(shifted[0], tiny_model(tokens)[0])
    assert not torch.allclose(shifted[1], tiny_model(tokens)[1])


def test_the_head_is_the_embedding_and_counted_once(tiny_model: GPT2) -> None:
    width, layers = 16, 2
    a_layer = 12 * width * width + 13 * width
    assert tiny_model.parameter_count() == (VOCABULARY.size + 64) * width + layers * a_layer + 2 * width


def test_dropout_drops_in_training_alone() -> None:
    model = GPT2(GPT2Config(VOCABULARY.size, context=64, layers=1, heads=2, width=16, dropout=0.5))
    tokens = torch.randint(VOCABULARY.size, (1, 10))
    assert not torch.equal(model.train()(tokens), model(tokens))
    torch.testing.assert_close(model.eval()(tokens), model(tokens), atol=0, rtol=0)


def test_a_width_that_heads_cannot_share_is_refused() -> None:
    with pytest.raises(ValueError, match="width of 10 cannot be shared by 4 heads"):
        GPT2(GPT2Config(8, context=64, layers=1, heads=4, width=10))
