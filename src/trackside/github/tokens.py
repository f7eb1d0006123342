"""Where the token of a call comes from. Nothing here shows one: not in a message, not in a representation."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol, TypeVar

import msgspec

from trackside.errors import GitHubError, MissingExtraError, UsageError

T = TypeVar("T")

_RENEW_BEFORE: Final = dt.timedelta(minutes=5)
# GitHub refuses a signed request that is valid for more than ten minutes, or begins in its future.
_BACKDATED: Final = dt.timedelta(seconds=60)
_VALID: Final = dt.timedelta(minutes=9)


class Sender(Protocol):
    """What a token source may ask of the client."""

    def server_now(self) -> dt.datetime:
        """The time by GitHub's clock."""
        ...

    def call_as_app(self, method: str, path: str, bearer: str) -> bytes:
        """The body of one call that carries this and no other authorization. Raises GitHubError."""
        ...


class TokenSource(Protocol):
    """Gives the token of each call."""

    def token(self, sender: Sender) -> str:
        """A token that is valid now."""
        ...

    def renew(self, refused: str) -> bool:
        """Whether another token can be had in place of the one that GitHub refused."""
        ...


class StaticToken:
    """A token that was given. Raises UsageError where it cannot be one."""

    def __init__(self, token: str, source: str = "the token") -> None:
        token = token.strip()
        if not _is_token(token):
            msg = f"{source} is not a token: it is blank, or holds spaces, line breaks or other characters no token has"
            raise UsageError(msg)
        self._token = token

    def __repr__(self) -> str:
        return "StaticToken(***)"

    def token(self, sender: Sender) -> str:
        """The token."""
        del sender
        return self._token

    def renew(self, refused: str) -> bool:
        """Never: there is no other."""
        del refused
        return False


class _Installation(msgspec.Struct):
    id: int


class _AccessToken(msgspec.Struct):
    token: str
    expires_at: dt.datetime

    def __repr__(self) -> str:
        return f"_AccessToken(***, {self.expires_at})"


class AppToken:
    """Installation tokens of a GitHub App for one repository, renewed before they expire and once GitHub refuses one.

    ``key`` is the App's private key in PEM form. Raises UsageError where it is no such key.
    """

    def __init__(self, app_id: str, key: bytes, repo: str) -> None:
        self._app_id = app_id
        self._sign = _signer(key)
        self._repo = repo
        self._lock = threading.Lock()
        self._token: _AccessToken | None = None
        self._installation: int | None = None

    def __repr__(self) -> str:
        return f"AppToken({self._app_id}, {self._repo}, ***)"

    def token(self, sender: Sender) -> str:
        """The installation token in force, asked for where there is none or it is about to expire."""
        with self._lock:
            if self._token is None or self._token.expires_at - sender.server_now() < _RENEW_BEFORE:
                self._token = self._ask(sender)
            return self._token.token

    def renew(self, refused: str) -> bool:
        """Always: the refused one is forgotten, unless another call has had it renewed already."""
        with self._lock:
            if self._token is not None and self._token.token == refused:
                self._token = None
        return True

    def _ask(self, sender: Sender) -> _AccessToken:
        if self._installation is None:
            found = self._call(sender, "GET", f"/repos/{self._repo}/installation")
            self._installation = _decode(found, _Installation, "installation").id
        path = f"/app/installations/{self._installation}/access_tokens"
        answer = _decode(self._call(sender, "POST", path), _AccessToken, "access token")
        if not _is_token(answer.token):
            msg = "GitHub's answer about the App's access token holds what cannot be one"
            raise GitHubError(msg, status=201)
        if answer.expires_at.tzinfo is None:
            return msgspec.structs.replace(answer, expires_at=answer.expires_at.replace(tzinfo=dt.UTC))
        return answer

    def _call(self, sender: Sender, method: str, path: str) -> bytes:
        try:
            return sender.call_as_app(method, path, self._signed(sender.server_now()))
        except GitHubError as error:
            if error.status != 401:
                raise
            # Our clock may be off: the refusal has brought GitHub's time, so sign once more by that.
            return sender.call_as_app(method, path, self._signed(sender.server_now()))

    def _signed(self, now: dt.datetime) -> str:
        claims: dict[str, int | str] = {
            "iat": int((now - _BACKDATED).timestamp()),
            "exp": int((now + _VALID).timestamp()),
            "iss": self._app_id,
        }
        return self._sign(claims)


class _Signer(Protocol):
    def __call__(self, claims: Mapping[str, int | str]) -> str: ...


def _signer(key: bytes) -> _Signer:
    try:
        import jwt
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError as error:
        msg = "Keys of GitHub Apps are not installed: pip install 'trackside[app]'"
        raise MissingExtraError(msg) from error
    try:
        private = load_pem_private_key(key, password=None)
    except (ValueError, TypeError):
        private = None
    if not isinstance(private, RSAPrivateKey):
        msg = "The GitHub App's key is not a private RSA key in PEM form without a password; look at TRACKSIDE_APP_KEY"
        raise UsageError(msg)
    return lambda claims: jwt.encode(dict(claims), private, algorithm="RS256")


def _decode(body: bytes, shape: type[T], what: str) -> T:
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError:
        msg = f"GitHub's answer about the App's {what} lacks what it must hold"
        raise GitHubError(msg, status=200) from None


def find_token(option: str | None, environ: Mapping[str, str], repo: str) -> TokenSource | None:
    """The token source in force: the option, a GitHub App, ``GITHUB_TOKEN``, ``GH_TOKEN``; None where there is none.

    Blank values count as not given. Raises UsageError for half of a GitHub App, an unreadable key, a malformed token.
    """
    if option and option.strip():
        return StaticToken(option, "The value of --token")
    app_id = environ.get("TRACKSIDE_APP_ID", "").strip()
    key_path = environ.get("TRACKSIDE_APP_KEY", "").strip()
    if app_id and key_path:
        return AppToken(app_id, _read_key(key_path), repo)
    if app_id or key_path:
        given, lacking = ("TRACKSIDE_APP_ID", "TRACKSIDE_APP_KEY")[:: 1 if app_id else -1]
        msg = f"{given} is set, but {lacking} is not: a GitHub App needs both"
        raise UsageError(msg)
    for name in ("GITHUB_TOKEN", "GH_TOKEN"):
        if (token := environ.get(name, "")).strip():
            return StaticToken(token, name)
    return None


def _is_token(text: str) -> bool:
    """Whether the text can stand in a header: line breaks in it would be headers of somebody else's making."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def _read_key(path: str) -> bytes:
    if "-----BEGIN" in path:
        msg = "TRACKSIDE_APP_KEY must be the path of the key file, not the key itself"
        raise UsageError(msg)
    try:
        return Path(path).read_bytes()
    except OSError as error:
        msg = f"The GitHub App's key {path} cannot be read: {error.strerror}; look at TRACKSIDE_APP_KEY"
        raise UsageError(msg) from error
