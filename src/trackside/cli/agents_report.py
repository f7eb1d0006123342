"""``trackside agents report``: runs by workflow, agent, job and step; the data file, alerts, outputs of a workflow."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter, validators

from trackside.cli.agents_data_files import write_or_keep
from trackside.cli.agents_session import AgentsSession, import_knowledge, open_agents_session
from trackside.cli.agents_window import adapted, refuse_two_windows, window_of_data
from trackside.cli.ci_session import EXIT_FOUND, Asked, Format, say_if_empty
from trackside.cli.github_options import POSITIVE
from trackside.cli.options import FLAG, number_or_nothing
from trackside.cli.section_printing import print_sections
from trackside.errors import OutputError

if TYPE_CHECKING:
    from trackside.agents.group_records import Statistics
    from trackside.agents.knowledge import Entry
    from trackside.records.alerts import Alert
    from trackside.records.sync_health import SyncHealth
    from trackside.report.agents_data import DataContent
    from trackside.report.agents_document import DataWindow
    from trackside.report.agents_files import DataFiles
    from trackside.report.sections import Section
    from trackside.settings import Settings

TITLE: Final = "Agent operations"
TOP: Final = 20
Newest = Annotated[
    int | None, Parameter(converter=number_or_nothing, validator=validators.Number(gte=1), show_default=False)
]


def report(
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], show_default=False)] = None,
    top: Annotated[int, POSITIVE] = TOP,
    jobs: Annotated[bool | None, Parameter(show_default=False)] = None,
    max_runs_per_workflow: Newest = None,
    summary: Annotated[bool, FLAG] = False,
    check: Annotated[bool, FLAG] = False,
    asked: Asked | None = None,
    format: Format = "table",  # noqa: A002 - the name of the option
) -> int:
    """Show runs by workflow, agent, job and step, and write them as a data file that dashboards read.

    In a workflow total_runs, success_rate, has_changes, status and calls are outputs of the step.

    Args:
        output: Write the data file here, older runs and the state of the collection beside it, where runs changed.
        top: Show so many rows of each table. 20 if nothing is said.
        jobs: Read jobs and steps; --no-jobs asks for none and keeps those of before. As set under [sync], else yes.
        max_runs_per_workflow: The newest so many runs of each workflow, whatever their age, in place of the window.
        summary: Add the report to the summary of the workflow's step, the file that GITHUB_STEP_SUMMARY names.
        check: End with 3 where an alert is on.
        format: How the report is printed.
    """
    from trackside.report.agents_files import data_path
    from trackside.report.agents_foreign_files import require_ours

    asked = asked or Asked()
    refuse_two_windows(asked.window, max_runs_per_workflow)

    def adapt(settings: Settings) -> Settings:
        # A place that is none is to cost no call.
        path = data_path(output, settings.agents.data_file)
        if output is not None:
            require_ours(path)
        return adapted(settings, jobs, max_runs_per_workflow)

    session = open_agents_session(asked, adapt=adapt)
    import_knowledge(session)
    told = AgentsReport(session, window_of_data(asked.window, session.settings), output, top, asked.window.limit)
    told.hand_over(summary=summary)
    say_if_empty(session)
    told.tell(format)
    return _end(told, found=check and told.is_alarming)


@dataclass
class AgentsReport:
    """A report on agent operations on its way to the user, into files, and to the workflow that runs it."""

    session: AgentsSession
    window: DataWindow
    output: Path | None
    top: int
    limit: int | None = None

    def hand_over(self, *, summary: bool) -> None:
        """Writes the files, looks at the alerts, and tells the workflow."""
        from trackside.cli.workflow_run import hand_outputs, hand_summary, hand_warnings

        self._say_data()
        self._write_sync_file()
        hand_outputs(self._outputs())
        hand_warnings(self.session.terminal, self.alerts)
        if summary:
            hand_summary(self.session.terminal, self._markdown(self._heading()))

    def tell(self, form: Format) -> None:
        """Prints the report."""
        from trackside.report.agents_csv import agents_csv

        print_sections(
            self.session,
            form,
            TITLE,
            self._json,
            lambda: agents_csv(self.statistics),
            self._sections,
            self._markdown,
        )

    @property
    def is_alarming(self) -> bool:
        """Whether an alert is on."""
        from trackside.agents.alerts import are_on

        return bool(are_on(self.alerts))

    @cached_property
    def statistics(self) -> Statistics:
        """The figures of the window."""
        from trackside.agents.statistics import statistics_of

        return statistics_of(self.session.agents)

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """The known failures of the repository."""
        from trackside.evidence.knowledge import load_knowledge

        return load_knowledge(self.session.store, self.session.history.repo).entries

    @cached_property
    def data(self) -> DataFiles | None:
        """The data files, None where none are asked for; nothing replaces a good one but runs, and all of them."""
        from trackside.report.agents_sync_document import status_of

        if self.output is None:
            return None
        return write_or_keep(
            self.session,
            self._path,
            self.window,
            lambda: self._content(whole=False),
            is_short=self.session.is_short
            or (self.session.offline and status_of(self.health) in ("partial", "failed")),
            limit=self.limit,
            now=self._now,
        )

    @cached_property
    def alerts(self) -> tuple[Alert, ...]:
        """How the alerts stand after this report; where nothing was synced, as they stood."""
        from trackside.cli.alerting import update_alerts
        from trackside.evidence.alert_facts import known_alerts

        session, repo = self.session, self.session.history.repo
        if session.offline:
            return known_alerts(session.store, repo)
        sizes = None if self.data is None else {one.file: one.bytes for one in self.data.files}
        try:
            return update_alerts(session.store, repo, session.settings, self._now, sizes)
        except OutputError as error:
            session.terminal.warn(f"How the alerts stand could not be kept: {error}")
            return known_alerts(session.store, repo)

    @cached_property
    def health(self) -> SyncHealth:
        """How the syncs went until now."""
        from trackside.evidence.sync_health import load_sync_health

        return load_sync_health(self.session.store, self.session.agents)

    @cached_property
    def _now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    @cached_property
    def _path(self) -> Path:
        """Where the main file is, or would be."""
        from trackside.report.agents_files import data_path

        return data_path(self.output, self.session.settings.agents.data_file)

    def _content(self, *, whole: bool) -> DataContent:
        from trackside.evidence.pull_requests import pulls_of
        from trackside.report.agents_data import DataContent, DataFacts
        from trackside.report.agents_files import sync_path
        from trackside.report.agents_packing import MOST_FILE_BYTES

        session, agents = self.session, self.session.agents
        return DataContent(
            DataFacts(
                history=agents,
                statistics=self.statistics,
                window=self.window,
                sync_file=sync_path(self._path).name,
                pulls=pulls_of(session.store, agents),
                groups=self.entries,
                most_bytes=None if whole else MOST_FILE_BYTES,
            )
        )

    def _say_data(self) -> None:
        if self.data is None:
            return
        from trackside.report.agents_report_sections import data_lines

        say = self.session.terminal.warn if self.data.kept or self.data.replaced else self.session.terminal.note
        say("\n".join(data_lines(self.data, self.session.settings.agents.detail)))

    def _write_sync_file(self) -> None:
        if self.data is None:
            return
        from trackside.evidence.alert_facts import load_alert_facts
        from trackside.report.agents_files import sync_path
        from trackside.report.agents_sync_document import SyncFacts, write_sync_file

        repo = self.session.history.repo
        facts = SyncFacts(
            repository=repo,
            checked_at=self._now,
            interval_hours=self.session.settings.agents.alerts.interval_hours,
            health=self.health,
            good_at=load_alert_facts(self.session.store, repo).data_at,
            alerts=self.alerts,
        )
        write_sync_file(sync_path(self.data.path), self.data, facts)

    def _outputs(self) -> dict[str, str]:
        from trackside.report.agents_outputs import Outputs
        from trackside.report.agents_sync_document import status_of

        newest = self.health.newest
        return Outputs(
            total_runs=self.statistics.all_runs.outcomes.total,
            success_rate=self.statistics.all_runs.success,
            has_changes=self.data is not None and self.data.has_changes,
            status=status_of(self.health),
            calls=0 if newest is None or self.session.offline else newest.calls,
        ).values()

    def _json(self) -> str:
        """The document with every run in it, in ASCII, so that no character of it acts on a terminal."""
        moment = self.data.last_updated if self.data is not None else None
        return json.dumps(json.loads(self._content(whole=True).main(moment or self._now, (), None)))

    def _sections(self) -> list[Section]:
        from trackside.report.agents_report_sections import alert_section, failure_sections
        from trackside.report.agents_sections import agents_sections

        return [
            *agents_sections(self.statistics, self.top),
            *failure_sections(self.entries, self.top),
            alert_section(self.alerts),
        ]

    def _markdown(self, heading: str) -> str:
        from trackside.report.sections import section_markdown

        return section_markdown(TITLE, heading, self._sections())

    def _heading(self) -> str:
        from trackside.ci.results import span_of
        from trackside.report.sections import basis_line

        return basis_line(self.session.history.repo, span_of(self.session.history))


def _end(told: AgentsReport, *, found: bool) -> int:
    """The exit code of the session; jobs that were not asked for are not missing.

    A list of the newest runs of a workflow brings some that are older than these: they are told, without their jobs.
    """
    session, newest = told.session, told.health.newest
    is_whole = newest is not None and newest.status == "ok" and not session.is_short
    was_asked = session.settings.sync.jobs and session.since is not None
    if was_asked or not is_whole or not session.history.unread:
        return session.end(found=found)
    session.terminal.note(f"Jobs were not asked for of {session.history.unread:,} run attempts: they are not known.")
    return EXIT_FOUND if found else 0
