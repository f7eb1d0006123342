"""Finding what an id on the command line means, and what it may have meant where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

from trackside.errors import NoDataError, UsageError

SHORTEST: Final = 4
"""So many characters an id may be shortened to."""
_NEAREST: Final = 3


def find_id(typed: str, names: Mapping[str, str], what: str, hint: str) -> str:
    """The id among ``names`` (id to what it is) that ``typed`` is or begins.

    ``what`` begins the message where there is none, as ``No change of octo/engine has``; ``hint`` ends it where none
    is near. Raises NoDataError where none fits, and UsageError where several do.
    """
    wanted = typed.strip().lower()
    if wanted in names:
        return wanted
    begun = sorted(one for one in names if one.startswith(wanted)) if len(wanted) >= SHORTEST else []
    if len(begun) == 1:
        return begun[0]
    if begun:
        msg = f"The id {typed} is short for several: {_named(begun[:_NEAREST], names)}. Give more of it."
        raise UsageError(msg)
    near = get_close_matches(wanted, names, n=_NEAREST, cutoff=0.5)
    msg = f"{what} the id {typed}. {f'Is it {_named(near, names)}?' if near else hint}"
    raise NoDataError(msg)


def _named(ids: list[str], names: Mapping[str, str]) -> str:
    return "; ".join(f"{one} ({names[one]})" for one in ids)
