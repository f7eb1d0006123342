"""``trackside export otel``: runs as traces of OpenTelemetry."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from trackside.cli.ci_session import Asked, CiSession, Source, load_session, open_command, say_if_empty
from trackside.cli.github_options import Saying, Where, Window
from trackside.cli.options import FLAG
from trackside.cli.sync_session import window_of
from trackside.errors import TracksideError, UsageError

if TYPE_CHECKING:
    import datetime as dt

    import polars as pl

    from trackside.agents.frames import AgentHistory
    from trackside.traces.spans import Traces

KIND: Final = "otel"
"""The report that says up to when attempts were sent."""
_OF_TRACES: Final = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
_OF_ALL: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"


def otel(
    *,
    endpoint: Annotated[str | None, Parameter(show_default=False)] = None,
    new: Annotated[bool, FLAG] = False,
    dry_run: Annotated[bool, FLAG] = False,
    window: Window | None = None,
    where: Where | None = None,
    saying: Saying | None = None,
) -> int:
    """Send runs as traces to an OpenTelemetry collector: a span for each run attempt, job and step.

    Reads the store; GitHub is asked for nothing. Attempts that are not over, or whose jobs are not in the store, are
    counted and not sent. A run has the same ids each time it is sent.

    Args:
        endpoint: The collector, such as http://localhost:4318. OTEL_EXPORTER_OTLP_ENDPOINT if nothing is said.
        new: Only attempts of the window whose jobs came into the store since the last time with --new. Not with a
            choice of runs: what was left out would never be sent.
        dry_run: Print the traces as JSON lines, one a trace, and send nothing.
    """
    from trackside.evidence.reports import newest_read
    from trackside.traces.spans import traceable

    if new:
        _refuse_choice(window or Window())
    target = None if dry_run else endpoint_of(endpoint)
    asked = Asked(
        source=Source(offline=True),
        window=window or Window(),
        access=(where or Where()).access,
        saying=saying or Saying(),
    )
    opened = open_command(asked)
    mark = newest_read(opened.store, opened.repo) if new else None
    session = load_session(opened, window_of(asked.window, opened.settings, opened.now)[0])
    say_if_empty(session)
    history = _agents(session)
    chosen = traceable(_news(session, history, mark) if new else history.runs)
    if target is None:
        _print(session, history, chosen)
    else:
        _send(session, target, history, chosen)
    if mark is not None and target is not None:
        _keep(session, mark)
    _say_left_out(session, chosen)
    return session.end()


def endpoint_of(said: str | None) -> str:
    """Where traces are sent, as said or as the environment says. Raises UsageError where neither does."""
    from trackside.traces.otlp import traces_endpoint

    if said:
        return traces_endpoint(said)
    if of_traces := os.environ.get(_OF_TRACES):
        return traces_endpoint(of_traces, _OF_TRACES)
    if of_all := os.environ.get(_OF_ALL):
        traces_endpoint(of_all, _OF_ALL)
        return traces_endpoint(f"{of_all.rstrip('/')}/v1/traces", _OF_ALL)
    msg = f"Where to? --endpoint http://localhost:4318, or {_OF_ALL} in the environment."
    raise UsageError(msg)


def _refuse_choice(window: Window) -> None:
    """Raises UsageError where runs are chosen: up to when was sent is kept for the repository as a whole."""
    chosen = [name for name in ("limit", "workflow", "branch", "event", "job", "until") if getattr(window, name)]
    if chosen:
        msg = f"--new with --{chosen[0]}: what is left out would never be sent. Leave one of them out."
        raise UsageError(msg)


def _agents(session: CiSession) -> AgentHistory:
    """The history of the session with agents and steps, as the working directory's checkout tells of agents."""
    from trackside.evidence.agent_history import with_agents
    from trackside.evidence.checkout import read_checkout

    rules = session.settings.agents
    checkout = read_checkout(Path.cwd(), session.history.repo, rules.registry, os.environ)
    return with_agents(session.store, session.history, rules, checkout)


def _news(session: CiSession, history: AgentHistory, mark: dt.datetime | None) -> pl.DataFrame:
    """The attempts whose jobs came since they were sent last, up to ``mark``; all of these where they never were.

    What came later, while the history was read, is for the next time.
    """
    from trackside.evidence.reports import attempts_read_since, last_report

    store, repo, key = session.store, session.history.repo, ["run_id", "run_attempt"]
    last = last_report(store, repo, KIND)
    runs = (
        history.runs if last is None else history.runs.join(attempts_read_since(store, repo, last), on=key, how="semi")
    )
    return runs if mark is None else runs.join(attempts_read_since(store, repo, mark), on=key, how="anti")


def _print(session: CiSession, history: AgentHistory, chosen: Traces) -> None:
    import msgspec

    from trackside.traces.spans import traces_of

    for trace in traces_of(history, chosen.runs):
        session.terminal.whole(msgspec.json.encode(trace).decode())


def _send(session: CiSession, endpoint: str, history: AgentHistory, chosen: Traces) -> None:
    from trackside import __version__
    from trackside.traces.otlp import Collector
    from trackside.traces.spans import traces_of

    collector = Collector(endpoint, __version__)
    try:
        with session.terminal.phases() as on_phase:
            on_count = on_phase("sending traces")
            traces = traces_of(history, chosen.runs)
            sent, spans = collector.send(traces, lambda done: on_count(done, chosen.runs.height))
    finally:
        collector.close()
    session.terminal.data(f"Sent {sent:,} traces with {spans:,} spans to {collector.endpoint}.")


def _keep(session: CiSession, mark: dt.datetime) -> None:
    """Keeps that attempts were sent up to those read at ``mark``; a store that cannot be written says so."""
    from trackside.records.failures import Reported

    try:
        session.store.add_reported(Reported(repo=session.history.repo, kind=KIND, reported_at=mark), ())
    except TracksideError as error:
        session.terminal.warn(f"The next --new will send the same again: {error}")


def _say_left_out(session: CiSession, chosen: Traces) -> None:
    from trackside.report.ledger import counted

    reasons = {
        "not over": chosen.unfinished,
        "with jobs that are not in the store": chosen.unread,
        "without a time": chosen.timeless,
    }
    for why, count in reasons.items():
        if count:
            session.terminal.note(f"Not sent: {counted(count, 'run attempt')} {why}.")
