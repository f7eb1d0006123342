"""``trackside alerts --issue``: one open issue for each alert that is on, closed when it is over."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from trackside.cli.commenting import post_comment
from trackside.cli.terminal import Terminal
from trackside.records.alerts import Alert, AlertKind, AlertState

if TYPE_CHECKING:
    from trackside.github.client import GitHub
    from trackside.github.issues import Issue


def tell_in_issues(
    github: GitHub, repo: str, alerts: Sequence[Alert], terminal: Terminal, *, dry_run: bool
) -> tuple[Alert, ...]:
    """The alerts with the issue that tells of each, after one was opened, renewed or closed where need be.

    An alert has one issue: the oldest open one that the account of the token opened and that begins with the mark of
    its kind. One that is unknown leaves its issue as it is. With ``dry_run`` it is said what would be done, and nothing
    is written. Raises GitHubError where GitHub refuses it, and names the permission.
    """
    desk = _Desk(github, repo, terminal, dry_run=dry_run)
    return tuple(msgspec.structs.replace(one, issue=desk.tell(one)) for one in alerts)


def alert_marker(kind: AlertKind) -> str:
    """The first line of the issue of an alert, which no reader sees and by which it is found again."""
    return f"<!-- trackside:alert:{kind.value} -->"


class _Desk:
    """The issues of one repository; its own are listed once."""

    def __init__(self, github: GitHub, repo: str, terminal: Terminal, *, dry_run: bool) -> None:
        self._github, self._repo, self._terminal, self._dry_run = github, repo, terminal, dry_run
        site = os.environ.get("GITHUB_SERVER_URL") or "https://github.com"
        self._site = f"{site.rstrip('/')}/{repo}"
        self._open = self._list()

    def tell(self, alert: Alert) -> int | None:
        """The number of the open issue of an alert, None where there is none."""
        known = self._own(alert.kind)
        if alert.state is AlertState.UNKNOWN:
            return known[0].number if known else None
        if alert.state is AlertState.ON:
            return self._renew(alert, known[0]) if known else self._create(alert)
        for one in known:
            self._close(alert, one)
        return None

    def _own(self, kind: AlertKind) -> list[Issue]:
        marker = alert_marker(kind)
        return [one for one in self._open if (one.body or "").partition("\n")[0].rstrip() == marker]

    def _list(self) -> list[Issue]:
        from trackside.github.issues import list_issues, viewer_of

        viewer = viewer_of(self._github)
        mine = [one for one in list_issues(self._github, self._repo, viewer.login) if viewer.wrote(one.user)]
        return sorted(mine, key=lambda one: one.number)

    def _create(self, alert: Alert) -> int | None:
        from trackside.github.issues import close_issue, create_issue, make_once
        from trackside.report.alerts_report import issue_title

        if self._would(f"open an issue: {issue_title(alert)}"):
            return None
        made = make_once(
            lambda: create_issue(self._github, self._repo, issue_title(alert), self._body(alert)),
            lambda: next(iter(self._looked_again(alert.kind)), None),
        )
        oldest = next(iter(self._looked_again(alert.kind)), made)
        if oldest.number < made.number:
            close_issue(self._github, self._repo, made.number, "not_planned")
            return oldest.number
        self._terminal.note(f"Opened {self._repo}#{made.number}: {issue_title(alert)}")
        return made.number

    def _looked_again(self, kind: AlertKind) -> list[Issue]:
        self._open = self._list()
        return self._own(kind)

    def _renew(self, alert: Alert, one: Issue) -> int:
        from trackside.github.issues import edit_issue
        from trackside.report.alerts_report import issue_title

        title, body = issue_title(alert), self._body(alert)
        same = (one.title, (one.body or "").replace("\r\n", "\n").rstrip()) == (title, body.rstrip())
        if not same and not self._would(f"renew {self._repo}#{one.number}: {title}"):
            edit_issue(self._github, self._repo, one.number, title, body)
        return one.number

    def _close(self, alert: Alert, one: Issue) -> None:
        from trackside.github.issues import close_issue
        from trackside.report.alerts_report import recovery_body
        from trackside.report.comment_text import comment_text

        if self._would(f"close {self._repo}#{one.number}"):
            return
        # A mark of its own: where only the closing fails, the next time closes it and says nothing twice.
        marker = f"<!-- trackside:alert:{alert.kind.value}:over -->"
        text = comment_text(marker, recovery_body(alert), self._site)
        post_comment(self._github, self._repo, one.number, marker, text, self._terminal)
        close_issue(self._github, self._repo, one.number)
        self._terminal.note(f"Closed {self._repo}#{one.number}")

    def _body(self, alert: Alert) -> str:
        from trackside.report.alerts_report import issue_body
        from trackside.report.comment_text import comment_text

        return comment_text(alert_marker(alert.kind), issue_body(alert), self._site)

    def _would(self, what: str) -> bool:
        if self._dry_run:
            self._terminal.warn(f"It would {what}")
        return self._dry_run
