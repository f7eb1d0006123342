"""What the commands on GitHub data share: which repository, which store, and a client with the settings in force."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trackside.cli.github_options import Access
from trackside.cli.terminal import Terminal
from trackside.cli.windows import parse_seconds
from trackside.errors import UsageError
from trackside.settings import Settings, load_settings, store_location

if TYPE_CHECKING:
    from trackside.github.client import GitHub
    from trackside.store.store import Store

_REPOSITORY: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")


def settings_of(access: Access) -> Settings:
    """The settings in force in the working directory, the preset's first."""
    return load_settings(Path.cwd(), preset=access.preset)


def repository_of(access: Access, settings: Settings) -> str:
    """The repository that is asked about. Raises UsageError where none is named, or wrongly."""
    repo = access.repo or settings.github.repository
    if repo is None:
        msg = "Which repository? Give --repo OWNER/NAME, or set repository under [github] in trackside.toml."
        raise UsageError(msg)
    repo = repo.strip().removeprefix("https://github.com/").removesuffix(".git").strip("/")
    if not _REPOSITORY.fullmatch(repo) or {".", ".."} & set(repo.split("/")):
        where = "--repo" if access.repo else "repository of [github] in trackside.toml or GITHUB_REPOSITORY:"
        msg = f"{where} {repo}: a repository is OWNER/NAME, such as sgl-project/sglang."
        raise UsageError(msg)
    return repo


def store_of(access: Access, *, create: bool = True) -> Store:
    """The store in force, opened."""
    from trackside.store.store import open_store

    return open_store(store_location(access.store, Path.cwd()), create=create)


@contextmanager
def github_of(access: Access, settings: Settings, repo: str, terminal: Terminal) -> Iterator[GitHub]:
    """A client for one command: it says what it waits for, and with --debug every call."""
    from trackside.github.client import GitHub
    from trackside.github.tokens import find_token

    own = settings.github
    with GitHub(
        api_url=os.environ.get("GITHUB_API_URL") or "https://api.github.com",
        token=find_token(access.token, os.environ, repo),
        workers=access.workers or own.workers,
        max_wait_s=own.max_wait_s if access.max_wait is None else parse_seconds(access.max_wait, "--max-wait"),
        max_calls=own.max_calls if access.max_calls is None else access.max_calls,
        pause_below=own.pause_below if access.pause_below is None else access.pause_below,
        stop_below=own.stop_below if access.stop_below is None else access.stop_below,
        say=terminal.warn,
        trace=terminal.note if access.debug else None,
    ) as github:
        yield github
