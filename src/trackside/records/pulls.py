"""Pull requests, and which of them a commit belongs to."""

from __future__ import annotations

import datetime as dt

import msgspec


class PullRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A pull request of ``repo``; the key is (``repo``, ``number``). ``body`` is cut at 10,000 characters."""

    repo: str
    number: int
    title: str | None = None
    state: str | None = None
    author: str | None = None
    author_id: int | None = None
    head_branch: str | None = None
    head_sha: str | None = None
    head_repository: str | None = None
    base_branch: str | None = None
    merge_commit_sha: str | None = None
    created_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None
    merged_at: dt.datetime | None = None
    html_url: str | None = None
    body: str | None = None


class CommitPulls(msgspec.Struct, frozen=True, kw_only=True):
    """Which pull requests of ``repo`` a commit belongs to: asked once for each commit, an empty answer counts."""

    repo: str
    sha: str
    numbers: tuple[int, ...]
