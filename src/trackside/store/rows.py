"""Records as rows: the frame that is appended, with the stamps that decide which row of a key is the newest."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from trackside.errors import UnreadableInputError
from trackside.records.artifacts import ArtifactState
from trackside.records.job_logs import LogState
from trackside.records.runs import Source
from trackside.store.schema import Table

_PROGRESS: Final[Mapping[object, int]] = {"completed": 2, "in_progress": 1}
_SOURCES: Final[Mapping[object, int]] = {
    Source.REST: 3,
    Source.WEBHOOK: 3,
    Source.GRAPHQL: 2,
    Source.FILE: 1,
    Source.JOBS: 0,
}
_LOGS: Final[Mapping[object, int]] = {LogState.READY: 3, LogState.NEVER: 1, LogState.EXPIRED: 1}
_ARTIFACTS: Final[Mapping[object, int]] = {ArtifactState.READY: 3, ArtifactState.NEVER: 1, ArtifactState.EXPIRED: 1}


def frame_of(table: Table, records: Sequence[msgspec.Struct], observed_at: dt.datetime) -> pl.DataFrame:
    """One row for each record, with every column of ``table``.

    Text that is no Unicode (a lone surrogate) is stored with ``?`` in its place. Raises UnreadableInputError for
    a number that no column can hold.
    """
    try:
        return _frame(table, records, observed_at)
    except UnicodeEncodeError:
        return _frame(table, [_as_unicode(record) for record in records], observed_at)
    except (OverflowError, TypeError) as error:
        msg = f"A record of {table.name} has a number that does not fit into 64 bits; none of its batch was stored."
        raise UnreadableInputError(msg) from error


def precedence_of(record: object) -> int:
    """10 × how far the thing had come + how much its source tells; 0 for what has neither.

    Completed 2, in progress 1, anything else 0; REST and webhooks 3, GraphQL 2, files 1, worked out from jobs 0.
    A log: read whole 40, read in part 30, known to be none 10, to be asked again 0.
    An artifact: read 30, known to be none 10, listed or to be asked again 0.
    """
    state = getattr(record, "state", None)
    if isinstance(state, ArtifactState):
        return 10 * _ARTIFACTS.get(state, 0)
    if isinstance(state, LogState):
        return 10 * (_LOGS.get(state, 0) + (state is LogState.READY and not getattr(record, "truncated", False)))
    source = getattr(record, "source", None)
    if source is None:
        return 0
    return 10 * _PROGRESS.get(getattr(record, "status", None), 0) + _SOURCES.get(source, 0)


def _frame(table: Table, records: Sequence[msgspec.Struct], observed_at: dt.datetime) -> pl.DataFrame:
    columns = [
        _series([getattr(record, one.name) for record in records], one.name, table.schema[one.name])
        for one in table.columns
    ]
    stamps = [
        pl.Series("observed_at", [observed_at] * len(records), table.schema["observed_at"]),
        pl.Series("precedence", [precedence_of(record) for record in records], pl.Int8),
        pl.Series("digest", [digest_of(record) for record in records], pl.Int64),
    ]
    return pl.DataFrame([*columns, *stamps])


def _series(values: list[Any], name: str, dtype: pl.DataType) -> pl.Series:
    if isinstance(dtype, pl.List):
        return _lists(values, name, dtype)
    if isinstance(dtype, pl.Struct):
        fields = [
            _series([None if one is None else getattr(one, field.name) for one in values], field.name, _of(field))
            for field in dtype.fields
        ]
        return pl.DataFrame(fields).to_struct(name)
    if isinstance(dtype, pl.String):
        values = [None if value is None else str.__str__(value) for value in values]
    return pl.Series(name, values, dtype, strict=True)


def _lists(values: list[Any], name: str, dtype: pl.List) -> pl.Series:
    """Lists are built flat and then cut: structs inside lists are slow one by one."""
    rows = [_items(value) for value in values]
    places = [place for place, row in enumerate(rows) for _ in row]
    items = _series([item for row in rows for item in row], "item", _inner(dtype))
    cut = pl.DataFrame([pl.Series("place", places, pl.UInt32), items]).group_by("place", maintain_order=True)
    every = pl.DataFrame({"place": pl.Series(range(len(rows)), dtype=pl.UInt32)})
    lists = every.join(cut.agg("item"), on="place", how="left", maintain_order="left")["item"]
    empty = pl.Series([[]], dtype=dtype)
    return (
        lists.cast(dtype).fill_null(empty.first()).alias(name) if lists.null_count() else lists.cast(dtype).alias(name)
    )


class _Named(msgspec.Struct, frozen=True):
    name: str
    seconds: float


def _items(value: Any) -> Iterable[Any]:
    return [_Named(*item) for item in value.items()] if isinstance(value, Mapping) else value


def digest_of(record: msgspec.Struct) -> int:
    """A number that is the same for equal records, on every machine."""
    packed = msgspec.msgpack.encode(record)
    return int.from_bytes(hashlib.blake2b(packed, digest_size=8).digest(), "big", signed=True)


def _as_unicode(record: msgspec.Struct) -> msgspec.Struct:
    plain = msgspec.to_builtins(record, builtin_types=(dt.datetime, bytes))
    return msgspec.convert(_replaced(plain), type(record))


def _replaced(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, Mapping):
        return {_replaced(key): _replaced(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(item) for item in value]
    return value


def _inner(dtype: pl.List) -> pl.DataType:
    inner = dtype.inner
    return inner() if isinstance(inner, type) else inner


def _of(field: pl.Field) -> pl.DataType:
    return field.dtype() if isinstance(field.dtype, type) else field.dtype
