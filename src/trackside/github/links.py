"""Addresses: which belong to the API, where a link leads, what of an address may be shown.  Pure."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from trackside.errors import UsageError

_PORTS: Final = {"http": 80, "https": 443}
_NEXT: Final = re.compile(r"<([^<>]*)>((?:\s*;\s*(?:\"[^\"]*\"|[^;,<>\"])+)*)")
_REL_NEXT: Final = re.compile(r";\s*rel\s*=\s*\"?[^\";]*\bnext\b", re.IGNORECASE)
_REPOSITORY: Final = re.compile(r"/repos/[^/]+/[^/]+(?=/|$)")


class ApiAddress:
    """The API's base address. ``base`` has no slash at its end; ``graphql`` is where queries go.

    Raises UsageError where the text is not an http or https address, or carries a name and password.
    """

    def __init__(self, text: str) -> None:
        parts = _split(text.strip())
        if parts is None or parts.scheme not in _PORTS or not parts.hostname:
            msg = "The address of the GitHub API must look like https://api.github.com; look at GITHUB_API_URL"
            raise UsageError(msg)
        if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
            msg = "The address of the GitHub API must not hold a name, a password or a query; look at GITHUB_API_URL"
            raise UsageError(msg)
        self._prefix = parts.path.rstrip("/")
        self._origin = _origin_of(parts)
        self.root = f"{parts.scheme}://{parts.netloc}"
        self.base = self.root + self._prefix
        if self._prefix.endswith("/api/v3"):
            self.graphql = self.root + self._prefix.removesuffix("/v3") + "/graphql"
        else:
            self.graphql = self.base + "/graphql"
        self.is_private = parts.scheme == "https" or _is_loopback(parts.hostname)

    def owns(self, url: str) -> bool:
        """Whether scheme, host and port are the API's own: the only place a token may go to."""
        parts = _split(url)
        return parts is not None and parts.username is None and _origin_of(parts) == self._origin

    def is_repository(self, url: str) -> bool:
        """Whether it is a repository of the API, by name or by number: other things are on the same host too."""
        parts = _split(url)
        folders = tuple(f"{self._prefix}/{name}/" for name in ("repos", "repositories"))
        return parts is not None and self.owns(url) and parts.path.startswith(folders)

    def full(self, path: str) -> str:
        """The address of ``path`` (which begins with a slash); a whole address is left as it is."""
        return self.base + path if path.startswith("/") else path

    def shown(self, url: str, *, signed: bool = False) -> str:
        """How an address is shown: path and query on the API, without the query (a signature) anywhere else.

        ``signed``: without the query on the API's host too.
        """
        parts = _split(url)
        if parts is None:
            return "an unreadable address"
        if self.owns(url):
            query = "…" if signed else parts.query
            return _printable((parts.path or "/") + (f"?{query}" if parts.query else ""))
        return _printable(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}") + (
            "?…" if parts.query else ""
        )


def next_link(header: str | None, url: str) -> str | None:
    """The address of ``rel="next"`` in a ``Link`` header, verbatim, None where there is none."""
    for found in _NEXT.finditer(header or ""):
        if _REL_NEXT.search(found[2]):
            return resolve(url, found[1]) or found[1]
    return None


def resolve(url: str, target: str | None) -> str | None:
    """The whole address that ``target``, as found at ``url``, means; None where there is none or it is no address."""
    try:
        whole = urljoin(url, target or "")
    except ValueError:
        return None
    return whole if target and _split(whole) is not None else None


def moved_repository(old: str, new: str) -> tuple[str, str] | None:
    """Which beginning of an address was replaced by which, where a whole repository has moved; else None."""
    found = _REPOSITORY.search(old)
    if found is None:
        return None
    rest = old[found.end() :]
    return (old[: found.end()], new.removesuffix(rest)) if new.endswith(rest) and new != rest else None


def is_downgrade(old: str, new: str) -> bool:
    """Whether a redirect leaves https for http, or leads to what is neither."""
    before, after = _split(old), _split(new)
    if before is None or after is None or after.scheme not in _PORTS or not after.hostname:
        return True
    return before.scheme == "https" and after.scheme != "https"


def _split(url: str) -> SplitResult | None:
    if not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _origin_of(parts: SplitResult) -> tuple[str, str, int | None]:
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme)


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)[:500]
