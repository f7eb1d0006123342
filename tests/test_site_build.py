"""The whole site as files: every link between pages leads to one, and two processes make what one makes."""

from __future__ import annotations

import posixpath
import re
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from os import _exit, getpid

import msgspec
import pytest

from tests.site_worlds import hostile_facts, site_facts
from trackside.engine.second_process import begin, second_process
from trackside.site import build
from trackside.site.build import site_files
from trackside.site.facts import SiteFacts
from trackside.site.paths import slug

_LINK = re.compile(r'\b(?:href|src)="([^"#?:]+)[#?"]')


def made(facts: SiteFacts) -> dict[str, bytes]:
    return {file.path: file.content for file in site_files(facts)}


def dead_links(files: dict[str, bytes]) -> set[tuple[str, str]]:
    """Links of pages to files that are not there, as (page, file)."""
    links = {
        (page, posixpath.normpath(posixpath.join(posixpath.dirname(page), link)))
        for page, content in files.items()
        if page.endswith(".html")
        for link in _LINK.findall(content.decode())
    }
    return {(page, link) for page, link in links if link not in files and link != "data/site.json"}


def test_every_link_of_a_page_leads_to_a_file_of_the_site() -> None:
    assert dead_links(made(site_facts())) == set()


def test_names_from_outside_lead_nowhere_else_either() -> None:
    assert dead_links(made(hostile_facts())) == set()


def test_a_site_of_which_nothing_is_known_has_its_pages_too() -> None:
    facts = site_facts(ci=None, speed=None, agents=None, health=None, benches=(), synced_at=None)
    files = made(facts)
    assert [name for name in files if name.endswith(".html")] == [
        "benchmarks.html", "agentops.html", "health.html", "index.html", "ci.html", "performance.html",
    ]  # fmt: skip
    assert dead_links(files) == set()


def test_the_page_on_the_data_tells_the_sizes_of_the_files_of_this_site() -> None:
    files = made(site_facts())
    assert "data/agentops-runs.json" in files["health.html"].decode()


def test_every_page_says_which_part_could_not_be_told() -> None:
    files = made(site_facts(agents=None, missing=("Agents is not on the site: <b>broken</b>.",)))
    pages = [content.decode() for name, content in files.items() if name.endswith(".html")]
    assert all("Agents is not on the site: &lt;b&gt;broken" in page for page in pages)


def test_what_is_made_elsewhere_is_what_is_made_here(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = site_facts()
    monkeypatch.setattr(build, "_MANY_JOBS", 0)
    with ThreadPoolExecutor(1) as elsewhere:
        beside = {file.path: file.content for file in site_files(facts, elsewhere=elsewhere)}
    assert beside == made(facts)


def test_facts_of_pages_that_are_made_elsewhere_can_be_sent_there() -> None:
    facts = site_facts(agents=None, health=None)
    with second_process() as elsewhere:
        if elsewhere is None:
            pytest.skip("a machine with one processor")
        sent = begin(elsewhere, msgspec.structs.replace, facts, benches=())()
    assert sent.ci is not None
    assert facts.ci is not None
    assert sent.ci.history.jobs.equals(facts.ci.history.jobs)
    assert sent.ci.streaks == facts.ci.streaks


def ended(home: int) -> str:
    """Ends a process that is not ``home``."""
    if getpid() != home:
        _exit(9)
    return "done here"


def test_work_of_a_process_that_was_ended_is_done_here() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert begin(pool, ended, getpid())() == "done here"


def test_names_of_pages_are_short_plain_and_differ_where_their_texts_do() -> None:
    texts = [
        "unit (1)",
        "unit [1]",
        "Unit (1)",
        "../../etc/passwd",
        "ラベル",
        "",
        "\udc00",
        "x" * 5000,
        "x" * 5001,
        "con",
    ]
    names = [slug(text) for text in texts]
    assert len(set(names)) == len(texts)
    assert all(re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,68}[a-z0-9])?", name) for name in names)
    assert slug("unit (1)") == slug("unit (1)")
    assert slug("Unit-Test / GPU").startswith("unit-test-gpu-")
