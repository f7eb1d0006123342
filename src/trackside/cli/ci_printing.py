"""How a report of sections is printed, in the form that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from trackside.cli.ci_session import CiSession, Format

if TYPE_CHECKING:
    from trackside.report.ci_sections import Section


def print_sections(
    session: CiSession,
    form: Format,
    title: str,
    as_json: Callable[[], str],
    as_csv: Callable[[], str],
    as_sections: Callable[[], Iterable[Section]],
) -> None:
    """The report on stdout: JSON and CSV as they are, else the sections under the window and its runs."""
    from trackside.ci.results import span_of
    from trackside.report.ci_sections import basis_line, section_markdown, section_parts

    if form in ("json", "csv"):
        session.terminal.whole(as_json() if form == "json" else as_csv())
        return
    heading = basis_line(session.history.repo, span_of(session.history))
    if form == "markdown":
        session.terminal.whole(section_markdown(title, heading, as_sections()))
        return
    for part in section_parts(heading, as_sections(), session.terminal.width):
        session.terminal.data(part)
