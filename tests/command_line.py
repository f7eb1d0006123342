"""Commands of trackside as a user types them, in a folder of their own, with nothing of the machine's environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fake_github import FakeGitHub
from tests.syncing import TOKEN
from trackside.cli.app import run as run_app
from trackside.cli.app import trackside_app

Said = tuple[int, str, str]
"""How a command ended, and what it said on stdout and stderr."""
_OF_MACHINES = (
    "GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_REPOSITORY", "GITHUB_SERVER_URL", "GITHUB_STEP_SUMMARY",
    "GITHUB_WORKSPACE", "TRACKSIDE_STORE",
)  # fmt: skip


def command_line(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    github: FakeGitHub | None = None,
) -> Callable[..., Said]:
    """Types a command in ``folder``; GitHub is ``github``, where there is one."""
    monkeypatch.chdir(folder)
    for name in _OF_MACHINES:
        monkeypatch.delenv(name, raising=False)
    if github is not None:
        monkeypatch.setenv("GITHUB_API_URL", github.api_url)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)

    def typed(*arguments: str) -> Said:
        code = run_app(trackside_app(), list(arguments))
        told = capsys.readouterr()
        return code, told.out, told.err

    return typed
