"""Tells lines that were cut from whole ones: a file's own whole lines say how its lines go on and how they end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from trackside.bench.dialects import DECODE_FIELDS, FLOAT_COLUMNS, OPTIONAL_TAIL, PREFILL_FIELDS
from trackside.bench.lines import Row

_LAST_VALUE: Final = re.compile(rb"[:=] ?[-+]?(?P<value>[^:=\s,]*)(?P<rest>[^:=]*)$")
_DIGITS: Final = re.compile(rb"\d")
_HALF_DECIMALS: Final = frozenset({"", ".", ".0"})


def shape_of(row: Row, line: bytes) -> tuple[str, ...]:
    """The fields of a line in their order, and behind them how it ends: ``.00`` for a value with two decimals."""
    return (*row.keys, _ending(line))


def is_cut_shape(shape: Sequence[str], whole: Sequence[str]) -> bool:
    """Whether a line of ``shape`` is a line of the ``whole`` shape that ends too early.

    One that only lacks fields which some lines have and others have not is no cut line.
    """
    keys, ending = shape[:-1], shape[-1]
    left = whole[len(keys) : -1]
    if tuple(whole[: len(keys)]) != tuple(keys) or len(whole) <= len(keys):
        return False
    if not left:
        return whole[-1] != ending and whole[-1].startswith(ending)
    if any(not _is_optional(key) for key in left):
        return True
    return ending.endswith(",") > whole[-1].endswith(",") or (_is_float(keys[-1]) and ending in _HALF_DECIMALS)


def is_cut(shape: Sequence[str], known: Iterable[Sequence[str]]) -> bool:
    """Whether ``shape``, none of the ``known`` whole ones, is one of them cut."""
    return any(is_cut_shape(shape, whole) for whole in known)


def _ending(line: bytes) -> str:
    """The text behind the whole part of the last number, digits as 0; both truth values are one ending."""
    match = _LAST_VALUE.search(line)
    if match is None:
        return ""
    value, rest = match["value"], match["rest"].strip()
    if value and (b"True".startswith(value) or b"False".startswith(value)):
        value = b"!" if value in (b"True", b"False") else b""
    return (_DIGITS.sub(b"0", value.lstrip(b"0123456789")) + b"".join(rest.split())).decode("ascii", "replace")[:40]


def _column(key: str) -> str:
    known = PREFILL_FIELDS.get(key) or DECODE_FIELDS.get(key)
    return known.column if known else key


def _is_optional(key: str) -> bool:
    return _column(key) in OPTIONAL_TAIL


def _is_float(key: str) -> bool:
    return _column(key) in FLOAT_COLUMNS
