"""Categories of jobs: what a repository's rules call them, else what their names have in common."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from trackside.history.names import matches_any, stem_of
from trackside.records.ci_rules import CategoryRule

_MACHINE_FROM: Final = re.compile(r"[\s_.:-]+(?=\d|[a-z]+\d{2})")
"""Where a name goes on with a count, a size, a version or a device: ``-1-gpu``, ``-h200``, ``-py311``."""


def category_of(name: str, rules: Sequence[CategoryRule] = ()) -> str | None:
    """The category of a job by its name: the first rule with a glob that matches, any case; None where none does.

    Without any rule it is derived from the name, so that it stays the same over matrix values and machines:
    ``eval / unit-test-1-gpu (4)`` → ``unit-test``. None then only for a name without a letter or digit.
    """
    if rules:
        return next((rule.name for rule in rules if matches_any(name, rule.jobs)), None)
    stem = " ".join(stem_of(name).lower().split()).strip("-_.: ")
    return _MACHINE_FROM.split(stem, maxsplit=1)[0] or None
