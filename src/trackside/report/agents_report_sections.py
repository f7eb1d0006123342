"""What a report on agent operations tells beside its statistics: known failures, alerts, and the data files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from trackside.agents.knowledge import Entry
from trackside.records.agent_rules import Detail
from trackside.records.alerts import Alert, AlertState
from trackside.records.knowledge import EntryState
from trackside.report.agents_files import DataFiles
from trackside.report.alerts_report import TITLE, shown_state
from trackside.report.kb_report import kb_sections
from trackside.report.ledger import counted
from trackside.report.sections import Section

LARGE_BYTES: Final = 100_000_000
"""Data files that are larger together take minutes to write, and more than a branch or a page should hold."""
_LISTED: Final = (EntryState.OPEN, EntryState.REGRESSED)
_HEADINGS: Final = ("Alert", "State", "What", "Since")


def failure_sections(entries: Sequence[Entry], top: int) -> Iterator[Section]:
    """The known failures that somebody should look at, and how many were muted or resolved; nothing where none is."""
    if entries:
        others: Counter[EntryState] = Counter(one.state for one in entries if one.state not in _LISTED)
        yield from kb_sections([one for one in entries if one.state in _LISTED], top, others)


def alert_section(alerts: Sequence[Alert]) -> Section:
    """The alerts that are on, are near to it, or have just gone off."""
    told = [one for one in alerts if one.is_warning or one.state in (AlertState.ON, AlertState.RECOVERED)]
    return Section(
        title=TITLE,
        headings=_HEADINGS,
        rows=tuple((one.kind.value, shown_state(one), one.text, one.since) for one in told),
        notes=() if told else ("None is on.",) if alerts else ("Nobody looked at them yet: a report that syncs does.",),
    )


def data_lines(data: DataFiles, detail: Detail) -> Iterator[str]:
    """What became of the data files, in sentences; ``detail`` is how much of each run the settings ask for."""
    if data.replaced:
        yield data.replaced
    if data.kept:
        yield data.kept
        return
    runs, size = sum(one.runs or 0 for one in data.files), sum(one.bytes for one in data.files)
    what = f"{counted(runs, 'run attempt')} in {counted(len(data.files), 'file')}, {size / 1e6:,.2f} MB"
    yield f"{data.path} {'is written' if data.has_changes else 'has no news and stays as it is'}: {what}."
    if size > LARGE_BYTES and detail == "all":
        yield (
            'That is a lot for a page: detail = "bands" under [agents] in trackside.toml keeps jobs and steps of the '
            "newest runs of each workflow, and sums of the oldest."
        )
