"""The pages of Data health."""

from __future__ import annotations

from collections.abc import Iterator

from trackside.site.facts import SiteFacts
from trackside.site.pages import Page, Section


def health_pages(facts: SiteFacts) -> Iterator[Page]:
    """The first page of this part, and those below it."""
    yield Page(
        path=Section.HEALTH.value,
        template="health.html.j2",
        title="Data health",
        section=Section.HEALTH,
        values={"facts": facts},
    )
