"""What an answer means and how long to wait before the next try.  Pure: no clock, no threads, no network."""

from __future__ import annotations

import datetime as dt
import email.utils
import enum
import re
from collections.abc import Mapping
from typing import Final

import msgspec

from trackside.github.budget import PERIOD_S, Allowance, read_count
from trackside.github.json_items import DecodeProblem, mended

ATTEMPTS: Final = 5
LIMIT_ATTEMPTS: Final = 10
LIMITS: Final = (403, 429)
_LEAST_WAIT_S: Final = 2.0
_MOST_WAIT_S: Final = 60.0
_LIMIT_WAIT_S: Final = 60.0
_LIMIT_JITTER_S: Final = 10.0
_PRIMARY: Final = re.compile(r"API rate limit (already )?exceeded", re.IGNORECASE)
_SECONDARY: Final = re.compile(r"secondary rate limit|abuse", re.IGNORECASE)
_READ_OF_MESSAGE: Final = 4096
_HALF_PAIR: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]"
)


class Kind(enum.Enum):
    """What to do about an answer."""

    GOOD = "use it"
    REDIRECT = "look at where it points"
    PRIMARY = "the hour's limit is used up: wait until it is renewed"
    SECONDARY = "too many calls at once: hold still"
    AGAIN = "a fault that may pass: try again"
    REFUSED = "asking again gives the same"


class Verdict(msgspec.Struct, frozen=True):
    """What to do about an answer, and the reason in words where it is not good."""

    kind: Kind
    reason: str = ""


class _Message(msgspec.Struct):
    message: str = ""


class _GraphQLError(msgspec.Struct):
    type: str | None = None
    message: str | None = None


class _GraphQLBody(msgspec.Struct):
    errors: list[_GraphQLError] | None = None


def classify(status: int, headers: Mapping[str, str], body: bytes, *, graphql: bool = False) -> Verdict:
    """What an answer of the API means. A 403 is a limit before it is a permission; a 404 is never tried again."""
    if 200 <= status < 300:
        return _classify_body(status, headers, body, graphql=graphql)
    if status == 304:
        return Verdict(Kind.GOOD)
    if status in (301, 302, 303, 307, 308):
        return Verdict(Kind.REDIRECT, f"a redirect ({status})")
    if status in LIMITS:
        return _classify_limit(status, headers, body)
    if status == 408 or status >= 500:
        return Verdict(Kind.AGAIN, f"answered {status}")
    return Verdict(Kind.REFUSED, f"answered {status}")


def _classify_body(status: int, headers: Mapping[str, str], body: bytes, *, graphql: bool) -> Verdict:
    if status in (204, 205) and not body:
        return Verdict(Kind.GOOD)
    shape = _GraphQLBody if graphql else msgspec.Raw
    try:
        body.decode("utf-8")
        # Half of a surrogate pair in one title is no reason to refuse the page: its reader replaces it.
        content = msgspec.json.decode(mended(body) if _HALF_PAIR.search(body) else body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, DecodeProblem):
        media = "".join(c for c in headers.get("content-type", "").partition(";")[0] if c.isprintable()).strip()[:60]
        what = "cut or broken JSON" if "json" in media or not media else f"{media} in place of JSON"
        return Verdict(Kind.AGAIN, f"answered {status} with {what}")
    if isinstance(content, _GraphQLBody):
        for error in content.errors or ():
            if error.type in ("RATE_LIMITED", "RATE_LIMIT") or _PRIMARY.search(error.message or ""):
                return Verdict(Kind.PRIMARY, "GitHub's limit of GraphQL points is used up")
            if _SECONDARY.search(error.message or ""):
                return Verdict(Kind.SECONDARY, "GitHub asks for a pause (secondary rate limit)")
    return Verdict(Kind.GOOD)


def _classify_limit(status: int, headers: Mapping[str, str], body: bytes) -> Verdict:
    text = message_of(body) or body[:_READ_OF_MESSAGE].decode("utf-8", "replace")
    used_up = read_count(headers.get("x-ratelimit-remaining")) == 0
    if _SECONDARY.search(text):
        return Verdict(Kind.SECONDARY, "GitHub asks for a pause (secondary rate limit)")
    if used_up or _PRIMARY.search(text):
        return Verdict(Kind.PRIMARY, "GitHub's limit of calls is used up")
    if status == 429 or "retry-after" in headers:
        return Verdict(Kind.SECONDARY, f"GitHub asks for a pause ({status})")
    return Verdict(Kind.REFUSED, f"answered {status}")


def message_of(body: bytes) -> str:
    """GitHub's own ``message`` in the body of an error, "" where there is none."""
    try:
        return msgspec.json.decode(body, type=_Message).message
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def retry_wait_s(tried: int, chance: float, retry_after_s: float | None = None) -> float:
    """Seconds before the next try after ``tried`` failed ones: full jitter from 2 to 60 s, the range doubling.

    ``chance`` is from 0 to 1. A ``Retry-After`` of the answer counts where it is longer, up to the same 60 s.
    """
    most = min(_LEAST_WAIT_S * 2.0 ** min(tried, 10), _MOST_WAIT_S)
    wait = _LEAST_WAIT_S + chance * (most - _LEAST_WAIT_S)
    return max(wait, min(retry_after_s or 0.0, _MOST_WAIT_S))


def limit_wait_s(
    kind: Kind, headers: Mapping[str, str], known: Allowance, server_now_s: float, hits: int, chance: float
) -> float:
    """Seconds to hold still at a limit that was hit ``hits`` times in a row before; always from 1 s to about an hour.

    Secondary: ``Retry-After`` wins, else 60 s × 2ⁿ plus 0 to 10 s. Primary: until the reset and a second more, or as
    ``Retry-After`` says, else 60 s × 2ⁿ. Source: GitHub's best practices for using the REST API.
    """
    doubled = _LIMIT_WAIT_S * 2.0 ** min(hits, 10)
    asked = retry_after_s(headers, server_now_s)
    if kind is Kind.SECONDARY:
        return clamp_s(doubled + chance * _LIMIT_JITTER_S if asked is None else asked)
    if known.reset_s is None:
        return clamp_s(doubled if asked is None else asked)
    until_reset = known.reset_s - server_now_s + 1
    # A reset that has passed and changed nothing is no answer to how long.
    wait = until_reset if until_reset > 0 or hits == 0 else doubled
    return clamp_s(max(wait, asked or 0.0))


def retry_after_s(headers: Mapping[str, str], server_now_s: float) -> float | None:
    """What ``Retry-After`` asks for, given in seconds or as a date; None where it says nothing usable."""
    text = headers.get("retry-after", "").strip()
    seconds = read_count(text)
    if seconds is not None:
        return float(seconds)
    date = read_http_date(text)
    return None if date is None else max(date.timestamp() - server_now_s, 0.0)


def read_http_date(text: str) -> dt.datetime | None:
    """An HTTP date as an aware time, None where it is not one."""
    try:
        date = email.utils.parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=dt.UTC)


def clamp_s(wait_s: float) -> float:
    """The part of a wait for a limit that can be believed: at least a second, at most an hour and a minute."""
    return min(max(wait_s, 1.0), PERIOD_S + 60.0)
