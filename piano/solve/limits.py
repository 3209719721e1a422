"""The limits within which tokens are drawn, whoever draws them: live, for files, or for the study of sampling."""

import numpy as np

from piano.tokens.grammar import Mask
from piano.tokens.vocabulary import VOCABULARY, Kind

LONGEST_HOLD_S = 5.0
"""A key of our own that is held for so long comes up; 999 of 1,000 notes in real performances are shorter."""

LONGEST_WAIT_S = 5.0
"""The longest that the model may wait before an event of its own, where it plays freely."""

MOST_STEP_TOKENS = 96
"""The most that may stand in one step of the stream: about twenty keys struck and released again. Time passes then."""

ENDS_EVENT: Mask = np.isin(VOCABULARY.kinds, (Kind.OFF, Kind.PEDAL, Kind.VELOCITY, Kind.PLAY))
"""The tokens behind which an event, or a preview, is whole, (vocab,)."""
