"""What a warm start brings to a model: today's vocabulary, and what it knew before."""

import torch

from piano.tokens.vocabulary import VOCABULARY, Kind
from train.model.gpt2 import GPT2, GPT2Config
from train.model.warm_start import with_later_tokens


def _of_size(size: int) -> GPT2:
    torch.manual_seed(0)
    return GPT2(GPT2Config(size, 32, 2, 2, 32))


def test_later_tokens_get_rows_and_what_was_known_costs_what_it_cost() -> None:
    older = _of_size(574)
    older.transformer.wte.weight.data[VOCABULARY.pad] -= 2.0  # as in a trained model: never said, so unlikely
    grown = with_later_tokens(older)
    tokens = torch.tensor([[VOCABULARY.bos, VOCABULARY.task("continue"), VOCABULARY.first_time, VOCABULARY.first_on]])
    old, new = older(tokens), grown(tokens)
    assert grown.config.vocab_size == VOCABULARY.size
    torch.testing.assert_close(new[..., :574], old)
    cues = torch.from_numpy(VOCABULARY.kinds == Kind.CUE)
    torch.testing.assert_close(new[..., cues], old[..., [VOCABULARY.pad]].expand(-1, -1, int(cues.sum())))
    jazz = grown.transformer.wte.weight[VOCABULARY.style("source:jazz")]
    styles = torch.from_numpy(VOCABULARY.kinds[:574] == Kind.STYLE)
    torch.testing.assert_close(jazz, older.transformer.wte.weight[styles].mean(dim=0))


def test_a_model_of_today_is_left_as_it_is() -> None:
    model = _of_size(VOCABULARY.size)
    assert with_later_tokens(model) is model
