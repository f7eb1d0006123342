"""``trackside agents explain``: which agent a run is of, and every signal that says so."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from trackside.cli.github_options import Access, Saying
from trackside.cli.github_session import github_of, settings_of, store_of
from trackside.cli.options import FLAG
from trackside.cli.run_address import reference_of, repository_of_run
from trackside.cli.terminal import Terminal, open_terminal
from trackside.errors import UsageError
from trackside.settings import Settings

if TYPE_CHECKING:
    from trackside.agents.explanation import RunExplanation
    from trackside.github.run_links import RunReference
    from trackside.store.store import Store


def explain(
    run: str,
    /,
    *,
    offline: Annotated[bool, FLAG] = False,
    access: Access | None = None,
    saying: Saying | None = None,
    format: Literal["table", "json", "markdown"] = "table",  # noqa: A002 - the name of the option
) -> int:
    """Show which agent a run is of, every signal that says so, and which issues and pull requests it belongs to.

    Args:
        run: The id of the run, or the address of its page. An attempt in the address is the one that is looked at.
        offline: Use what the store holds; ask GitHub for nothing. Else a run that is not there is asked for.
        format: How the explanation is printed.
    """
    from trackside.report.agents_explain_report import TITLE, explain_heading, explain_json, explain_sections
    from trackside.report.sections import section_markdown, section_parts

    access = access or Access()
    terminal = open_terminal(quiet=(saying or Saying()).quiet)
    settings = settings_of(access)
    reference = reference_of(run)
    if reference is None:
        msg = f"{run[:200]!r} names no run: its number, such as 19250972881, or the address of its page."
        raise UsageError(msg)
    repo = repository_of_run(reference, access, settings)
    store = store_of(access, create=not offline)
    told = _explained(store, repo, reference, settings, access, terminal, offline=offline)
    if format == "json":
        terminal.whole(explain_json(repo, told))
    elif format == "markdown":
        terminal.whole(section_markdown(TITLE, explain_heading(repo, told), explain_sections(told)))
    else:
        for part in section_parts(explain_heading(repo, told), explain_sections(told), terminal.width):
            terminal.data(part)
    return 0


def _explained(
    store: Store,
    repo: str,
    reference: RunReference,
    settings: Settings,
    access: Access,
    terminal: Terminal,
    *,
    offline: bool,
) -> RunExplanation:
    """The explanation, after the run was asked for where the store does not hold it as it ended."""
    from trackside.evidence.checkout import read_checkout
    from trackside.evidence.run_explanation import explain_run, is_known

    rules = settings.ci
    if not offline and not is_known(store, repo, reference.run_id):
        from trackside.sync.one_run import read_run

        with github_of(access, settings, repo, terminal) as github:
            read = read_run(github, store, repo, reference.run_id, dt.datetime.now(dt.UTC))
        rules = msgspec.structs.replace(rules, default_branch=rules.default_branch or read.default_branch)
    checkout = read_checkout(Path.cwd(), repo, settings.agents.registry, os.environ)
    return explain_run(store, repo, reference.run_id, reference.attempt, rules, settings.agents, checkout)
