"""Which errors are new, and whether that can be told: one figure for all pages."""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec

from trackside.ci.groups import FailureGroup
from trackside.report.ledger import counted
from trackside.site.cards import UNKNOWN, Card
from trackside.site.facts import CiFacts

NEW_FOR: Final = dt.timedelta(days=1)
"""So long an error is new after the window shows it first, where the window reaches back at least twice as far."""
LABEL: Final = "New failure groups"


class NewGroups(msgspec.Struct, frozen=True, kw_only=True):
    """The failure groups that are new, the most frequent first, and their fingerprints.

    None are where ``why_not`` says why it cannot be told. ``rule`` says what new means here, and ``basis`` what it is
    of. ``unread`` counts failed attempts without a log.
    """

    groups: tuple[FailureGroup, ...] = ()
    fingerprints: frozenset[str] = frozenset()
    why_not: str = ""
    rule: str = ""
    basis: str = ""
    unread: int = 0

    @property
    def is_known(self) -> bool:
        """Whether it can be told."""
        return not self.why_not


def new_groups(ci: CiFacts | None, until: dt.datetime) -> NewGroups:
    """Errors that the last report did not know, or that the window, which ends at ``until``, shows first at its end.

    Without a report before, only a window that is long enough can tell; without a log, nothing can.
    """
    if ci is None or not ci.span.runs:
        return NewGroups(why_not="No run is known in the window: `trackside sync --since 30d` brings them.")
    told = ci.groups
    of = f"of {counted(len(told.groups), 'group')} of {counted(told.failures, 'failed attempt')} of jobs"
    if told.failures and told.without_log == told.failures:
        why_not = (
            f"No log of {counted(told.failures, 'failed attempt')} of jobs was read: "
            "`trackside sync --logs failed` downloads them."
        )
        return NewGroups(why_not=why_not, unread=told.without_log)
    shows_before, report = _shows_before(ci), told.last_report_at
    if told.failures and report is None and not shows_before:
        why_not = "The window is too short to tell what is new: `trackside sync --since 30d` brings a longer one."
        return NewGroups(why_not=why_not, basis=of, unread=told.without_log)
    since = until - NEW_FOR
    found = [one for one in told.groups if one.is_new or (shows_before and one.first.at > since)]
    rules = [f"first seen in the {NEW_FOR.days * 24} h before {until:%Y-%m-%d %H:%M} UTC"] if shows_before else []
    rules += [f"not known to the report of {report:%Y-%m-%d %H:%M} UTC"] if report is not None else []
    return NewGroups(
        groups=tuple(sorted(found, key=lambda one: -one.failures)),
        fingerprints=frozenset(one.fingerprint for one in found),
        rule=", or ".join(rules),
        basis=f"{of}, {told.without_log:,} without a log" if told.without_log else of,
        unread=told.without_log,
    )


def new_groups_card(found: NewGroups, url: str) -> Card:
    """How many are new, for every page that says so."""
    if not found.is_known:
        basis = "; ".join(filter(None, (found.why_not.replace("`", "").rstrip("."), found.basis)))
        return Card(label=LABEL, value=UNKNOWN, basis=f"{basis}.", url=url)
    number = len(found.groups)
    basis = "; ".join(filter(None, (found.basis, found.rule)))
    tone = "warn" if number else "" if found.unread else "good"
    return Card(label=LABEL, value=f"{number:,}", basis=basis, url=url, tone=tone)


def _shows_before(ci: CiFacts) -> bool:
    """Whether the runs whose failures were looked at reach back so far that what is not in them before is new."""
    first, last = ci.looked_at.since if ci.looked_at else ci.span.first_run_at, ci.span.last_run_at
    return first is not None and last is not None and last - first >= 2 * NEW_FOR
