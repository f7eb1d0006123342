"""Under which names the server may be asked: its own addresses, and names that were allowed.

A page of another site cannot read from here what its own name was made to lead to (DNS rebinding): that name is in
``Host``.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Scope

from trackside.errors import UsageError

_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]{1,253})(?::(\d{1,5}))?")
_LOCAL: Final = "localhost"


class Name(NamedTuple):
    """A host in lower case, and the port that was named, None where none was."""

    host: str
    port: int | None


def parse_name(text: str) -> Name | None:
    """The name and the port in ``text``, None where it is neither."""
    found = _HOST.fullmatch(text.strip())
    if found is None or (found[2] and int(found[2]) > 65_535):
        return None
    return Name(found[1].strip("[]").lower().rstrip("."), int(found[2]) if found[2] else None)


def allowed_names(texts: Iterable[str]) -> tuple[Name, ...]:
    """The names that were allowed. Raises UsageError for one that is none."""
    names = []
    for text in texts:
        name = parse_name(text)
        if name is None or not name.host:
            msg = f"--allow-host {text}: a name is meant, such as ci.example.org or ci.example.org:8443."
            raise UsageError(msg)
        names.append(name)
    return tuple(names)


def check_host(scope: Scope, names: Iterable[Name]) -> None:
    """Raises HTTPException where the request names another server than this one, or none, or several."""
    said = Headers(scope=scope).getlist("host")
    if len(said) != 1 or (name := parse_name(said[0])) is None:
        raise HTTPException(400, "The request must name one server in its Host header.")
    if _is_own(name.host, scope) or any(one.host == name.host and one.port in (None, name.port) for one in names):
        return
    raise HTTPException(
        421, "The server does not answer under this name: allow it with --allow-host, or hosts under [server]."
    )


def _is_own(host: str, scope: Scope) -> bool:
    """Whether ``host`` is the address that the request came to; of this machine itself ``localhost`` too.

    Any port does: a tunnel or a container gives it another one, and no foreign name gets past for it.
    """
    came_to = (scope.get("server") or ("", None))[0]
    address = _address(came_to)
    if address is None:
        return False
    named = _address(host)
    if address.is_loopback:
        return host == _LOCAL or (named is not None and named.is_loopback)
    return named == address


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return address if mapped is None else mapped
