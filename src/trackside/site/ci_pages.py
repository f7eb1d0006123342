"""The pages of CI."""

from __future__ import annotations

from collections.abc import Iterator

from trackside.site.facts import SiteFacts
from trackside.site.pages import Page, Section


def ci_pages(facts: SiteFacts) -> Iterator[Page]:
    """The first page of this part, and those below it."""
    yield Page(
        path=Section.CI.value,
        template="ci.html.j2",
        title="CI",
        section=Section.CI,
        values={"facts": facts},
    )


def ci_data(facts: SiteFacts) -> Iterator[tuple[str, bytes]]:
    """Files below ``data/`` as (path, content)."""
    yield from ()
