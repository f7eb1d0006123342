"""GitHub Apps: a signed JWT is exchanged for a token of an installation that lives for an hour."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import jwt
import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.types import Options

from tests.fake_github.answers import not_found
from tests.fake_github.bodies import error
from tests.fake_github.clock import Clock, stamp
from tests.fake_github.exchange import Reply, Request
from tests.fake_github.settings import Settings
from tests.fake_github.things import Repository
from tests.fake_github.tokens import Tokens, token_in

LONGEST_S, SKEW_S = 600, 60
READ_ALL = {"actions": "read", "checks": "read", "contents": "read", "metadata": "read", "pull_requests": "read"}


@dataclass
class GitHubApp:
    """An app with its private key; ``repositories`` are the ones its installation may see."""

    app_id: int
    client_id: str
    installation_id: int
    private_key_pem: str
    public_key_pem: str
    repositories: tuple[Repository, ...]
    permissions: Mapping[str, str]


@dataclass
class Apps:
    """All apps, and the two endpoints they speak to."""

    clock: Clock
    settings: Settings
    tokens: Tokens
    known: list[GitHubApp] = field(default_factory=list)
    given: int = 0

    def add(self, *repositories: Repository, permissions: Mapping[str, str] | None = None) -> GitHubApp:
        """A new app, installed once, with a key of its own."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        number = 4001 + len(self.known)
        app = GitHubApp(
            number, f"Iv23fake{number}", 7_000 + number, private.decode(), public.decode(), repositories,
            dict(permissions or READ_ALL),
        )  # fmt: skip
        self.known.append(app)
        return app

    def app_of(self, request: Request) -> GitHubApp | Reply:
        """The app whose JWT was sent, or 401 with GitHub's words for what is wrong with it."""
        token = token_in(request.headers.get("authorization")) or ""
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
            app = next(one for one in self.known if str(claims.get("iss")) in (str(one.app_id), one.client_id))
            jwt.decode(token, app.public_key_pem, algorithms=["RS256"], options=_NO_TIMES)
        except (jwt.PyJWTError, StopIteration):
            return Reply(401, error("A JSON web token could not be decoded", 401))
        now, issued, ends = self.clock.epoch_s(), claims.get("iat"), claims.get("exp")
        if not isinstance(issued, int) or issued > now + SKEW_S:
            return Reply(401, error("'Issued at' claim ('iat') must be an Integer representing the past", 401))
        if not isinstance(ends, int) or ends > now + LONGEST_S + SKEW_S or ends - issued > LONGEST_S + SKEW_S:
            return Reply(401, error("'Expiration time' claim ('exp') is too far in the future", 401))
        if ends <= now:
            return Reply(401, error("'Expiration time' claim ('exp') must be a numeric value in the future", 401))
        return app

    def installation(self, request: Request, repo: Repository) -> Reply:
        """The installation that may see a repository."""
        app = self.app_of(request)
        if isinstance(app, Reply):
            return app
        if repo not in app.repositories:
            return not_found()
        body = {"id": app.installation_id, "app_id": app.app_id, "permissions": app.permissions}
        return Reply(200, msgspec.json.encode(body))

    def access_token(self, request: Request, installation: str) -> Reply:
        """A token for an hour; its text is made from the clock, so that it is the same each time."""
        app = self.app_of(request)
        if isinstance(app, Reply):
            return app
        if installation != str(app.installation_id):
            return not_found()
        self.given += 1
        until = self.clock.now() + self.settings.token_valid_for
        token = "ghs_" + hashlib.sha256(f"{installation} {self.given} {until}".encode()).hexdigest()[:36]
        seen = frozenset(repo.id for repo in app.repositories)
        self.tokens.add(token, kind="app", permissions=app.permissions, expires_at=until, repositories=seen)
        body = {"token": token, "expires_at": stamp(until), "permissions": app.permissions}
        return Reply(201, msgspec.json.encode({**body, "repository_selection": "selected"}))


_NO_TIMES: Options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}
