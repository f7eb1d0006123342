"""A run as it is typed: its number, or the address of its page; and the repository that it is of."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from trackside.cli.github_options import Access
from trackside.cli.github_session import repository_of
from trackside.errors import UsageError
from trackside.settings import Settings

if TYPE_CHECKING:
    from trackside.github.run_links import RunReference

_API: Final = "https://api.github.com"


def reference_of(text: str) -> RunReference | None:
    """The run that ``text`` means, None where it is neither a number nor an address.

    Raises UsageError for an address of another server, or of a page that is no run's.
    """
    from trackside.github.run_links import read_reference

    return read_reference(text, os.environ.get("GITHUB_API_URL") or _API, os.environ.get("GITHUB_SERVER_URL"))


def repository_of_run(reference: RunReference, access: Access, settings: Settings) -> str:
    """The repository of an address, else the one that is set. Raises UsageError where --repo names another one."""
    if reference.repo is None:
        return repository_of(access, settings)
    if access.repo is not None and repository_of(access, settings).lower() != reference.repo.lower():
        msg = f"--repo {access.repo} is not the repository of the address: {reference.repo}."
        raise UsageError(msg)
    return reference.repo
