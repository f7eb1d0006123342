"""Who is asking: nobody, a token and what it may do, or an app with its key. Token texts are never kept."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.fake_github.clock import Clock
from tests.fake_github.settings import Settings

ANONYMOUS = "anonymous"


@dataclass
class Caller:
    """A token, known by a digest. ``permissions`` None: all of them.

    ``repositories`` are the numbers of the only private repositories it may see; None: all of them.
    """

    key: str
    kind: str
    permissions: Mapping[str, str] | None = None
    expires_at: dt.datetime | None = None
    revoked: bool = False
    user_id: int = 1
    login: str = "octocat"
    repositories: frozenset[int] | None = None

    @property
    def anonymous(self) -> bool:
        """No token at all."""
        return self.key == ANONYMOUS

    def may_see(self, number: int) -> bool:
        """Whether a private repository is there for this caller."""
        return not self.anonymous and (self.repositories is None or number in self.repositories)

    def may_write(self, what: str) -> bool:
        """Whether it has been given this permission for writing."""
        return not self.anonymous and (self.permissions is None or self.permissions.get(what) in ("write", "admin"))

    def may_read(self, what: str) -> bool:
        """Whether it has been given this permission, in any strength; metadata everybody has."""
        return self.permissions is None or what == "metadata" or what in self.permissions


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()[:16]


def kind_of(token: str) -> str:
    """``github_token`` for what an Actions job or an app has (``ghs_``), ``other`` for the rest."""
    return "github_token" if token.startswith("ghs_") else "other"


def token_in(header: str | None) -> str | None:
    """The token of an Authorization header: ``Bearer``, ``token`` or the password of ``Basic``."""
    scheme, _, rest = (header or "").strip().partition(" ")
    if scheme.lower() in ("bearer", "token"):
        return rest.strip() or None
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest).decode().partition(":")[2] or None
        except (binascii.Error, UnicodeDecodeError):
            return rest
    return header or None


@dataclass
class Tokens:
    """All tokens the fake has seen or made."""

    clock: Clock
    settings: Settings
    known: dict[str, Caller] = field(default_factory=dict)
    nobody: Caller = field(default_factory=lambda: Caller(ANONYMOUS, ANONYMOUS))

    def add(
        self,
        token: str,
        *,
        kind: str | None = None,
        permissions: Mapping[str, str] | None = None,
        expires_at: dt.datetime | None = None,
        repositories: frozenset[int] | None = None,
        login: str | None = None,
    ) -> Caller:
        """Make a token known, with whose it is, what it may do and when it dies."""
        kind = kind or kind_of(token)
        login = login or ("github-actions[bot]" if kind == "github_token" else "octocat")
        caller = Caller(digest(token), kind, permissions, expires_at, login=login, repositories=repositories)
        self.known[caller.key] = caller
        return caller

    def revoke(self, token: str) -> None:
        """From now on 401."""
        (self.known.get(digest(token)) or self.add(token)).revoked = True

    def caller(self, header: str | None) -> Caller | None:
        """Who asks; None when the credentials are bad, revoked or have run out."""
        token = token_in(header)
        if token is None:
            return self.nobody
        caller = self.known.get(digest(token))
        if caller is None:
            return None if self.settings.strict_tokens else self.add(token)
        over = caller.expires_at is not None and caller.expires_at <= self.clock.now()
        return None if caller.revoked or over else caller
