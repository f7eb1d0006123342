"""How large a generated run is: topology, ranks, load and duration, chosen from what was asked for."""

from __future__ import annotations

import argparse
import datetime as dt
import re
from typing import Final, NamedTuple

from benchmarks.line_forms import DIALECTS, Dialect
from benchmarks.worker import Launch
from benchmarks.workload import Shape

_UNITS: Final = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_SMALL_BYTES: Final = 25_000_000
"""Up to this size a run keeps the small topology of the demo; above it decode workers are wide."""
PLAIN_SHARE: Final = 0.4
"""Rate of a run without speculative decoding, as a share: its requests stay so much longer."""


class Density(NamedTuple):
    """How full ranks are: steady requests/s of one, its places, its KV capacity in tokens, and what a request
    costs in bytes of worker logs, measured on generated runs with and without speculative decoding."""

    rate: float
    places: int
    capacity: int
    bytes_per_request: tuple[float, float]


SMALL: Final = Density(0.8, 48, 262_144, (620.0, 1050.0))
WIDE: Final = Density(0.32, 20, 98_304, (1155.0, 2140.0))
AGGREGATED: Final = Density(0.3, 48, 262_144, (731.0, 1323.0))


class Options(NamedTuple):
    """What the caller asks for; ``size_bytes`` sets the duration unless ``minutes`` is given."""

    topology: str = "6P2D"
    size_bytes: int | None = None
    minutes: float | None = None
    seed: int = 0
    dialect: str = "2026-01"
    prefix: str = "bracket"
    tags: str | None = None
    hostile: bool = False


class Plan(NamedTuple):
    """A run to simulate. Rates are per second and steady; ``chunk`` is tokens."""

    options: Options
    job_id: str
    dialect: Dialect
    start: dt.datetime
    launches: tuple[Launch, ...]
    shape: Shape
    prefill_tokens_per_s: float


def size_bytes(text: str) -> int:
    """Bytes of a size such as ``300MB`` or ``1.5GB`` (powers of ten)."""
    found = re.fullmatch(r"([\d.]+)\s*([KMG]B)?", text.strip().upper())
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write for example 300MB or 1GB")
    return int(float(found[1]) * _UNITS[found[2] or ""])


def worker_counts(topology: str) -> dict[str, int]:
    """Workers by role of a topology such as ``6P2D``, ``6P/2D`` or ``8A``."""
    found = re.fullmatch(r"(?:(\d+)P/?(\d+)D|(\d+)A)", topology.upper())
    if not found:
        raise argparse.ArgumentTypeError(f"{topology!r} is not a topology; write for example 6P2D or 8A")
    if found[3]:
        return {"agg": int(found[3])}
    return {"prefill": int(found[1]), "decode": int(found[2])}


def _tag_form(options: Options) -> str:
    if options.tags:
        return options.tags
    return "none" if options.prefix.startswith("dynamo") else "dp-tp-ep"


def _density(options: Options) -> Density:
    if options.topology.upper().endswith("A"):
        return AGGREGATED
    return WIDE if (options.size_bytes or 0) > _SMALL_BYTES else SMALL


def _launches(options: Options, density: Density) -> tuple[Launch, ...]:
    tags = _tag_form(options)
    per_rank = "DP" in tags.upper() or (tags == "none" and options.tags is None)
    launches: list[Launch] = []
    for role, count in worker_counts(options.topology).items():
        tp, dp = (32, 32) if role == "decode" and density is WIDE else (8, 2 if role == "prefill" else 4)
        for number in range(count):
            host = len(launches) + 1
            name, address = f"cn{host:02d}", f"10.0.1.{host}"
            ranks = dp if per_rank else 1
            shape = (8192, density.capacity, density.places)
            launches.append(Launch(role, name, number, tp, ranks, tags, *shape, address))
    return tuple(launches)


def _minutes_for(requests: float, rate: float) -> float:
    """Minutes of load that bring so many requests; the idle gap's share depends on them, hence the rounds."""
    load_s = requests / rate
    for _ in range(4):
        load_s *= requests / Shape(load_s, rate).requests
    return max(1.0, load_s / 60)


def plan_run(options: Options) -> Plan:
    """The run that fits the options. Prefill hardware is sized to be 62 % busy under the steady load."""
    density = _density(options)
    dialect = DIALECTS[options.dialect]
    launches = _launches(options, density)
    ranks = {
        role: sum(launch.dp for launch in launches if launch.role == role) for role in ("prefill", "decode", "agg")
    }
    rate = (ranks["decode"] + ranks["agg"]) * density.rate * (1.0 if dialect.mtp else PLAIN_SHARE)
    minutes = options.minutes
    if minutes is None and options.size_bytes:
        minutes = _minutes_for(options.size_bytes / density.bytes_per_request[not dialect.mtp], rate)
    busy = 0.62 if ranks["prefill"] else 0.2
    new_tokens_per_s = rate * 2600 * 0.66
    return Plan(
        options=options,
        job_id=str(5_500_100 + options.seed),
        dialect=dialect,
        start=dt.datetime.combine(dialect.day, dt.time(21, 52, 7)),
        launches=launches,
        shape=Shape((minutes or 48.0) * 60, rate),
        prefill_tokens_per_s=new_tokens_per_s / busy / (ranks["prefill"] or ranks["agg"]),
    )
