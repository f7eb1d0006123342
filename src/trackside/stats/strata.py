"""Strata from labels of two grains: fine ones where they recur, coarse ones where they do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from trackside.stats.level_scan import Codes

Stratum = tuple[str | None, str | None]
"""The coarse and the fine label; None where it is not known."""

_FEWEST = 3
"""A fine label with fewer values says nothing about its own level."""


def codes_of(labels: Sequence[Stratum], n: int) -> Codes:
    """A number for the stratum of each of ``n`` values, in the order of first appearance; all 0 without labels."""
    if not labels:
        return np.zeros(n, dtype=np.int64)
    counts = Counter(labels)
    merged = [
        (coarse, fine, True) if counts[coarse, fine] >= _FEWEST else (coarse, None, False) for coarse, fine in labels
    ]
    numbers = {label: number for number, label in enumerate(dict.fromkeys(merged))}
    return np.array([numbers[label] for label in merged], dtype=np.int64)
