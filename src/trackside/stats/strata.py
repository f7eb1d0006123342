"""Strata from labels of two grains: fine ones where they recur, coarse ones where they do not, one for the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from trackside.stats.level_scan import Codes, overlap

Stratum = tuple[str | None, str | None]
"""The coarse and the fine label; None where it is not known."""

_FEWEST = 3
"""A label with fewer values says nothing about its own level."""
_MOST = 60
"""So many strata of a series are told apart, the largest; finer ones would leave nothing to compare."""
_PASSING = 6
"""Fine labels with up to so many values each, one after the other, are names that pass, not places that last."""
_LEAST_SHARED = 0.2
"""The share of the comparisons of a coarse label that its fine ones must leave."""


def codes_of(labels: Sequence[Stratum], n: int) -> Codes:
    """A number for the stratum of each of ``n`` values, in the order of first appearance; all 0 without labels."""
    if not labels:
        return np.zeros(n, dtype=np.int64)
    counts = Counter(labels)
    passing = {coarse for coarse in dict.fromkeys(coarse for coarse, _ in labels) if _is_passing(coarse, labels)}
    merged = [
        (coarse, fine, True) if counts[coarse, fine] >= _FEWEST and coarse not in passing else (coarse, None, False)
        for coarse, fine in labels
    ]
    sizes = Counter(merged)
    own = {label for label, size in sizes.most_common(_MOST) if size >= _FEWEST}
    return _numbered([label if label in own else None for label in merged])


def _is_passing(coarse: str | None, labels: Sequence[Stratum]) -> bool:
    """Whether the fine labels of a coarse one are new again and again and do not come back."""
    fine = [label[1] for label in labels if label[0] == coarse]
    counts = Counter(fine)
    if np.median([counts[label] for label in fine]) > _PASSING or len(fine) < 2 * _FEWEST:
        return False
    within = overlap(_numbered(fine))
    return float(within.sum()) < _LEAST_SHARED * float(overlap(np.zeros(len(fine), dtype=np.int64)).sum())


def _numbered(labels: Sequence[object]) -> Codes:
    numbers = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    return np.array([numbers[label] for label in labels], dtype=np.int64)
