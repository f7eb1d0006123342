"""The pages of Agents."""

from __future__ import annotations

from collections.abc import Iterator

from trackside.site.facts import SiteFacts
from trackside.site.pages import Page, Section


def agent_pages(facts: SiteFacts) -> Iterator[Page]:
    """The first page of this part, and those below it."""
    yield Page(
        path=Section.AGENTS.value,
        template="agents.html.j2",
        title="Agents",
        section=Section.AGENTS,
        values={"facts": facts},
    )


def agent_data(facts: SiteFacts) -> Iterator[tuple[str, bytes]]:
    """Files below ``data/`` as (path, content)."""
    yield from ()
