"""Real exchanges with GitHub, where they are: ten lines each, then an empty one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import pytest

GITHUB_DATA = Path(os.environ.get("TRACKSIDE_REAL_DATA", "../shared/data")).resolve() / "github"
needs_recordings = pytest.mark.skipif(
    not (GITHUB_DATA / "recorded").is_dir(),
    reason=f"no recorded exchanges at {GITHUB_DATA} (set TRACKSIDE_REAL_DATA)",
)


class Exchange(NamedTuple):
    """A recorded request and its answer."""

    path: str
    status: int
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


def exchanges(name: str) -> list[Exchange]:
    """The exchanges of one recording."""
    lines = (GITHUB_DATA / "recorded" / f"{name}.txt").read_text(encoding="utf-8").split("\n")
    records = [lines[start : start + 10] for start in range(0, len(lines) - 9, 11)]
    return [Exchange(r[4], int(r[7]), r[9].encode()) for r in records]


def every_exchange() -> list[Exchange]:
    """The exchanges of all recordings."""
    files = sorted((GITHUB_DATA / "recorded").glob("*.txt"))
    return [exchange for file in files for exchange in exchanges(file.stem)]
