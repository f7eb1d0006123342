"""JSON from outside, item by item: one bad field costs that field, one bad item that item, never the page.

What was left out comes back as sentences with the path of the bad field, such as
``jobs[3].steps[1].number: Expected `int`, got `str```.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, Generic, TypeVar

import msgspec

from trackside.errors import UnreadableInputError

T = TypeVar("T", bound=msgspec.Struct)
V = TypeVar("V")

_PATH_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_MOST_REPAIRS: Final = 100
_LONGEST_INTEGER: Final = 25


class DecodeProblem(UnreadableInputError):  # noqa: N818 - it is a problem of the data, told in a ledger
    """Something GitHub sent is not what its contract says; the message names the field."""


class ItemReader(Generic[T]):
    """Reads objects of one shape, over and over."""

    def __init__(self, shape: type[T]) -> None:
        self._shape = shape
        self._decoder = msgspec.json.Decoder(shape)

    def read(self, data: bytes | msgspec.Raw, where: str = "") -> tuple[T, tuple[str, ...]]:
        """The object in ``data`` and what had to be left out of it. Raises DecodeProblem where nothing is left."""
        try:
            return self._decoder.decode(data), ()
        except (ValueError, RecursionError):
            return self._salvage(_loads(bytes(data), where), where)

    def _salvage(self, loose: Any, where: str) -> tuple[T, tuple[str, ...]]:
        problems: list[str] = []
        for _ in range(_MOST_REPAIRS):
            try:
                return msgspec.convert(loose, self._shape), tuple(problems)
            except msgspec.ValidationError as error:
                what, _, path = str(error).partition(" - at ")
                path = path.strip("`").removeprefix("$")
                problems.append(f"{(where + path).lstrip('.') or 'the object'}: {what}")
                if not path or not _cut(loose, path):
                    raise DecodeProblem(problems[0]) from None
        msg = f"{where or 'the object'}: more than {_MOST_REPAIRS} bad fields, the first is {problems[0]}"
        raise DecodeProblem(msg)


def split_page(body: bytes, key: str) -> tuple[dict[str, msgspec.Raw], list[msgspec.Raw]]:
    """The fields of a page and the items under ``key``, not decoded yet. Raises DecodeProblem for no such page."""
    fields = _fast(body, dict[str, msgspec.Raw], "the page")
    if key not in fields:
        msg = f"the page: Object missing required field `{key}`"
        raise DecodeProblem(msg)
    return fields, _fast(bytes(fields[key]), list[msgspec.Raw], key)


def split_list(body: bytes) -> list[msgspec.Raw]:
    """The items of a page that is a plain list. Raises DecodeProblem for anything else."""
    return _fast(body, list[msgspec.Raw], "the page")


def split(data: bytes | msgspec.Raw, where: str = "") -> dict[str, msgspec.Raw] | list[msgspec.Raw]:
    """The fields of an object or the items of a list, not decoded yet. Raises DecodeProblem for anything else."""
    text = bytes(data)
    is_list = text.lstrip()[:1] == b"["
    where = where or "the document"
    return _fast(text, list[msgspec.Raw], where) if is_list else _fast(text, dict[str, msgspec.Raw], where)


def mended(body: bytes, where: str = "the page") -> bytes:
    """``body`` as strict JSON: what is no Unicode becomes U+FFFD, NaN and endless integers become null."""
    return msgspec.json.encode(_loads(body, where))


def readable(text: str) -> str:
    """``text`` so that it can be encoded: half of a surrogate pair becomes U+FFFD."""
    return _SURROGATE.sub("\ufffd", text)


def _fast(body: bytes, shape: type[V], where: str) -> V:
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        msg = f"{where}: {error}"
        raise DecodeProblem(msg) from None
    except (ValueError, RecursionError):
        # Half of a surrogate pair in one title makes the strict reader refuse the whole page.
        text = mended(body, where)
    try:
        return msgspec.json.decode(text, type=shape)
    except msgspec.ValidationError as error:
        msg = f"{where}: {error}"
        raise DecodeProblem(msg) from None


def _loads(body: bytes, where: str) -> Any:
    try:
        text = body.decode("utf-8", "replace")
        return _cleaned(json.loads(text, parse_int=_integer, parse_constant=lambda _: None))
    except (ValueError, RecursionError) as error:
        msg = f"{where or 'the object'}: not valid JSON ({error})"
        raise DecodeProblem(msg) from None


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) < _LONGEST_INTEGER else None


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {readable(key): _cleaned(item) for key, item in value.items()}
    return value


def _cut(loose: Any, path: str) -> bool:
    """Takes what is at ``path`` out of ``loose``; whether there was something."""
    holder, last = None, None
    for step in _steps(path):
        holder, last = (loose if holder is None else holder[last]), step
    if isinstance(holder, dict | list) and last is not None:
        try:
            del holder[last]  # type: ignore[arg-type]
        except (KeyError, IndexError, TypeError):
            return False
        return True
    return False


def _steps(path: str) -> Iterator[str | int]:
    for name, index in _PATH_STEP.findall(path):
        yield int(index) if index else name
