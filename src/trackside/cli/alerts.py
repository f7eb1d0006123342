"""``trackside alerts``: whether the collection itself is well, and who is told where it is not."""

from __future__ import annotations

import datetime as dt
import glob
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from trackside.cli.alerting import keep_alerts, look_at_alerts
from trackside.cli.ci_session import EXIT_FOUND
from trackside.cli.github_options import Access, Saying
from trackside.cli.github_session import github_of, repository_of, settings_of, store_of
from trackside.cli.notifying import News, Notifying, Telling, deliver, is_wanted, sender_of, told_before
from trackside.cli.options import FLAG
from trackside.cli.terminal import Terminal, open_terminal
from trackside.cli.workflow_run import hand_warnings
from trackside.errors import NoDataError, OutputError, PathNotFoundError, TracksideError
from trackside.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trackside.notify.sender import Sender
    from trackside.records.alerts import Alert

Format = Literal["table", "json", "markdown"]


def alerts(
    *,
    check: Annotated[bool, FLAG] = False,
    issue: Annotated[bool, FLAG] = False,
    data: Annotated[Path | None, Parameter(show_default=False)] = None,
    notifying: Notifying | None = None,
    access: Access | None = None,
    saying: Saying | None = None,
    format: Format = "table",  # noqa: A002 - the name of the option
) -> int:
    """Show alerts on the collection itself: limits, failed and slow syncs, large files, stale data.

    Looks at what the store tells of the last syncs; GitHub is asked only with --issue.

    Args:
        check: End with 3 where an alert is on.
        issue: Keep one open issue for each alert that is on; it is closed when that is over. Needs issues: write.
        data: The data file whose size, and that of the files beside it, is looked at. As set under [agents].
        format: How to print.
    """
    from trackside.agents.alerts import are_on

    access, notifying = access or Access(), notifying or Notifying()
    sender = sender_of(notifying)
    terminal = open_terminal(quiet=(saying or Saying()).quiet)
    settings = settings_of(access)
    telling = Telling(terminal, store_of(access, create=False), repository_of(access, settings))
    now = dt.datetime.now(dt.UTC)
    found = look_at_alerts(telling.store, telling.repo, settings, now, _sizes(data, settings))
    _require_sync(found, telling.repo)
    if issue:
        found = _in_issues(telling, found, access, settings, dry_run=notifying.dry_run)
    _print(terminal, telling.repo, found, now, format)
    hand_warnings(terminal, found)
    if not notifying.dry_run:
        _keep(telling, found, now)
    told = _tell(telling, found, notifying, sender)
    if check and are_on(found):
        return EXIT_FOUND
    return 0 if told else TracksideError.exit_code


def _require_sync(found: Sequence[Alert], repo: str) -> None:
    """Raises NoDataError where the store knows no sync of the repository: a check of nothing must not pass."""
    from trackside.records.alerts import AlertKind, AlertState

    if any(one.kind is AlertKind.SYNC_FAILURES and one.state is AlertState.UNKNOWN for one in found):
        msg = f"The store holds no sync of {repo}: trackside agents report --repo {repo} makes one."
        raise NoDataError(msg)


def _sizes(data: Path | None, settings: Settings) -> dict[str, int] | None:
    """The sizes of the data file and those beside it, None where it is not there and was not named."""
    path = data or Path(settings.agents.data_file)
    if not path.is_file():
        if data is None:
            return None
        msg = f"--data {data}: there is no such file; trackside agents report -o {data} writes it."
        raise PathNotFoundError(msg)
    stem = glob.escape(path.stem.removesuffix("-runs"))
    return {one.name: one.stat().st_size for one in (path, *path.parent.glob(f"{stem}-*.json")) if one.is_file()}


def _in_issues(
    telling: Telling, found: Sequence[Alert], access: Access, settings: Settings, *, dry_run: bool
) -> tuple[Alert, ...]:
    from trackside.cli.alert_issues import tell_in_issues

    with github_of(access, settings, telling.repo, telling.terminal) as github:
        return tell_in_issues(github, telling.repo, found, telling.terminal, dry_run=dry_run)


def _print(terminal: Terminal, repo: str, found: Sequence[Alert], now: dt.datetime, form: Format) -> None:
    from trackside.report.alerts_report import TITLE, alerts_heading, alerts_json, alerts_section
    from trackside.report.sections import section_markdown, section_parts

    heading, section = alerts_heading(repo, found), alerts_section(found)
    if form == "json":
        terminal.whole(alerts_json(repo, found, now))
    elif form == "markdown":
        terminal.whole(section_markdown(TITLE, heading, [section]))
    else:
        for part in section_parts(heading, [section], terminal.width):
            terminal.data(part)


def _keep(telling: Telling, found: Sequence[Alert], now: dt.datetime) -> None:
    try:
        keep_alerts(telling.store, telling.repo, found, now)
    except OutputError as error:
        telling.terminal.warn(f"How the alerts stand could not be kept: {error}")


def _tell(telling: Telling, found: Sequence[Alert], notifying: Notifying, sender: Sender | None) -> bool:
    """Tells what changed since the last message, each change once; False where it was not taken."""
    from trackside.notify.alert_messages import KIND, alert_message_of, alert_news

    if not is_wanted(notifying):
        return True
    changed = alert_news(told_before(telling.store, telling.repo, KIND), telling.repo, found)
    message = alert_message_of(telling.repo, changed)
    news = News(kind=KIND, message=message, notices=changed.notices, is_first=False)
    return deliver(telling, None if notifying.dry_run else sender, news)
