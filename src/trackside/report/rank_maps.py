"""Heat maps of worker by rank, with their tables."""

from __future__ import annotations

import msgspec
from bokeh.plotting import figure

from trackside.bench.batches import Batches
from trackside.bench.chart_catalogue import INPUT_SIDE, ROLE_ORDER, section_title
from trackside.bench.chart_records import Clock
from trackside.bench.heat import RankLoad, hottest, rank_loads
from trackside.report.load_charts import figure_heat
from trackside.report.safe_text import safe_text

HOT_RATIO = 1.25


class RankMap(msgspec.Struct, frozen=True):
    """One heat map: what it shows and who stands out."""

    key: str
    title: str
    finding: str
    plot: figure


class RankGroup(msgspec.Struct, frozen=True):
    """The heat maps of one role and kind of line, and the loads behind them."""

    title: str
    maps: list[RankMap]
    loads: list[RankLoad]


FIELDS = (
    ("mean_running", "mean running requests", "requests", 1.0),
    ("mean_queue", "mean queued requests", "requests", 1.0),
    ("mean_token_usage", "mean KV cache usage", "%", 100.0),
    ("tokens_per_s", "throughput", "tokens/s", 1.0),
)


def rank_groups(batches: Batches, clock: Clock) -> list[RankGroup]:
    """The maps of each role and kind of line that has more than one (worker, rank)."""
    kinds = batches.rows.select("worker_type", "batch_type").unique()
    known = [key for key in kinds.iter_rows() if key[0] in ROLE_ORDER and key[1] in INPUT_SIDE]
    groups: list[RankGroup] = []
    for role, kind in sorted(known, key=lambda key: (ROLE_ORDER[key[0]], key[1] != "prefill")):
        input_side = INPUT_SIDE[kind] == (True,)
        loads = rank_loads(batches, role, kind, input_side, clock.duration_s)
        if len(loads) > 1:
            groups.append(RankGroup(section_title(role, kind), _maps(role, kind, loads), loads))
    return groups


def _maps(role: str, kind: str, loads: list[RankLoad]) -> list[RankMap]:
    return [
        RankMap(
            key=f"ranks-{role}-{kind}-{field}",
            title=title[0].upper() + title[1:],
            finding=_finding(loads, field, unit, scale),
            plot=figure_heat(loads, field, unit, scale),
        )
        for field, title, unit, scale in FIELDS
        if any(getattr(load, field) for load in loads)
    ]


def _finding(loads: list[RankLoad], field: str, unit: str, scale: float) -> str:
    found = hottest(loads, field)
    if found is None:
        return ""
    load, ratio = found
    value = getattr(load, field) * scale
    lead = "Hot rank: " if ratio >= HOT_RATIO and value >= 1 else "Highest within its worker: "
    who = f"{safe_text(load.worker)} {load.slot}"
    return f"{lead}{who} with {value:,.4g} {unit}, {ratio:.2f} × its worker's mean."
