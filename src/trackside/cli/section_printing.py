"""How a report of sections is printed, in the form that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from trackside.cli.ci_session import CiSession, Format

if TYPE_CHECKING:
    from trackside.report.sections import Section


def print_sections(
    session: CiSession,
    form: Format,
    title: str,
    as_json: Callable[[], str],
    as_csv: Callable[[], str],
    as_sections: Callable[[], Iterable[Section]],
    as_markdown: Callable[[str], str] | None = None,
) -> None:
    """The report on stdout: JSON and CSV as they are, else the sections under the window and its runs.

    ``as_markdown`` makes Markdown of that heading where sections are not enough.
    """
    from trackside.ci.results import span_of
    from trackside.report.sections import basis_line, section_markdown, section_parts

    if form in ("json", "csv"):
        session.terminal.whole(as_json() if form == "json" else as_csv())
        return
    heading = basis_line(session.history.repo, span_of(session.history))
    if form == "markdown":
        whole = section_markdown(title, heading, as_sections()) if as_markdown is None else as_markdown(heading)
        session.terminal.whole(whole)
        return
    for part in section_parts(heading, as_sections(), session.terminal.width):
        session.terminal.data(part)
