"""Options that several commands share. A value of None means: not said on the command line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import Parameter, Token

from trackside.records.engine_run import Role

Format = Literal["table", "json", "csv", "markdown"]
FLAG = Parameter(negative="", show_default=False)


def whole_number(_type: object, tokens: Sequence[Token]) -> int:
    """The number of an option, that of 50.0 too: workflows hand over numbers so. Raises ValueError for all else."""
    text = tokens[0].value.strip()
    if not re.fullmatch(r"[+-]?\d{1,12}(\.0*)?", text):
        msg = f'"{text}" is no whole number.'
        raise ValueError(msg)
    return int(text.partition(".")[0])


def number_or_nothing(type_: object, tokens: Sequence[Token]) -> int | None:
    """The same, None for an empty text: a workflow that runs on a schedule has inputs without a value."""
    return whole_number(type_, tokens) if tokens[0].value.strip() else None


@Parameter(name="*")
@dataclass(frozen=True)
class Output:
    """How much is said."""

    verbose: Annotated[bool, Parameter(name=["--verbose", "-v"]), FLAG] = False
    """More figures: one row a worker, tokens and rates."""
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"]), FLAG] = False
    """Say nothing on stderr but warnings and errors."""
    debug: Annotated[bool, FLAG] = False
    """Show where an unexpected error came from."""


@Parameter(name="*")
@dataclass(frozen=True)
class Selection:
    """Which lines are looked at, and what is assumed of them."""

    from_: Annotated[str | None, Parameter(name="--from", show_default=False)] = None
    """Start of the window: 16:10:37 or 2026-01-31T16:10:37."""
    to: Annotated[str | None, Parameter(show_default=False)] = None
    """End of the window, included."""
    tz: Annotated[str | None, Parameter(show_default=False)] = None
    """Time zone of stamps that carry none, such as America/Los_Angeles."""
    role: Annotated[Role | None, Parameter(show_default=False)] = None
    """Role of every file, where names and content do not say or say it wrongly."""


@Parameter(name="*")
@dataclass(frozen=True)
class Reading:
    """How the files are read."""

    engine: Annotated[Literal["local", "dask"] | None, Parameter(show_default=False)] = None
    """Where files are parsed: in processes here, or on a Dask cluster."""
    scheduler: Annotated[str | None, Parameter(show_default=False)] = None
    """Address of the Dask scheduler; without it a cluster is started here."""
    cache: Annotated[bool | None, Parameter(show_default=False)] = None
    """Use and write cached_assets in the logs directory."""
