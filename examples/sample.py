"""Load a bundle, feed it, and sample from it: a piece of 900 tokens, written as a MIDI file.

python -m examples.sample piece.mid [SEED]
"""

import sys
from pathlib import Path

import numpy as np

from inference.bundle import Bundle
from inference.onnx_session import OnnxSession
from piano.events import Role
from piano.midi.file import MidiTrack, write_performance
from piano.sampling.sampler import Sampler, SamplingSettings
from piano.tokens.encoding import decode
from piano.tokens.grammar import Grammar, tokens_of_role
from piano.tokens.vocabulary import VOCABULARY


def sample(bundle: Path, seed: int, count: int) -> list[int]:
    """Return so many tokens of a piece of one player; they must fit the model's context beside the head."""
    session = OnnxSession(Bundle.load(bundle))
    sampler, grammar = Sampler(seed, SamplingSettings(top_p=0.98)), Grammar()
    one_player = tokens_of_role(Role.OWN)
    tokens: list[int] = []
    logits = session.feed([VOCABULARY.bos, VOCABULARY.task("continue"), VOCABULARY.style("opening")])
    while len(tokens) < count:
        token = sampler.draw(logits, grammar.mask() & one_player)
        if token == VOCABULARY.end:
            break
        grammar.push(token)
        tokens.append(token)
        logits = session.feed([token])
    return tokens


def main(out: str, seed: str = "0", count: str = "900") -> None:
    """Sample from the model that comes with pianod, and write what it played."""
    tokens = sample(Path("realtime/embedded"), int(seed), int(count))
    performance = decode(np.array(tokens, np.int32)).performance
    write_performance(Path(out), [MidiTrack("pianod", performance)])
    print(f"{out}: {performance.notes.size} notes, {performance.end_s:.1f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
