"""Where a stream of tokens may be cut into windows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from piano.tokens.vocabulary import VOCABULARY, Kind


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Where a stream may be cut, by token id: what its head consists of, what ends an event, what bounds a preview."""

    in_head: NDArray[np.bool_]
    ends_event: NDArray[np.bool_]
    opens_preview: NDArray[np.bool_]
    closes_preview: NDArray[np.bool_]


def landmarks() -> Landmarks:
    """Return the landmarks of the vocabulary."""

    def which(*kinds: Kind) -> NDArray[np.bool_]:
        return np.isin(VOCABULARY.kinds, kinds)

    return Landmarks(
        in_head=which(Kind.BOS, Kind.TASK, Kind.STYLE),
        ends_event=which(Kind.OFF, Kind.PEDAL, Kind.VELOCITY, Kind.PLAY),
        opens_preview=which(Kind.PREVIEW),
        closes_preview=which(Kind.PLAY),
    )
