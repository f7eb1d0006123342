"""What is told of a command before its function is imported."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """One command: its name, where its function is, what it does, and lines that can be typed so."""

    name: str
    target: str
    help: str
    examples: tuple[str, ...]
