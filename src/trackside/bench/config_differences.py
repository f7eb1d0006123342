"""Launch settings of the workers side by side: what differs, and what all share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from trackside.records.engine_run import Worker

_SECRET = re.compile(r"(api_?key|secret|password|passwd|credential|(^|_)token$|auth_?token|private_key)", re.IGNORECASE)
HIDDEN = "(set, not shown)"
OWN_OF_EACH = frozenset(
    {
        "host",
        "port",
        "dist_init_addr",
        "nccl_port",
        "node_rank",
        "random_seed",
        "disaggregation_bootstrap_port",
    }
)


class SettingRow(msgspec.Struct, frozen=True):
    """One setting; ``values`` by worker, None where that worker did not log it.

    ``within_role`` says that workers of one role differ, which is seldom meant (but for OWN_OF_EACH).
    """

    name: str
    values: tuple[str | None, ...]
    within_role: bool


class ConfigTable(msgspec.Struct, frozen=True):
    """Settings of the workers that logged their launch configuration."""

    workers: tuple[str, ...]
    differing: tuple[SettingRow, ...]
    shared: tuple[tuple[str, str], ...]
    unknown: tuple[str, ...]


def compare_configs(workers: Sequence[Worker]) -> ConfigTable:
    """The settings of all workers; secrets are named, never shown."""
    known = [worker for worker in workers if worker.config]
    names = sorted({name for worker in known for name in worker.config})
    differing, shared = [], []
    for name in names:
        values = tuple(_shown(name, worker.config) for worker in known)
        if len(set(values)) == 1 and values[0] is not None:
            shared.append((name, values[0]))
        else:
            differing.append(SettingRow(name, values, name not in OWN_OF_EACH and _differs_within_role(known, values)))
    differing.sort(key=lambda row: (not row.within_role, row.name))
    return ConfigTable(
        workers=tuple(worker.name for worker in known),
        differing=tuple(differing),
        shared=tuple(shared),
        unknown=tuple(worker.name for worker in workers if not worker.config),
    )


def _shown(name: str, config: dict[str, Any]) -> str | None:
    if name not in config:
        return None
    value = config[name]
    if _SECRET.search(name) and isinstance(value, str) and value:
        return HIDDEN
    return value if isinstance(value, str) else repr(value)


def _differs_within_role(workers: Sequence[Worker], values: Sequence[str | None]) -> bool:
    by_role: dict[str, set[str | None]] = {}
    for worker, value in zip(workers, values, strict=True):
        by_role.setdefault(worker.role.value, set()).add(value)
    return any(len(found) > 1 for found in by_role.values())
