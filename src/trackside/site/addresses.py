"""Pages of the repository on GitHub."""

from __future__ import annotations


def commit_url(home: str, sha: str | None) -> str | None:
    """The page of a commit; None where what is told of it is no hash."""
    return f"{home}/commit/{sha}" if sha and sha.isascii() and sha.isalnum() else None
