"""What one engine-log run directory holds: its workers and the ledger of what was read."""

from __future__ import annotations

import enum
from typing import Any

import msgspec


class Role(enum.StrEnum):
    """What a worker does. ``frontend`` files are listed, never counted as engines."""

    PREFILL = "prefill"
    DECODE = "decode"
    AGG = "agg"
    FRONTEND = "frontend"


class Ranks(msgspec.Struct, frozen=True, order=True):
    """One rank tag of a log line; a part that the line does not carry is None."""

    dp: int | None = None
    pp: int | None = None
    attn_cp: int | None = None
    moe_dp: int | None = None
    tp: int | None = None
    ep: int | None = None


class RankTotals(msgspec.Struct, frozen=True):
    """What one rank of one worker logged of one kind of batch line."""

    ranks: Ranks
    batch_type: str
    rows: int
    first_us: int
    last_us: int
    new_token: int = 0
    cached_token: int = 0


class FileLedger(msgspec.Struct, frozen=True):
    """What was read of one file, and what was not. Counts are lines unless the name says otherwise.

    ``state`` is ok, empty, lfs_pointer, unreadable, skipped (see ``note``) or truncated (a cut archive).
    ``first_stamp`` and ``last_stamp`` are the first and last full time stamps of any line, as logged.
    """

    file: str
    state: str = "ok"
    size_bytes: int = 0
    lines: int = 0
    prefill: int = 0
    decode: int = 0
    engine: int = 0
    iteration: int = 0
    memory: int = 0
    unrecognised: int = 0
    samples: tuple[str, ...] = ()
    torn: int = 0
    quoted: int = 0
    overlong: int = 0
    invalid_utf8_bytes: int = 0
    not_a_number: int = 0
    slow_path: int = 0
    unknown_fields: dict[str, int] = {}
    first_stamp: str | None = None
    last_stamp: str | None = None
    note: str | None = None

    @property
    def batch_lines(self) -> int:
        """Recognised batch lines of every kind."""
        return self.prefill + self.decode + self.engine + self.iteration


class Worker(msgspec.Struct, frozen=True):
    """One worker of the run, merged over its files. ``gpus`` is null where no launch configuration was logged."""

    node: str
    role: Role
    worker_id: str
    files: tuple[str, ...]
    engine: str | None
    batch_rows: int
    memory_rows: int
    first_us: int | None
    last_us: int | None
    rank_totals: tuple[RankTotals, ...]
    launches: int
    config: dict[str, Any]
    tp_size: int | None = None
    dp_size: int | None = None
    ep_size: int | None = None
    pp_size: int | None = None
    gpus: int | None = None

    @property
    def name(self) -> str:
        """``<node>_<role>_<worker_id>``."""
        return f"{self.node}_{self.role.value}_{self.worker_id}"
