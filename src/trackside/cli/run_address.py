"""A run as it is typed: its number, or the address of its page."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final, NamedTuple

from trackside.cli.github_options import Access
from trackside.errors import UsageError

_NUMBER: Final = re.compile(r"[1-9]\d{0,17}")
_PAGE: Final = re.compile(
    r"https?://[^/\s]+/(?P<repo>[\w.-]{1,100}/[\w.-]{1,100})/actions/runs/(?P<run>[1-9]\d{0,17})"
    r"(?:/attempts/(?P<attempt>[1-9]\d{0,8}))?(?:[/?#]\S*)?"
)


class RunAddress(NamedTuple):
    """A run; ``repo`` and ``attempt`` are None where the text does not name them."""

    run_id: int
    attempt: int | None = None
    repo: str | None = None


def parse_run(text: str) -> RunAddress:
    """The run that ``text`` names. Raises UsageError where it names none."""
    typed = text.strip()
    if _NUMBER.fullmatch(typed):
        return RunAddress(int(typed))
    if page := _PAGE.fullmatch(typed):
        return RunAddress(int(page["run"]), int(page["attempt"]) if page["attempt"] else None, page["repo"])
    msg = (
        f"{text[:200]!r} names no run. The id of a run is understood, such as 19250972881, and the address of its "
        "page, such as https://github.com/OWNER/NAME/actions/runs/19250972881."
    )
    raise UsageError(msg)


def access_of(access: Access, run: RunAddress) -> Access:
    """``access`` to the repository that the address of a run names. Raises UsageError where --repo names another."""
    if run.repo is None:
        return access
    if access.repo is not None and run.repo.lower() not in access.repo.lower():
        msg = f"The address is of a run of {run.repo}, and --repo names {access.repo}. Leave out --repo."
        raise UsageError(msg)
    return replace(access, repo=run.repo)
