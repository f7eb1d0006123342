"""A store of known failures, and ``trackside kb`` on it as a user runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.build_github import REPO
from tests.build_knowledge import an_id, an_occurrence, hours
from tests.command_line import Said, command_line
from trackside.agents.entry_ids import split_id
from trackside.records.knowledge import LogChoice
from trackside.store.store import Store, open_store

FILE = ".github/agentops-knowledge.json"
PART = split_id(an_id("a"), an_id("2"))
Command = Callable[..., tuple[int, str, str]]

FAILURES = [
    an_occurrence(1, "a", "1", agent="claude"),
    an_occurrence(2, "a", "2", job="lint", choice=LogChoice.KNOWN),
    an_occurrence(
        3, "b", "3", workflow="nightly.yml", cause="network", rule="curl", template="curl: (6) <n>",
        line="curl: (6) Could not resolve host: x.example",
    ),
    an_occurrence(4, None, "4"),
]  # fmt: skip


def a_store(folder: Path) -> Store:
    """The store of the working directory ``folder``, with FAILURES."""
    store = open_store(folder / ".trackside")
    store.add_occurrences(FAILURES, hours(5))
    return store


def kb_in(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """``trackside kb`` in the working directory ``folder``: exit code, output, errors."""
    line = command_line(folder, monkeypatch, capsys)

    def call(*words: str) -> Said:
        named = () if "--repo" in words else ("--repo", REPO)
        return line("kb", *words, *named)

    return call


def listed(command: Command, *words: str) -> dict[str, Any]:
    code, out, err = command("list", "--format", "json", *words)
    assert (code, err) == (0, "")
    return {one["entry_id"]: one for one in json.loads(out)["entries"]}


def ids(command: Command, *words: str) -> list[str]:
    return [one[0] if len(set(one)) == 1 else one for one in listed(command, *words)]
