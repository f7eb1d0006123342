"""Questions in SQL over the tables of a store. Nothing that is asked can change the store."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

import polars as pl

from trackside.errors import UsageError
from trackside.store.location import Location
from trackside.store.read import history, newest
from trackside.store.schema import JOBS, TABLES
from trackside.store.tables import open_table, readable_errors

STEPS: Final = "steps"
_QUESTIONS: Final = ("select", "with", "(", "explain", "show")
_NO_CODE: Final = re.compile(r"""'[^']*'|"[^"]*"|--[^\n]*|/\*.*?\*/""", re.DOTALL)
# Looked for in the whole question, texts and comments too: where these end, only the parser of the dialect knows.
_FILE_READER: Final = re.compile(r"""(?:read|scan)_\w+["'`]?\s*(?:\(|--|/\*)""", re.IGNORECASE)
_TIMES: Final = re.compile(
    r"""('[^']*'|"[^"]*"|--[^\n]*|/\*.*?\*/)"""
    r"""|\b(?:(now)\s*\(\s*\)|(current_timestamp)\b(?:\s*\(\s*\))?|(current_date)\b|(timestamp)(?=\s*'))""",
    re.DOTALL | re.IGNORECASE,
)


def ask(location: Location, query: str, *, every_row: bool = False) -> pl.DataFrame:
    """The answer to ``query`` over the newest rows, with ``every_row`` over all that were ever added.

    Beside the tables there is ``steps``: one row for each step of a job. The dialect is that of Polars; every time in
    it is UTC, that of ``now()`` too. Raises UsageError for anything but one SELECT (WITH, EXPLAIN, SHOW TABLES) over
    these tables.
    """
    bare = _NO_CODE.sub(" ", query).strip()
    if not bare.lower().startswith(_QUESTIONS):
        raise UsageError("Only a question can be asked here: begin it with SELECT or WITH.")
    if found := _FILE_READER.search(query):
        tables = ", ".join((*TABLES, STEPS))
        raise UsageError(
            f"Only the tables of the store can be asked: {tables}. Leave out {' '.join(found[0].split())}."
        )
    frames = _every_name(location) if bare.lower().startswith("show") else _frames(location, query, every_row=every_row)
    context = pl.SQLContext(frames=frames)
    try:
        return context.execute(_in_utc(query), eager=False).collect(engine="streaming")
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, TypeError, ValueError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        msg = f"The question cannot be answered: {lines[0].rstrip('.')}. Tables: {', '.join((*TABLES, STEPS))}."
        raise UsageError(msg) from error


def _in_utc(query: str) -> str:
    """``query`` with the times that the dialect takes without a zone, or by the clock on the wall, made UTC."""
    now = dt.datetime.now(dt.UTC)

    def told(found: re.Match[str]) -> str:
        if found[1]:
            return found[1]
        if found[4]:
            return f"DATE '{now:%Y-%m-%d}'"
        zoned = "TIMESTAMP WITH TIME ZONE"
        return zoned if found[5] else f"{zoned} '{now:%Y-%m-%dT%H:%M:%S.%fZ}'"

    return _TIMES.sub(told, query)


def _frames(location: Location, query: str, *, every_row: bool) -> dict[str, pl.LazyFrame]:
    """The tables that ``query`` may mean: to find the newest rows of the others would be wasted."""
    words = set(re.findall(r"\w+", query))
    frames = {}
    for name, table in TABLES.items():
        if name in words or (table is JOBS and STEPS in words):
            snapshot = open_table(location, table)
            with readable_errors(location, table, "read"):
                frames[name] = history(snapshot) if every_row else newest(snapshot)
    if STEPS in words:
        frames[STEPS] = steps_of(frames[JOBS.name])
    return frames


def _every_name(location: Location) -> dict[str, pl.LazyFrame]:
    frames = {name: open_table(location, table).scan() for name, table in TABLES.items()}
    return frames | {STEPS: steps_of(frames[JOBS.name])}


def steps_of(jobs: pl.LazyFrame) -> pl.LazyFrame:
    """One row for each step of ``jobs``: the keys and name of the job (``job_name``), then the step's own columns."""
    keys = ("repo", "run_id", "run_attempt", "job_id")
    steps = jobs.select(*keys, pl.col("name").alias("job_name"), "steps").filter(pl.col("steps").list.len() > 0)
    return steps.explode("steps").unnest("steps")
