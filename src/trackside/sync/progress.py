"""How a long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

OnCount = Callable[[int, int], None]
"""(done, of all)"""
OnPhase = Callable[[str], OnCount]
"""Begins a phase of that name."""


def silent(_name: str) -> OnCount:
    """A phase that nobody watches."""
    return lambda _done, _all: None
