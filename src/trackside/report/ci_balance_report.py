"""Balance of shards: tables, JSON document, CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

import msgspec

from trackside.ci.balance import Balance, FamilyBalance
from trackside.ci.results import Span
from trackside.report.ledger import counted
from trackside.report.sections import Cell, Section, minutes, section_csv

BALANCE_VERSION: Final = 1
_SHOWN_PLANS: Final = 3
_NAMED: Final = 10
_CSV: Final = (
    "workflow", "job", "file", "shard", "planned_part", "n", "median_s", "last_s", "estimated_s", "gap_s",
)  # fmt: skip


class BalanceDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``trackside ci balance --format json`` prints."""

    schema_version: int
    repository: str
    span: Span
    balance: Balance


def balance_json(repo: str, span: Span, balance: Balance) -> str:
    """A BalanceDocument in ASCII, so that no character of it acts on a terminal."""
    document = BalanceDocument(schema_version=BALANCE_VERSION, repository=repo, span=span, balance=balance)
    return json.dumps(msgspec.to_builtins(document), indent=2)


def balance_csv(balance: Balance) -> str:
    """One row for each test file of a job; ``planned_part`` counts from 1 and is empty where nothing is proposed."""
    return section_csv(_CSV, (row for family in balance.families for row in _csv_rows(family)))


def balance_sections(balance: Balance, top: int) -> Iterator[Section]:
    """At most ``top`` jobs, the best partitions, and the estimates that are furthest off."""
    families = balance.families[:top]
    yield Section(
        title="Shards (minutes)",
        headings=("Job", "Shards", "Slowest", "Fastest", "Files Now", "Files Planned", "Saved", "At Best"),
        rows=tuple(_row(family) for family in families),
        notes=tuple(_notes(balance, top)),
    )
    for family in balance.uneven[:_SHOWN_PLANS]:
        yield Section(
            title=f"A better partition of {family.workflow} / {family.job}",
            headings=("Part", "Minutes", "Files"),
            rows=tuple(
                (place, minutes(part.predicted_s), ", ".join(part.files)) for place, part in enumerate(family.plan, 1)
            ),
            notes=tuple(_left_out(family)),
        )
    off = [(family, file) for family in balance.families for file in family.files if file.gap_s]
    off.sort(key=lambda one: (-abs(one[1].gap_s or 0.0), one[1].file))
    yield Section(
        title="Estimates that are furthest off (seconds)",
        headings=("Job", "File", "n", "Median", "Last", "Estimate", "Gap"),
        rows=tuple(
            (family.job, one.file, one.n, one.median_s, one.last_s, one.estimated_s, one.gap_s)
            for family, one in off[:top]
        ),
    )


def _row(family: FamilyBalance) -> tuple[Cell, ...]:
    medians = [shard.median_s for shard in family.shards if shard.median_s is not None]
    return (
        f"{family.workflow} / {family.job}",
        len(family.shards),
        minutes(max(medians, default=None)),
        minutes(min(medians, default=None)),
        minutes(family.longest_s),
        minutes(family.planned_s),
        minutes(family.saved_s) if family.plan else None,
        minutes(family.bound_s),
    )


def _notes(balance: Balance, top: int) -> Iterator[str]:
    yield (
        "Slowest and fastest are the shards' median durations where they passed. Files are the sums of median times "
        "of test files in the longest shard, without set-up; at best is what no partition can be below."
    )
    if not balance.logs:
        yield (
            "No log that was read tells the times of test files, so no partition is proposed: "
            "a sync with --logs all (or failed) brings logs."
        )
    else:
        yield f"The logs of {counted(balance.logs, 'job attempt')} tell test files."
    if balance.logs and not balance.uneven:
        yield "No partition was found that makes a longest shard at least a minute and a tenth shorter."
    if len(balance.families) > top:
        yield f"{len(balance.families) - top:,} more jobs are not shown; --top shows more, --format json has them all."


def _left_out(family: FamilyBalance) -> Iterator[str]:
    shards = len(family.plan) + (0 if family.divides_anew else len(family.unread_shards))
    if shards < len(family.shards):
        yield f"The newest runs have {counted(shards, 'shard')}; the whole window has {len(family.shards):,}."
    if family.unmeasured:
        yield f"Not in it, as they were never timed: {_named(family.unmeasured)}."
    if family.divides_anew:
        yield (
            "The suite divides its files anew: most files that several logs tell of ran in several shards. Files Now "
            "is the longest of the shards' newest logs; better estimates help it more than a fixed partition."
        )
    if family.unread_shards:
        what = "They count as shards, but" if family.divides_anew else "Not in it, as"
        yield f"{what} no log was read of them: the shards {_named(family.unread_shards)}."


def _named(names: tuple[str, ...]) -> str:
    rest = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + rest


def _csv_rows(family: FamilyBalance) -> Iterator[tuple[Cell, ...]]:
    parts = {file: place for place, part in enumerate(family.plan, 1) for file in part.files}
    for one in family.files:
        times = (one.n, one.median_s, one.last_s, one.estimated_s, one.gap_s)
        yield (family.workflow, family.job, one.file, one.shard or None, parts.get(one.file), *times)
    for file in family.unmeasured:
        yield (family.workflow, family.job, file, None, None, 0, None, None, None, None)
