"""What the commands on agent operations share: a sync that may fail, and the history with its agents."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from trackside.cli.ci_session import Asked, CiSession, Opened, load_session, longer_window, open_command
from trackside.cli.sync_session import request_of, sync_store
from trackside.errors import CallsStoppedError, GitHubError, OutputError, TracksideError
from trackside.settings import Settings

if TYPE_CHECKING:
    from trackside.agents.frames import AgentHistory
    from trackside.evidence.checkout import Checkout
    from trackside.records.syncs import SyncRecord
    from trackside.sync.request import SyncRequest

SINCE: Final = "30d"
"""The window of these commands where none is said."""


@dataclass(frozen=True, kw_only=True)
class AgentsSession(CiSession):
    """One command on agent operations: the session on CI, and its history with agents.

    ``checkout`` is what the working directory told, where it is a checkout of the repository.
    """

    agents: AgentHistory
    checkout: Checkout


def open_agents_session(asked: Asked | None, *, adapt: Callable[[Settings], Settings] | None = None) -> AgentsSession:
    """Syncs unless it is to stay offline, reads the logs that came, and loads the history with its agents.

    ``adapt`` changes the settings for one command. The window is 30 days where none is said; where the settings name a
    number of runs for each workflow instead, it is everything that the store holds of the selected workflows. Jobs are
    read as the settings say. What is found out of failed jobs is kept in the store. A sync that fails as a whole is no
    end: ``failure`` says why, and the rest is what the store held. Raises NoDataError where there is no store to look
    at offline, and where a choice of runs or jobs matches nothing.
    """
    from trackside.evidence.agent_history import with_agents
    from trackside.evidence.checkout import read_checkout

    opened = open_command(asked, adapt=lambda settings: _for_agents(settings if adapt is None else adapt(settings)))
    request = agents_request(opened)
    synced, failure = (None, None) if opened.asked.source.offline else try_sync(opened, request)
    since = None if request.max_runs_per_workflow is not None else request.since
    ignored = opened.settings.agents.ignored_workflows
    ci = load_session(opened, since, synced=synced, failure=failure, ignored=ignored)
    rules = ci.settings.agents
    checkout = read_checkout(Path.cwd(), ci.history.repo, rules.registry, os.environ)
    if checkout.ignored is not None:
        ci.terminal.note(checkout.ignored)
    agents = with_agents(ci.store, ci.history, rules, checkout)
    keep_occurrences(ci, agents)
    return AgentsSession(**vars(ci), agents=agents, checkout=checkout)


def import_knowledge(session: AgentsSession) -> None:
    """Takes what people said of failures out of the committed file; a file that cannot be read is no end."""
    from trackside.cli.kb_session import KbSession, file_of, knowledge_place, take_edits

    kb = KbSession(session.terminal, session.settings, session.history.repo, session.store, dt.datetime.now(dt.UTC))
    try:
        path = knowledge_place(kb.settings).path
        content = None if path is None else file_of(kb, path)
        if content is not None:
            take_edits(kb, content, str(path))
    except TracksideError as error:
        session.terminal.warn(f"What people said of failures was not read: {error}")


def agents_request(opened: Opened) -> SyncRequest:
    """The sync that a command on agent operations asks for.

    Rates by labels need runners, which GraphQL does not tell.
    """
    asked, settings = opened.asked, opened.settings
    request = request_of(asked.window, settings, opened.repo)
    by_labels = any(rate.labels for rate in settings.agents.rates)
    return msgspec.structs.replace(
        request,
        logs=asked.source.logs or request.logs,
        api="rest" if by_labels and request.api == "auto" else request.api,
    )


def _for_agents(settings: Settings) -> Settings:
    return longer_window(settings, SINCE)


def try_sync(opened: Opened, request: SyncRequest) -> tuple[SyncRecord | None, TracksideError | None]:
    """The ledger of the sync, or why it failed as a whole; its ledger is in the store then all the same."""
    try:
        return sync_store(opened.store, request, opened.asked.access, opened.settings, opened.terminal), None
    except (GitHubError, CallsStoppedError) as error:
        return None, error


def keep_occurrences(ci: CiSession, agents: AgentHistory) -> None:
    """Keeps each failed job with what its log told and its agent; a store that cannot be written is no end."""
    from trackside.evidence.occurrences import update_occurrences

    try:
        update_occurrences(ci.store, ci.history.repo, agents.runs, dt.datetime.now(dt.UTC))
    except OutputError as error:
        ci.terminal.warn(f"What is known of failures could not be kept: {error}")
