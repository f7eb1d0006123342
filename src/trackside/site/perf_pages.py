"""The pages of Performance."""

from __future__ import annotations

from collections.abc import Iterator

from trackside.site.facts import SiteFacts
from trackside.site.pages import Page, Section


def perf_pages(facts: SiteFacts) -> Iterator[Page]:
    """The first page of this part, and those below it."""
    yield Page(
        path=Section.PERFORMANCE.value,
        template="performance.html.j2",
        title="Performance",
        section=Section.PERFORMANCE,
        values={"facts": facts},
    )


def perf_data(facts: SiteFacts) -> Iterator[tuple[str, bytes]]:
    """Files below ``data/`` as (path, content)."""
    yield from ()
