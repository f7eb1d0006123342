"""The pages of Benchmarks."""

from __future__ import annotations

from collections.abc import Iterator

from trackside.site.facts import SiteFacts
from trackside.site.pages import Page, Section


def bench_pages(facts: SiteFacts) -> Iterator[Page]:
    """The first page of this part, and those below it."""
    yield Page(
        path=Section.BENCHMARKS.value,
        template="benchmarks.html.j2",
        title="Benchmarks",
        section=Section.BENCHMARKS,
        values={"facts": facts},
    )
