"""What a build rewrites when little changed: first pages, and the pages of what changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from tests.bench_sites import write_run
from tests.ci_sites import ci_of
from tests.command_line import Said, command_line
from tests.fake_github import Clock, FakeGitHub, job
from tests.fake_github.scenarios import perf
from tests.history_frames import a_history, a_job, a_run
from tests.site_worlds import hostile_facts, site_facts
from tests.syncing import REPO
from trackside.site.agent_pages import agent_pages
from trackside.site.bench_pages import bench_pages
from trackside.site.ci_jobs import job_path
from trackside.site.ci_pages import ci_pages
from trackside.site.facts import SiteFacts
from trackside.site.health_pages import health_pages
from trackside.site.home_pages import home_pages
from trackside.site.pages import Page, Section, frame_of, render
from trackside.site.perf_pages import perf_pages

Typed = Callable[..., Said]
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    """A month with performance jobs, and a job that passed three times today."""
    with FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC).replace(microsecond=0))) as made:
        perf(made.world, runs=20)
        for hours in (5, 4, 3):
            lint(made, hours)
        yield made


@pytest.fixture
def typed(
    github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Typed:
    write_run(tmp_path / "runs" / "job_1")
    return command_line(tmp_path, monkeypatch, capsys, github)


def lint(github: FakeGitHub, hours: int) -> None:
    """A run of the workflow Lint that long ago."""
    world = github.world
    world.add_run([job("lint", took_s=40, n_steps=2)], workflow="Lint", at=world.clock.now() - hours * HOUR)


def brought(typed: Typed, folder: Path) -> dict[str, int]:
    """The inodes of the site's pages after a sync and a build, by their path."""
    window = ("--repo", REPO, "--since", "40d", "-q")
    for words in (("sync", "--logs", "perf", "--api", "rest"), ("site", "build", "--benchmarks", "runs")):
        code, _, err = typed(*words, *window)
        assert code == 0, err
    return {one.relative_to(folder / "site").as_posix(): one.stat().st_ino for one in (folder / "site").rglob("*.html")}


def test_a_new_run_of_one_job_rewrites_first_pages_and_the_page_of_that_job(
    github: FakeGitHub, typed: Typed, tmp_path: Path
) -> None:
    before = brought(typed, tmp_path)
    lint(github, 1)
    after = brought(typed, tmp_path)

    below = [name for name in after if "/" in name]
    assert {name.split("/")[0] for name in below} == {"ci", "performance", "benchmarks"}
    assert [name for name in below if after[name] != before[name]] == [job_path(("Lint", "lint"))]
    assert {name for name in set(after) - set(below) if after[name] != before[name]} == {one.value for one in Section}


def test_only_first_pages_tell_the_window_and_the_others_how_far_their_own_data_go() -> None:
    facts = site_facts()
    later = msgspec.structs.replace(facts, until=facts.until + HOUR)
    told = {page.path: render(page, facts) for page in pages_of(facts)}
    changed = {page.path for page in pages_of(later) if render(page, later) != told[page.path]}

    first = {one.value for one in Section}
    assert {path for path in told if "data-until=" in told[path]} == first
    assert changed <= first
    below = [page for page in pages_of(facts) if page.path.startswith(("ci/", "performance/"))]
    assert len(below) > 2
    assert [page.path for page in below if page.newest is None or "Data to <time" not in told[page.path]] == []


@pytest.mark.parametrize("facts_of", [site_facts, hostile_facts], ids=["usual", "hostile"])
def test_no_value_of_a_page_has_the_name_of_one_of_the_frame(facts_of: Callable[[], SiteFacts]) -> None:
    facts = facts_of()
    both = {page.path: set(page.values) & set(frame_of(page, facts)) for page in pages_of(facts)}
    assert {path: names for path, names in both.items() if names} == {}


@pytest.mark.parametrize("is_found", [True, False], ids=["runs", "none"])
def test_no_part_of_the_name_of_a_branch_is_shown_as_a_command(is_found: bool) -> None:
    run = a_run(1, is_default_line=is_found)
    ci = ci_of(a_history([run], [a_job(run, "unit", is_default_line=is_found)], default_branch="x`rm -r /`"))
    facts = site_facts(ci=ci)
    told = [render(page, facts) for page in (*home_pages(facts), *ci_pages(facts))]

    assert any("x&#39;rm -r /&#39;" in html for html in told)
    assert [html for html in told if "<code>rm" in html] == []


def pages_of(facts: SiteFacts) -> list[Page]:
    """Every page of the site."""
    parts = (home_pages, ci_pages, perf_pages, bench_pages, agent_pages, health_pages)
    return [page for part in parts for page in part(facts)]
