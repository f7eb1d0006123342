"""The pages of Home."""

from __future__ import annotations

from collections.abc import Iterator

from trackside.site.facts import SiteFacts
from trackside.site.pages import Page, Section


def home_pages(facts: SiteFacts) -> Iterator[Page]:
    """The first page of this part, and those below it."""
    yield Page(
        path=Section.HOME.value,
        template="home.html.j2",
        title="Home",
        section=Section.HOME,
        values={"facts": facts},
    )
