"""What is likely here: shares that are counted nearby, and where there is little nearby, in the whole.

A hierarchy of two Dirichlet distributions: the whole is expected as if all were alike, what is nearby as the whole.
"""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

_ALIKE, _AS_THE_WHOLE = 1.0, 12.0
"""So many notes count as if they had been seen: all alike in the whole; and nearby, as they are in the whole."""


def local_shares(counts: Values, reach: int) -> Values:
    """Return how likely each column is in each row, (rows, columns), by what was counted there and in rows around it.

    Rows nearer than `reach` count, the nearer the more.
    """
    whole = counts.sum(axis=0)
    whole = (whole + _ALIKE / whole.size) / (whole.sum() + _ALIKE)
    padded = np.pad(counts, ((reach, reach), (0, 0)))
    near = np.zeros_like(counts)
    for shift, weight in enumerate(np.hanning(2 * reach + 1).tolist()):
        near += weight * padded[shift : shift + len(counts)]
    return np.asarray((near + _AS_THE_WHOLE * whole) / (near.sum(axis=1, keepdims=True) + _AS_THE_WHOLE), np.float64)
