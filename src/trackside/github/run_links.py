"""Addresses of pages of runs, as people copy them: which run, which attempt, which job is meant.  Pure."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

import msgspec

from trackside.errors import UsageError

_RUN: Final = re.compile(
    r"/(?P<repo>[\w.-]{1,100}/[\w.-]{1,100})/actions/runs/(?P<run>\d{1,18})"
    r"(?:/attempts/(?P<attempt>\d{1,6}))?(?:/job/(?P<job>\d{1,18}))?(?:/.{0,200})?",
    re.ASCII,
)
_NUMBER: Final = re.compile(r"\d{1,18}", re.ASCII)


class RunReference(msgspec.Struct, frozen=True, kw_only=True):
    """The run that is meant. None: its repository is another matter, its newest attempt, all of its jobs."""

    run_id: int
    repo: str | None = None
    attempt: int | None = None
    job_id: int | None = None


def read_reference(text: str, api_url: str, server_url: str | None = None) -> RunReference | None:
    """The run that a number or an address of its page means, None where ``text`` is neither.

    Raises UsageError for an address of another host than the one whose API is asked, and of a page that is no run's.
    """
    stripped = text.strip()
    if _NUMBER.fullmatch(stripped):
        return RunReference(run_id=int(stripped))
    if not stripped.lower().startswith(("https://", "http://")):
        return None
    hosts = page_hosts(api_url, server_url)
    try:
        parts = urlsplit(stripped)
        host = parts.netloc.lower()
    except ValueError:
        host, parts = "", urlsplit("")
    if host not in hosts:
        where = " or ".join(sorted(hosts))
        msg = f"{_shown(stripped)} is no page of {where}: GITHUB_API_URL and GITHUB_SERVER_URL name another server."
        raise UsageError(msg)
    found = _RUN.fullmatch(parts.path.rstrip("/"))
    if found is None:
        msg = f"{_shown(stripped)} is no page of a run: such as https://{host}/OWNER/NAME/actions/runs/19250972881."
        raise UsageError(msg)
    numbers = {name: int(found[name]) if found[name] else None for name in ("attempt", "job")}
    return RunReference(repo=found["repo"], run_id=int(found["run"]), attempt=numbers["attempt"], job_id=numbers["job"])


def page_hosts(api_url: str, server_url: str | None) -> frozenset[str]:
    """The hosts, with their ports, whose pages are those of the API: ``api.github.com`` has those of ``github.com``."""
    hosts = {_host(api_url).removeprefix("api."), _host(server_url or "")}
    return frozenset(host for host in hosts if host and "@" not in host)


def _host(url: str) -> str:
    """The host of an address with its port; empty where there is none."""
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""


def _shown(url: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in url)[:200]
