"""What is known of the music as nats for each token: added to the model's logits, it makes a posterior of its prior."""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from piano.events import LOWEST_PITCH, Role
from piano.sampling.rhythm import gained
from piano.session import Logits
from piano.solve.limits import IS_OWN_ON
from piano.solve.register import Press
from piano.solve.score_timing import TempoCurve
from piano.solve.texture import AGAIN_NATS, AGAIN_STEPS, Texture, joins_last
from piano.tokens.vocabulary import LONGEST_TIME_STEPS, VOCABULARY

_OTHERS, _OTHERS_HELD, _OTHERS_IN_GAP = 0.7, 0.1, 0.01
"""Which share of what ends a wait is not our own keys that go down: while keys may come up, while none may, and while
none may in a gap, where nobody plays along."""

_LATELY, _COUNTED = 12, 128
_LETS_PASS = np.float32(-1.0)
"""By so many nats, together, keys of another register become rarer before others in it become likelier for it."""

_FIRST_OWN_ON = VOCABULARY.on(Role.OWN, LOWEST_PITCH) - LOWEST_PITCH
_WAITS = slice(VOCABULARY.first_time, VOCABULARY.first_time + LONGEST_TIME_STEPS)
_PEDAL_DOWN = VOCABULARY.pedal(Role.OWN, down=True)

NO_PEDAL_DOWN: Logits = np.where(np.arange(VOCABULARY.size) == _PEDAL_DOWN, -np.inf, 0.0).astype(np.float32)
"""All is as likely as it was, but our own pedal stays up, (vocab,)."""


def in_tempo(tempo: TempoCurve, step: int, until: int | None) -> Logits:
    """Return by how many nats the score makes each token likelier at a step, (vocab,), when something known comes at
    `until`.
    """
    now, other, waits = tempo.bias(step, until)
    bias = np.full(VOCABULARY.size, other, np.float32)
    bias[IS_OWN_ON] = now
    bias[_WAITS] = waits[:LONGEST_TIME_STEPS]
    return bias


def in_texture(texture: Texture, step: int, presses: Sequence[Press], rises: int, logits: Logits) -> Logits:
    """Return by how many nats what stands makes each token likelier at a step, (vocab,), after these presses.

    From the step `rises` on a key may come up. The register says which key goes down, not whether one does, by the
    model's `logits`, (vocab,), but where nearly all that is meant lies elsewhere: then the moment may pass. Moments
    that are late make a wait shorter, not a chord larger.
    """
    since = texture.since(step)
    played = len(presses) - bisect_left(presses, (since, 0))
    lately = presses[max(-_COUNTED, -played) :] if played else ()
    moments = texture.bias(step, played, lately)
    bias = np.zeros(VOCABULARY.size, np.float32)
    bias[IS_OWN_ON] = moments[0]
    if texture.register is not None:
        keys = texture.register.bias(step, lately)
        bias[IS_OWN_ON] += keys - max(gained(logits[IS_OWN_ON], keys), _LETS_PASS)
    held = _OTHERS_IN_GAP if texture.gaps else _OTHERS_HELD
    others = np.where(np.arange(step + 1, step + 1 + LONGEST_TIME_STEPS) >= rises, _OTHERS, held)
    bias[_WAITS] = np.log(np.exp(moments[1:]) * (1 - others) + others) + texture.silence(step, played, lately)
    if texture.moments is not None and joins_last(step, lately):
        bias[_WAITS] -= gained(logits[_WAITS], bias[_WAITS])
    for pressed, pitch in presses[-_LATELY:]:
        if pressed >= step - AGAIN_STEPS:
            bias[_FIRST_OWN_ON + pitch] -= AGAIN_NATS
    return bias
