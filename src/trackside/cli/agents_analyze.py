"""``trackside agents analyze``: one run's logs, in depth."""

from __future__ import annotations

import datetime as dt
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from cyclopts import Parameter

from trackside.cli.agents_comment import Commenting, place_of, post_analysis
from trackside.cli.agents_due import print_due
from trackside.cli.github_options import POSITIVE, Access, Saying
from trackside.cli.github_session import github_of, settings_of, store_of
from trackside.cli.options import FLAG
from trackside.cli.run_address import reference_of, repository_of_run
from trackside.cli.terminal import Terminal, open_terminal
from trackside.errors import NoDataError, PartialError, UsageError
from trackside.settings import Settings

if TYPE_CHECKING:
    from trackside.agents.run_records import RunAnalysis
    from trackside.evidence.run_logs import KnownRun, RunLogs, Wants
    from trackside.github.run_links import RunReference
    from trackside.records.runs import RunAttempt
    from trackside.store.store import Store

MOST_LOG_MIB: Final = 64


def analyze(
    target: Annotated[str | None, Parameter(allow_leading_hyphen=True, show_default=False)] = None,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], show_default=False)] = None,
    run: Annotated[str | None, Parameter(show_default=False)] = None,
    job: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = (),
    max_log_mib: Annotated[int, POSITIVE] = MOST_LOG_MIB,
    offline: Annotated[bool, FLAG] = False,
    commenting: Commenting | None = None,
    access: Access | None = None,
    saying: Saying | None = None,
    format: Literal["markdown", "json"] = "markdown",  # noqa: A002 - the name of the option
) -> int:
    """Look into the logs of one run: what failed, what agents said, metrics, tests, known fixes.

    Args:
        target: The number of a run, the address of its page, a ZIP of its logs, or the log of one job (- reads stdin).
        output: Where the report is written; stdout if nothing is said.
        run: The run that a ZIP or log is of. Without it only what the logs say is told.
        job: A pattern of job names such as 'unit-test*'; can be given again.
        max_log_mib: Of a longer log the beginning and the end are read, so many MiB together. 64 if nothing is said.
        offline: Use the logs and runs of the store; ask GitHub for nothing.
        format: How to print.
    """
    access, saying, commenting = access or Access(), saying or Saying(), commenting or Commenting()
    if commenting.due:
        return print_due(access, open_terminal(quiet=saying.quiet), dry_run=commenting.dry_run)
    place = place_of(commenting, offline=offline)
    asked = Asked(_named(target), run, job, max_log_mib * 1024 * 1024, offline, access, saying)
    analysed = analyse_run(asked)
    if place is not None and analysed.run is None:
        msg = "--comment: which run these logs are of is not known; name it with --run RUN_ID."
        raise UsageError(msg)
    if output is not None:
        from trackside.report.html_page import write_page

        where = write_page(f"{analysed.text(format)}\n", output)
        analysed.terminal.note(f"The report is in {where}.")
    elif not commenting.dry_run:
        analysed.terminal.whole(analysed.text(format))
    if place is not None:
        post_analysis(analysed, access, place, dry_run=commenting.dry_run)
    return analysed.end()


@dataclass(frozen=True)
class Asked:
    """What one analysis was asked for."""

    target: str
    run: str | None = None
    jobs: tuple[str, ...] = ()
    most_bytes: int = MOST_LOG_MIB * 1024 * 1024
    offline: bool = False
    access: Access = field(default_factory=Access)
    saying: Saying = field(default_factory=Saying)


@dataclass(frozen=True)
class Analysed:
    """One analysis on its way to the user. ``run`` and ``store`` are None where only the logs are known."""

    terminal: Terminal
    settings: Settings
    analysis: RunAnalysis
    run: RunAttempt | None = None
    store: Store | None = None

    def text(self, form: Literal["markdown", "json"]) -> str:
        """The whole report."""
        from trackside.report.agents_analysis_document import analysis_json
        from trackside.report.agents_analysis_report import analysis_markdown

        return analysis_json(self.analysis) if form == "json" else analysis_markdown(self.analysis)

    def fitted(self, most: int) -> str:
        """The report in at most ``most`` characters, the least important sections left out first."""
        from trackside.report.agents_analysis_report import fitted_analysis

        return fitted_analysis(self.analysis, most)

    def end(self) -> int:
        """The exit code: 1 where no log could be read, 4 where some could not; it says so. Skipped jobs have none."""
        unread = self.analysis.unread
        if not unread:
            return 0
        notes = "; ".join(dict.fromkeys(job.log.note or job.log.state.value.replace("_", " ") for job in unread[:5]))
        if not self.analysis.read:
            self.terminal.warn(f"No log could be read, the report tells what is known without: {notes}.")
            return NoDataError.exit_code
        names = ", ".join(job.name for job in unread[:5]) + (" and others" if len(unread) > 5 else "")
        self.terminal.warn(f"Not complete: the logs of {len(unread):,} jobs could not be read ({names}): {notes}.")
        return PartialError.exit_code


def analyse_run(asked: Asked) -> Analysed:
    """Reads the run and its logs, and what is known of its failures.

    Raises NoDataError where there is no such run, file or job, UsageError for a target that is neither.
    """
    terminal = open_terminal(quiet=asked.saying.quiet)
    settings = settings_of(asked.access)
    reference, path = _what(asked)
    repo = None if reference is None else repository_of_run(reference, asked.access, settings)
    store = None if repo is None else _store(asked)
    if reference is None or repo is None:
        logs = _from_file(asked, path, None, None)
    elif asked.offline:
        logs = _offline(asked, reference, repo, path, store)
    else:
        logs = _online(asked, reference, repo, path, settings, terminal)
        logs = logs if path is not None or store is None else _with_stored(logs, store)
    return Analysed(terminal, settings, _analysis(logs, settings, store), logs.run, store)


def _named(target: str | None) -> str:
    if target is None:
        msg = "Which run? Give its number, the address of its page, a ZIP of its logs, or the log of one job."
        raise UsageError(msg)
    if target.startswith("-") and target != "-":
        msg = f"This was not expected: {target}"
        raise UsageError(msg)
    return target


def _what(asked: Asked) -> tuple[RunReference | None, str | None]:
    """The run that is meant, if one is, and the file, if one is."""
    reference = reference_of(asked.target)
    if reference is not None:
        if asked.run is not None:
            msg = f"--run names the run that a file is of; {asked.target} is no file."
            raise UsageError(msg)
        return reference, None
    if asked.run is None:
        return None, asked.target
    named = reference_of(asked.run)
    if named is None:
        msg = f"--run {asked.run}: the number of a run, or the address of its page."
        raise UsageError(msg)
    return named, asked.target


def _store(asked: Asked) -> Store | None:
    """The store, which is needed offline only: without one nothing is known of earlier failures."""
    try:
        return store_of(asked.access, create=False)
    except NoDataError:
        if asked.offline:
            raise
        return None


def _offline(asked: Asked, reference: RunReference, repo: str, path: str | None, store: Store | None) -> RunLogs:
    from trackside.evidence.run_logs import facts_from_store, logs_from_store

    assert store is not None
    facts = facts_from_store(store, repo, reference)
    if path is not None:
        return _from_file(asked, path, facts, reference)
    return logs_from_store(store, facts, _wants(asked, facts, reference))


def _online(
    asked: Asked, reference: RunReference, repo: str, path: str | None, settings: Settings, terminal: Terminal
) -> RunLogs:
    from trackside.evidence.run_logs import facts_from_github, logs_from_github

    with github_of(asked.access, settings, repo, terminal) as github:
        facts = facts_from_github(github, repo, reference)
        wants = _wants(asked, facts, reference)
        if path is None:
            return logs_from_github(github, facts, wants, asked.most_bytes, dt.datetime.now(dt.UTC))
    return _from_file(asked, path, facts, reference)


def _with_stored(logs: RunLogs, store: Store) -> RunLogs:
    from trackside.evidence.run_logs import with_stored

    return with_stored(logs, store)


def _wants(asked: Asked, facts: KnownRun, reference: RunReference) -> Wants:
    from trackside.evidence.run_logs import wanted_jobs
    from trackside.history.names import matches_any

    return wanted_jobs(reference, facts, asked.jobs, lambda name: matches_any(name, asked.jobs))


def _from_file(asked: Asked, path: str | None, facts: KnownRun | None, reference: RunReference | None) -> RunLogs:
    from trackside.evidence.log_files import Wanted, logs_from_file
    from trackside.history.names import matches_any

    wanted = Wanted(
        facts=facts,
        of_run=(lambda _: True) if facts is None or reference is None else _wants(asked, facts, reference),
        named=lambda name: not asked.jobs or matches_any(name, asked.jobs),
        most=asked.most_bytes,
    )
    return logs_from_file(path or "-", sys.stdin.buffer, wanted)


def _analysis(logs: RunLogs, settings: Settings, store: Store | None) -> RunAnalysis:
    from trackside.agents.run_analysis import EntryFor, analyse, nothing_known
    from trackside.evidence.checkout import read_checkout
    from trackside.evidence.knowledge import load_knowledge
    from trackside.evidence.run_attribution import attribution_of

    run, rules = logs.run, settings.agents
    entry_for: EntryFor = nothing_known
    attribution = None
    if run is not None:
        checkout = read_checkout(Path.cwd(), run.repo, rules.registry, os.environ)
        branch = settings.ci.default_branch
        attribution = attribution_of(run, logs.every_job, rules, checkout, store=store, default_branch=branch)
        if store is not None:
            entry_for = load_knowledge(store, run.repo).entry_for
    return analyse(run, logs.texts(), rules, settings.ci, attribution=attribution, entry_for=entry_for)
