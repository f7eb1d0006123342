"""The ledger of a sync for people and for programs."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from trackside.errors import GO_ON
from trackside.records.syncs import ELIDED, Missing, SyncRecord, shared_reason
from trackside.report.ledger import counted
from trackside.report.safe_text import safe_text

SCHEMA_VERSION: Final = 1
NOT_ASKED: Final = "not asked for: "
MOST_TEXT: Final = 600
"""Characters of the sentence on what is missing: workflows show it as one warning."""
_MOST_REASON: Final = 360
_MOST_SAMPLE: Final = 120
_UNREADABLE: Final = re.compile(r"^(?!.*have stopped: ).*\((?:401|403|404|410|451)\b", re.DOTALL)
"""How reasons read that hold until somebody gives a right, or for ever."""
DOWNLOAD: Final = " download"
"""How the endpoints end that are another host's: what is fetched there counts against no limit."""


class SyncDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger of a sync for programs: times are UTC, durations seconds. ``schema_version`` goes with its shape."""

    schema_version: int
    sync: SyncRecord


def sync_document(record: SyncRecord) -> dict[str, Any]:
    """The ledger as a JSON document, in builtin types."""
    built: dict[str, Any] = msgspec.to_builtins(SyncDocument(schema_version=SCHEMA_VERSION, sync=record))
    return built


def sync_lines(record: SyncRecord) -> list[str]:
    """The ledger in lines: what came, what it cost, what is missing."""
    return [*_what_came(record), *_what_it_cost(record), *_what_is_missing(record)]


def missing_line(record: SyncRecord) -> str:
    """One sentence on what is missing and why, for the end of a command that is not complete.

    Reasons that differ in an id alone are one, with an example. About MOST_TEXT characters at most; what to do is
    said where it is of use: the same again helps against a limit, not against a missing right.
    """
    same: dict[str, list[Missing]] = {}
    for item in record.missing:
        same.setdefault(shared_reason(_reason(item).removeprefix(NOT_ASKED)), []).append(item)
    parts = [_part(reason, items) for reason, items in same.items()]
    shown, size = 1, len(parts[0]) if parts else 0
    while shown < len(parts) and size + len(parts[shown]) <= MOST_TEXT - 120:
        size += len(parts[shown]) + 2
        shown += 1
    if more := len(parts) - shown:
        parts[shown:] = [f"and {counted(more, 'more reason')}"]
    again = "" if same and all(map(_UNREADABLE.search, same)) else f"; {GO_ON}"
    return f"Not complete: {'; '.join(parts)}. What was read is kept{again}."


def _part(reason: str, items: list[Missing]) -> str:
    """What is missing for one reason. Where ids were left out of it, one is told as an example."""
    counts: dict[str, int] = {}
    for item in items:
        counts[item.what] = counts.get(item.what, 0) + item.count
    amounts = ", ".join(_amount(Missing(what=what, reason=reason, count=n)) for what, n in counts.items())
    told = {_reason(item).removeprefix(NOT_ASKED) for item in items}
    example = next((sample for item in items for sample in item.samples), None)
    if len(told) == 1 and reason not in told:
        reason, example = told.pop(), None
    first = f"; first: {_cut(safe_text(example), _MOST_SAMPLE)}" if example and ELIDED in reason else ""
    return f"{amounts} missing ({_cut(reason, _MOST_REASON)}{first})"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _what_came(record: SyncRecord) -> Iterator[str]:
    window = f"{_time(record.window_start)} to {_time(record.window_stop)}"
    scope = f", {safe_text(record.scope)}" if record.scope else ""
    yield f"{safe_text(record.repo)}: runs created {window}{scope}"
    yield (
        f"  runs      {record.runs_listed:,} listed: {record.runs_new:,} new, {record.runs_changed:,} changed, "
        f"{record.runs_unchanged:,} unchanged"
    )
    if record.attempts_selected or record.attempts_fetched:
        share = "unknown" if record.completeness is None else _percent(record.completeness)
        yield (
            f"  attempts  {record.attempts_selected:,} in the selection, {record.attempts_fetched:,} read now, "
            f"{record.attempts_complete:,} complete ({share})"
        )
    yield f"  jobs      {record.jobs_new:,} read, {record.steps_new:,} steps"
    if record.pulls_new:
        yield f"  pulls     {record.pulls_new:,} new or changed"
    if record.logs_new:
        yield f"  logs      {record.logs_new:,} read"
    if record.artifacts_new:
        yield f"  artifacts {record.artifacts_new:,} read"
    if record.parse_errors:
        samples = "; ".join(safe_text(sample) for sample in record.parse_error_samples)
        yield f"  not understood: {counted(record.parse_errors, 'field')}, such as {samples}"
    for note in record.notes:
        yield f"  note: {safe_text(note)}"


def _what_it_cost(record: SyncRecord) -> Iterator[str]:
    asked = [item for item in record.endpoints if not item.endpoint.endswith(DOWNLOAD)]
    by_endpoint = ", ".join(f"{safe_text(item.endpoint)} {item.calls:,}" for item in asked)
    yield f"  calls     {record.calls:,} ({record.billed:,} billed){': ' + by_endpoint if by_endpoint else ''}"
    if downloads := sum(item.calls for item in record.endpoints if item.endpoint.endswith(DOWNLOAD)):
        yield f"  downloads {downloads:,} from the storage of logs and artifacts, which are no calls"
    for failed in record.failed_calls[:3]:
        yield f"  failed    {safe_text(failed.endpoint)} {safe_text(failed.url)}: {safe_text(failed.reason)}"
    if len(record.failed_calls) > 3:
        yield f"            and {len(record.failed_calls) - 3:,} more failed calls"
    for limit in record.limits:
        if limit.limit is None and limit.remaining_end is None:
            continue
        reset = f", full again at {_time(limit.reset_at)}" if limit.reset_at else ""
        yield (
            f"  limit     {safe_text(limit.resource)}: {_number(limit.remaining_start)} left at the start, "
            f"{_number(limit.remaining_end)} at the end of {_number(limit.limit)} an hour{reset}"
        )
    took = (record.ended_at - record.started_at).total_seconds()
    phases = ", ".join(f"{name} {seconds:.1f}" for name, seconds in record.phases_s.items())
    waited = f", of which {record.waited_s:.0f} s waiting" if record.waited_s else ""
    yield f"  took      {took:.1f} s{waited} ({phases}), {_size(record.bytes)}"


def _what_is_missing(record: SyncRecord) -> Iterator[str]:
    if not record.missing:
        yield "  missing   nothing"
    for item in record.missing:
        samples = f", such as {', '.join(safe_text(sample) for sample in item.samples[:3])}" if item.samples else ""
        yield f"  missing   {_amount(item)}: {_reason(item)}{samples}"


def _amount(item: Missing) -> str:
    """How many of what; ``what`` is a plural, such as ``stretches of the run list``."""
    noun, of, rest = safe_text(item.what).partition(" of ")
    if item.count == 1:
        noun = noun.removesuffix("es" if noun.endswith("ches") else "s")
    return f"{item.count:,} {noun}{of}{rest}"


def _reason(item: Missing) -> str:
    """The reason without what is said once at the end."""
    return safe_text(item.reason).removesuffix(f"; what came is kept; {GO_ON}")


def _percent(share: float) -> str:
    """Never rounded up to 100 %: that would hide what is missing."""
    return "100 %" if share >= 1 else f"{min(share * 100, 99.9):.1f} %"


def _number(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"


def _time(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB" if size_bytes >= 100_000 else f"{size_bytes / 1e3:,.1f} kB"
