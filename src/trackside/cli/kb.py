"""``trackside kb list`` and ``show``: what is known of failures. GitHub is asked for nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Final, Literal

from cyclopts import Parameter

from trackside.cli.github_options import POSITIVE, Where
from trackside.cli.kb_session import KbSession, find_entry, open_kb
from trackside.cli.options import Format

if TYPE_CHECKING:
    from trackside.report.sections import Section

_MANY = Parameter(negative="", show_default=False)
_TOP: Final = 20
StateName = Literal["open", "muted", "resolved", "regressed"]


def list_entries(
    *,
    state: Annotated[tuple[StateName, ...], _MANY] = (),
    workflow: Annotated[tuple[str, ...], _MANY] = (),
    agent: Annotated[tuple[str, ...], _MANY] = (),
    top: Annotated[int, POSITIVE] = _TOP,
    where: Where | None = None,
    format: Format = "table",  # noqa: A002 - the name of the option
) -> int:
    """Show the known failures: how often, since when, where, how they stand, what to do.

    Muted ones are listed only where they are asked for.

    Args:
        state: Failures that stand so; can be given again. All but muted ones if nothing is said.
        workflow: Failures whose workflows (the 50 most frequent of each) match this pattern; can be given again.
        agent: Failures in runs of agents (the 50 most frequent of each) that match this pattern; can be given again.
        top: So many rows are shown; json and csv have all.
        format: How to print.
    """
    from trackside.evidence.knowledge import load_knowledge
    from trackside.records.knowledge import EntryState
    from trackside.report.kb_report import kb_csv, kb_heading, kb_json, kb_sections

    session = open_kb(where)
    known = load_knowledge(session.store, session.repo).entries
    wanted = [one for one in known if _is_of(one.workflows, workflow) and _is_of(one.agents, agent)]
    states = {EntryState(one) for one in state} or set(EntryState) - {EntryState.MUTED}
    listed = [one for one in wanted if one.state in states]
    if format == "json":
        session.terminal.whole(kb_json(session.repo, listed, len(known)))
    elif format == "csv":
        session.terminal.whole(kb_csv(listed))
    else:
        hidden = {} if state else Counter(one.state for one in wanted if one.state not in states)
        sections = kb_sections(listed, top, hidden)
        _print(session, format, "Known failures", kb_heading(session.repo, listed), sections)
    return 0


def show(
    entry_id: str,
    /,
    *,
    where: Where | None = None,
    format: Literal["table", "json", "markdown"] = "table",  # noqa: A002 - the name of the option
) -> int:
    """Show one known failure: its lines, runs, workflows, agents, notes and suggested fixes.

    Args:
        entry_id: The id that trackside kb list shows; its first 4 characters or more are enough.
        format: How to print.
    """
    from trackside.evidence.knowledge import load_knowledge
    from trackside.report.kb_report import entry_sections, kb_heading, kb_json

    session = open_kb(where)
    knowledge = load_knowledge(session.store, session.repo)
    entry, _ = find_entry(knowledge, session.repo, entry_id)
    if format == "json":
        session.terminal.whole(kb_json(session.repo, [entry], len(knowledge.entries)))
    else:
        _print(session, format, "Known failure", kb_heading(session.repo, [entry]), entry_sections(entry))
    return 0


def _is_of(names: Iterable[str], patterns: Sequence[str]) -> bool:
    """Whether one of the names, whole or without its folders, matches one of the patterns, if there are any."""
    from trackside.history.names import matches_any

    return not patterns or any(matches_any(one, patterns) for name in names for one in (name, name.rsplit("/", 1)[-1]))


def _print(session: KbSession, form: str, title: str, heading: str, sections: Iterable[Section]) -> None:
    from trackside.report.sections import section_markdown, section_parts

    if form == "markdown":
        session.terminal.whole(section_markdown(title, heading, sections))
        return
    for part in section_parts(heading, sections, session.terminal.width):
        session.terminal.data(part)
