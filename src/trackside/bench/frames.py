"""From column arrays of a scan to frames with the columns of ``records.engine_rows``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trackside.bench.dialects import FLOAT_COLUMNS, INTEGER_COLUMNS
from trackside.bench.model import DECODE, PREFILL, SIDES, RunModel
from trackside.bench.rank_totals import RANKS
from trackside.bench.row_blocks import Columns
from trackside.bench.scan_records import BATCH_KINDS, ENGINES, KINDS
from trackside.records.engine_rows import COLUMNS

SCHEMA: Final[dict[str, pl.DataType]] = {one.name: getattr(pl, one.dtype)() for one in COLUMNS}
# Columns that hold what lines say and nothing else: null throughout where no line of a run has them.
MEASURED: Final = frozenset(INTEGER_COLUMNS | FLOAT_COLUMNS) - {
    *RANKS,
    "tp_size",
    "dp_size",
    "ep_size",
    "line",
    "time_us",
}
_SIDE_OF_KIND: Final = np.array([1 if k == PREFILL else 2 if k == DECODE else 0 for k in range(len(KINDS))])


class FileTexts:
    """What the codes of one file's columns stand for."""

    def __init__(
        self, file: str, streams: Sequence[str], texts: Sequence[str], source: str, shift_us: int, dp: int | None
    ) -> None:
        self.file = file
        self.streams = list(streams)
        self.texts = list(texts)
        self.date_from = source
        self.shift_us = shift_us
        self.dp = dp


def build_frame(
    columns: Columns, file: FileTexts, model: RunModel, wanted: Sequence[str] = tuple(SCHEMA)
) -> pl.DataFrame:
    """The rows of one piece, in file order, with the columns ``wanted`` of COLUMNS."""
    kinds = _codes(columns["kind"])
    out: dict[str, pl.Series | pl.Expr] = {}
    owners = _owners(file.file, _codes(columns["stream"]), kinds, model)
    out.update(_worker_columns(owners, model))
    out["metric_type"] = _texts(["batch", "memory"], (kinds >= BATCH_KINDS).astype(np.int64), "metric_type")
    out["batch_type"] = _texts([*KINDS[:BATCH_KINDS], None], np.minimum(kinds, BATCH_KINDS), "batch_type")
    out["kind"] = _texts(KINDS, kinds, "kind")
    out["engine"] = _texts(ENGINES, _codes(columns["engine"]), "engine")
    out["file"] = pl.lit(file.file, dtype=pl.String)
    out["stream"] = _texts([s or None for s in file.streams], _codes(columns["stream"]), "stream")
    out.update(_time_columns(columns, file))
    for name in ("graph_device", "detail"):
        if name in columns:
            codes = _codes(columns[name])
            missing = len(file.texts)
            out[name] = _texts([*file.texts, None], np.where(codes < 0, missing, codes), name)
    out["torn"] = pl.Series(columns["torn"] == 1)
    for name, dtype in SCHEMA.items():
        if name not in out and name != "duplicate" and (name in wanted or name in RANKS):
            known = columns.get(name)
            out[name] = pl.lit(None, dtype=dtype) if known is None else _measured(name, known, dtype)
    raw = {name: pl.Series(columns[name]) for name in out if name in columns and isinstance(out[name], pl.Expr)}
    frame = pl.DataFrame(raw | {name: one for name, one in out.items() if isinstance(one, pl.Series)})
    frame = frame.with_columns(**{name: one for name, one in out.items() if isinstance(one, pl.Expr)})
    if file.dp is not None:
        frame = frame.with_columns(pl.col("dp").fill_null(file.dp))
    return frame.with_columns(duplicate=_duplicates(frame, owners, kinds, model)).select(list(wanted))


def reassign(frame: pl.DataFrame, file: FileTexts, model: RunModel) -> pl.DataFrame:
    """Rows of one file that were built for another state of the run, with the workers they belong to now."""
    numbers = {text: index for index, text in enumerate(file.streams)}
    streams = frame["stream"].fill_null("").replace_strict(numbers, default=0, return_dtype=pl.Int64).to_numpy()
    names = {kind: index for index, kind in enumerate(KINDS)}
    kinds = frame["kind"].replace_strict(names, return_dtype=pl.Int64).to_numpy()
    owners = _owners(file.file, streams, kinds, model)
    sizes = {name: pl.lit(None, dtype=pl.Int64) for name in ("tp_size", "dp_size", "ep_size")}
    frame = frame.with_columns(**sizes).with_columns(**_worker_columns(owners, model))
    return frame.with_columns(duplicate=_duplicates(frame, owners, kinds, model)).select(list(SCHEMA))


def _codes(values: NDArray[Any]) -> NDArray[np.int64]:
    return values.astype(np.int64)


def _measured(name: str, values: NDArray[Any], dtype: pl.DataType) -> pl.Expr:
    """A column as it is meant: null where it holds NaN, or the lowest value of its integer type."""
    column = pl.col(name)
    if dtype == pl.Float64:
        return column.fill_nan(None)
    null = int(np.iinfo(values.dtype.type).min)
    known = column if int(values.min(initial=0)) > null else pl.when(column != null).then(column)
    return known == 1 if dtype == pl.Boolean else known.cast(dtype)


def _texts(texts: Sequence[str | None], codes: NDArray[np.int64], name: str) -> pl.Series | pl.Expr:
    """The text of each code; one literal where all codes are the same."""
    first = int(codes[0]) if len(codes) else 0
    if (codes == first).all():
        return pl.lit(texts[first] if texts else None, dtype=pl.String)
    return pl.Series(name, texts, dtype=pl.String).gather(codes)


def _time_columns(columns: Columns, file: FileTexts) -> dict[str, pl.Series | pl.Expr]:
    raw = columns["logged_us"]
    size = len(raw)
    missing = raw == np.iinfo(raw.dtype).min
    logged = np.where(missing, 0, raw.astype(np.int64) + file.shift_us)
    seconds = logged // 1_000_000
    changed = np.ones(size, dtype=bool)
    changed[1:] = seconds[1:] != seconds[:-1]
    stamps = pl.Series(seconds[changed] * 1_000_000).cast(pl.Datetime("us")).dt.strftime("%Y-%m-%d %H:%M:%S")
    stamp = stamps.gather(np.cumsum(changed) - 1)
    time = pl.Series(logged - columns["offset_us"].astype(np.int64) if "offset_us" in columns else logged)
    if missing.any():
        stamp, time = stamp.set(pl.Series(missing), None), time.set(pl.Series(missing), None)
    utc = columns["utc"].astype(np.int64)
    dateless = columns["dateless"].astype(np.int64)
    return {
        "timestamp": stamp,
        "time_us": time,
        "tz_assumed": _texts(["unknown", "utc"], utc, "tz_assumed"),
        "date_from": _texts([None, file.date_from], dateless, "date_from"),
    }


def _owners(file: str, streams: NDArray[np.int64], kinds: NDArray[np.int64], model: RunModel) -> NDArray[np.int64]:
    """The index of each row's worker; -1 where it has none."""
    table = np.full((int(streams.max()) + 1, len(SIDES)), -1, dtype=np.int64)
    for (name, stream, side), index in model.owner.items():
        if name == file and stream < len(table):
            table[stream, SIDES.index(side)] = index
    found: NDArray[np.int64] = table[streams, _SIDE_OF_KIND[kinds]]
    return found


def _worker_columns(owners: NDArray[np.int64], model: RunModel) -> dict[str, pl.Series | pl.Expr]:
    workers = model.workers
    index = np.where(owners < 0, len(workers), owners)
    texts = {
        "node": [w.node for w in workers],
        "worker_type": [w.role.value for w in workers],
        "worker_id": [w.worker_id for w in workers],
    }
    out = {name: _texts([*values, None], index, name) for name, values in texts.items()}
    for name in ("tp_size", "dp_size", "ep_size"):
        sizes = [getattr(w, name) for w in workers]
        if any(value is not None for value in sizes):
            out[name] = pl.Series(name, [*sizes, None], dtype=pl.Int64).gather(index)
    return out


def _duplicates(frame: pl.DataFrame, owners: NDArray[np.int64], kinds: NDArray[np.int64], model: RunModel) -> pl.Series:
    present = set(np.unique(owners).tolist()) if model.doubles else set()
    mine = [d for d in model.doubles if d[0] in present]
    if not mine:
        return pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True)
    keys = pl.DataFrame(
        [(index, kind, *(getattr(ranks, name) for name in RANKS)) for index, kind, ranks in mine],
        schema={"_owner": pl.Int64, "_kind": pl.Int64, **dict.fromkeys(RANKS, pl.Int64)},
        orient="row",
    ).with_columns(duplicate=pl.lit(True))
    rows = frame.select(RANKS).with_columns(pl.Series("_owner", owners), pl.Series("_kind", kinds))
    joined = rows.join(keys, on=["_owner", "_kind", *RANKS], how="left", nulls_equal=True, maintain_order="left")
    return joined["duplicate"].fill_null(value=False)
