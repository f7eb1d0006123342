"""Many tests at once: how many of the hits are chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """The q-value of each p-value, in the order given.

    Calling everything with q <= x a hit, at most the share x of the hits is chance on average, where the tests are
    independent or positively dependent. Source: Y. Benjamini and Y. Hochberg, JRSS B 57 (1995), 289-300.
    """
    values = np.asarray(p, dtype=np.float64)
    if values.size == 0:
        return []
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("p-values lie between 0 and 1")
    order = np.argsort(values, kind="stable")
    scaled = values[order] * (values.size / np.arange(1, values.size + 1))
    smallest = np.minimum.accumulate(scaled[::-1])[::-1]
    q = np.empty_like(values)
    q[order] = np.minimum(smallest, 1.0)
    return [float(value) for value in q]
