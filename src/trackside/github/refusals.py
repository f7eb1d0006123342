"""Sentences about calls that GitHub refused: what is missing, and what to do about it.  Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

from trackside.github.retries import message_of

_SOON: Final = dt.timedelta(days=7)
_MOST_TEXT: Final = 200


def explain(status: int, headers: Mapping[str, str], body: bytes, *, has_token: bool) -> str:
    """Why a call was refused and what to do, without the name of the thing; GitHub's own words where they help."""
    if status == 401:
        return _explain_401(has_token)
    if status == 403:
        return _explain_403(headers, body, has_token)
    if status in (404, 410):
        gone = "is gone" if status == 410 else "is not there"
        may = "or the token may not see it" if has_token else "or only a token may see it (set GITHUB_TOKEN)"
        return f"{gone}, {may} ({status})"
    if status == 451:
        return "may not be shown for legal reasons (451)"
    words = own_words(body)
    return f"was refused ({status}{': ' + words if words else ''})"


def _explain_401(has_token: bool) -> str:
    if has_token:
        return "was refused (401): the token is not valid or has expired"
    return "needs a token (401): set GITHUB_TOKEN"


def _explain_403(headers: Mapping[str, str], body: bytes, has_token: bool) -> str:
    words = own_words(body)
    said = f"was refused (403{': ' + words if words else ''})"
    if not has_token:
        return f"{said}: it needs a token; set GITHUB_TOKEN"
    if headers.get("x-github-sso", "").startswith("required"):
        return f"{said}: the token must be authorized for the organization's single sign-on"
    if permissions := _plain(headers.get("x-accepted-github-permissions", "")):
        needed = permissions.replace(";", " or ").replace(",", " and ").replace("=", ": ")
        return f"{said}: the token needs {' '.join(needed.split())}"
    if scopes := _plain(headers.get("x-accepted-oauth-scopes", "")):
        return f"{said}: the token needs the scope {' or '.join(scope.strip() for scope in scopes.split(','))}"
    return f"{said}: the token lacks a permission"


def expiry_warning(headers: Mapping[str, str], now: dt.datetime) -> str | None:
    """A sentence where the answer says that the token expires within seven days, else None."""
    expires = _read_expiry(headers.get("github-authentication-token-expiration", ""))
    if expires is None or expires - now >= _SOON:
        return None
    return f"The GitHub token expires on {expires.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC: renew it before then"


def _read_expiry(text: str) -> dt.datetime | None:
    """The header's ``2023-06-14 15:09:46 -0700`` or ``… UTC`` as an aware time."""
    try:
        return dt.datetime.strptime(text.strip().replace("UTC", "+0000"), "%Y-%m-%d %H:%M:%S %z")
    except (ValueError, OverflowError):
        return None


def own_words(body: bytes) -> str:
    """GitHub's own ``message``, as one printable line; "" where there is none."""
    return _plain(message_of(body)).rstrip(".")


def _plain(text: str) -> str:
    """One printable line of at most 200 characters."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= _MOST_TEXT else text[: _MOST_TEXT - 1] + "…"
