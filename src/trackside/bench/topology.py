"""The shape of a run in a word: how many workers of each role."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from trackside.records.engine_run import Role, Worker

_LETTERS: Final = {Role.PREFILL: "P", Role.DECODE: "D", Role.AGG: "A"}


def topology_of(workers: Iterable[Worker]) -> str:
    """``6P/2D``, ``8A``, or what there is of all; empty where no worker serves."""
    roles = [worker.role for worker in workers]
    return "/".join(f"{roles.count(role)}{letter}" for role, letter in _LETTERS.items() if role in roles)
