"""The pages of performance on the site: what stands where, and that the numbers are those of the analyses."""

from __future__ import annotations

import json
import re
from functools import cache

import msgspec
import polars as pl
import pytest
from bokeh.models import NumeralTickFormatter

from tests.html_pages import Page
from tests.perf_pages import FACTS, HOSTILE, a_busy_repository, a_hostile_repository, hostile_facts
from tests.perf_sites import HOME, a_site, busy, perf_files, rows_of, speed_of
from trackside.ci.results import Span
from trackside.perf.change_records import Decision, Verdict
from trackside.perf.points import POINT_COLUMNS, final_points
from trackside.perf.states import ChangeStates, PastChange
from trackside.records.perf_rules import ChangeState, KnownChange
from trackside.report.chart_style import RED
from trackside.report.perf_changes_report import perf_changes_json
from trackside.report.perf_charts import figure_series
from trackside.report.perf_pools import MOST_POOLS, colours_of
from trackside.report.perf_series import SeriesView, series_views
from trackside.report.perf_text import level_text, percent_text
from trackside.report.safe_text import safe_text
from trackside.site.facts import SiteFacts
from trackside.site.perf_documents import MOST_BYTES, perf_documents
from trackside.site.perf_order import Place, drift_of, page_path, place_of, watched_series
from trackside.site.perf_pages import perf_pages
from trackside.site.perf_values import unit_beside

MEGABYTE = 1_000_000


@cache
def facts() -> SiteFacts:
    return a_site(busy())


@cache
def files() -> dict[str, bytes]:
    return perf_files(facts())


def overview() -> str:
    return files()["performance.html"].decode()


def views() -> tuple[SeriesView, ...]:
    return watched_series(speed_of(busy())).views


def page_of(view: SeriesView) -> str:
    path = page_path(view.workflow, view.job, view.test)
    return files()[path].decode()


def tiles_of(html: str) -> list[str]:
    return re.findall(r'<li class="tile.*?</li>', html, re.DOTALL)


def cards_of(html: str) -> dict[str, str]:
    """Headline figures by their labels, each with what it rests on."""
    found = html[html.index('<dl class="cards">') : html.index("</dl>")]
    parts = re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", found, re.DOTALL)
    return {label: Page(told.replace("<div", " <div")).text.strip() for label, told in parts}


def test_every_series_has_a_tile_in_the_order_in_which_a_reader_should_look() -> None:
    tiles = [Page(one).text for one in tiles_of(overview())]

    assert len(tiles) == len(views()) == busy().points["series"].n_unique()
    for tile, view in zip(tiles, views(), strict=True):
        assert tile.startswith(f"{view.job} {view.test} {view.metric}")
    places = [place_of(view) for view in views()]
    assert places == sorted(places, key=list(Place).index)
    assert {Place.WORSE, Place.BETTER, Place.STOPPED, Place.DRIFTING, Place.STEADY} <= set(places)
    assert places.index(Place.BETTER) < places.index(Place.STOPPED) < places.index(Place.DRIFTING)


def test_of_those_that_stand_alike_the_largest_change_and_the_largest_drift_stand_first() -> None:
    worse = [abs(view.headline.percent or 0) for view in views() if place_of(view) is Place.WORSE and view.headline]
    drifts = [abs(drift_of(view) or 0) for view in views() if place_of(view) is Place.DRIFTING]

    assert worse == sorted(worse, reverse=True)
    assert drifts == sorted(drifts, reverse=True)
    assert 0.01 < drifts[0] < 0.05


def test_a_tile_tells_level_change_and_count_and_leads_to_the_chart() -> None:
    view = views()[0]
    tile = tiles_of(overview())[0]
    address = re.search(r'<a class="test" href="([^"#]+)#(\w+)">', tile)

    assert view.headline is not None
    assert address is not None
    assert f'<section class="series worse" id="{address[2]}"' in files()[address[1]].decode()
    assert address[2] == view.key
    assert f"{level_text(view.level)} {view.unit}" in Page(tile).text
    assert f"{percent_text((view.headline.percent or 0) / 100)} worse" in Page(tile).text
    assert f"{view.searched_count} values" in Page(tile).text


def test_one_series_of_a_test_leads_those_that_stand_alike() -> None:
    tiles = [one for one in tiles_of(overview()) if "data-leads" in one]
    alike = {(view.job, view.test, place_of(view)) for view in views()}

    assert len(tiles) == len(alike)
    assert Page(tiles[0]).text.endswith("and 2 more metrics")


def test_the_headline_figures_are_those_of_the_analyses() -> None:
    cards = cards_of(overview())
    found = series_views(busy().points, busy().changes, busy().silence)
    worse = [one for one in busy().changes.changes if one.verdict is Verdict.REGRESSION]

    assert cards["Watched"].startswith(f"{len(found)} series of 8 tests")
    assert cards["Open regressions"].startswith(f"1 1 cause, {len({one.series for one in worse})} series; of ")
    assert cards["Stopped"].startswith(f"{len(busy().silence.series)} series of 2 tests; 1 whole job")
    assert cards["Values"].startswith(f"{final_points(busy().points).height:,} ")
    assert cards["Window"].startswith("22 days runs of 2026-06-01 to 2026-06-23, UTC")


def test_an_acknowledged_regression_is_known_and_no_regression_any_more() -> None:
    decision = Decision(state=ChangeState.ACKNOWLEDGED, reason="Costs <less> memory")
    changes = tuple(
        msgspec.structs.replace(one, state=decision.state, decision=decision)
        if one.verdict is Verdict.REGRESSION
        else one
        for one in busy().changes.changes
    )
    measured = msgspec.structs.replace(busy(), changes=msgspec.structs.replace(busy().changes, changes=changes))
    page = perf_files(a_site(measured))["performance.html"].decode()

    assert cards_of(page)["Open regressions"].startswith("0 of ")
    assert 'id="known"' in page
    assert 'id="worse"' not in page
    assert "Costs &lt;less&gt; memory" in page


def test_every_change_is_a_row_with_its_size_its_range_and_its_suspects() -> None:
    rows = rows_of(overview(), "changes")

    assert [row[-1] for row in rows[: len(busy().changes.changes)]] == [one.change_id for one in busy().changes.changes]
    for row, change in zip(rows, busy().changes.changes, strict=False):
        assert row[0] == change.verdict.value
        assert row[1] == change.percent
        assert row[4] == f"{level_text(change.before)} → {level_text(change.after)} {change.unit or ''}".rstrip()
        assert row[5] == pytest.approx(100 * (1 - change.q))
        assert row[8] == change.state.value
    assert str(busy().changes.changes[0].suspects.compare_url) in overview()


def test_moves_that_came_with_other_machines_and_regressions_from_before_are_told_too() -> None:
    first = busy().changes.changes[0]
    found = msgspec.structs.replace(busy().changes, changes=(), confounded=(first,))
    known = KnownChange(
        repo="octo/engine", change_id="abcd", series=views()[3].series, direction="down", state=ChangeState.CONFIRMED,
        first_seen_at=FACTS.until, last_seen_at=FACTS.until, last_good_run_id=None, first_bad_run_id=1,
        first_bad_sha=None, first_bad_at=None, before=200.0, after=190.0,
    )  # fmt: skip
    past = PastChange(known=known, state=ChangeState.CONFIRMED, verdict=Verdict.REGRESSION, stands=True)
    measured = msgspec.structs.replace(busy(), changes=found)
    speed = msgspec.structs.replace(speed_of(measured), states=ChangeStates(found=found, past=(past,)))
    page = perf_files(msgspec.structs.replace(facts(), speed=speed))["performance.html"].decode()

    assert [(row[8], row[1]) for row in rows_of(page, "changes")] == [
        ("other machines", first.percent),
        ("confirmed", -5.0),
    ]
    assert cards_of(page)["Open regressions"].startswith("1 1 cause, 1 series; 1 from before the window; of ")
    assert 'href="performance.html#changes-title"' in page


def test_a_page_of_a_test_charts_all_its_metrics_with_their_levels_and_changes() -> None:
    view = views()[0]
    page = page_of(view)
    found = re.search(r'<script type="application/json" id="perf-data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data = json.loads(found[1])

    alike = [one for one in views() if (one.job, one.test) == (view.job, view.test)]
    assert set(data["series"]) == {one.key for one in alike}
    told = data["series"][view.key]
    assert told["value"] == pytest.approx(view.points["value"].to_list(), rel=1e-6)
    assert [one[3] for one in told["changes"]] == [one.change_id for one in view.changes]
    assert told["levels"][-1][1] == pytest.approx(view.points["level"].drop_nulls()[-1], rel=1e-6)
    assert set(data["pools"]) == {"1-gpu-h100", "1-gpu-h200"}


def test_a_change_is_told_with_its_commits_and_runners_and_leads_to_what_moved_with_it() -> None:
    view = views()[0]
    page = page_of(view)
    change = view.changes[0]

    assert f'<tr id="{change.change_id}">' in page
    assert f"{HOME}/commit/{change.suspects.commits[0].sha}" in page
    assert "that measured before and after show it." in Page(page).text
    assert re.search(r'<a href="\.\./performance/[\w.-]+\.html#\w+"><bdi>performance-test-0-gpu / ', page)
    assert "test_bs1_default / " in Page(page).text


def test_the_values_of_a_test_are_a_table_with_a_column_for_each_metric() -> None:
    view = views()[0]
    rows = rows_of(page_of(view), "values")
    points = busy().points.filter(job=view.job, test=view.test)
    attempts = points.select("job_id", "try_number").unique()

    assert len(rows) == attempts.height
    told = sorted(value for row in rows for value in row[3:6] if value is not None)
    assert told == pytest.approx(sorted(points["value"].to_list()))
    created = [row[1] for row in rows]
    assert created == sorted(created, reverse=True)


@pytest.mark.parametrize(
    ("metric", "unit", "beside"),
    [
        ("median_decode_latency_s", "s", ""),
        ("p99_ttft_ms", "ms", ""),
        ("output_throughput_token_s", "token/s", ""),
        ("output_throughput", "token/s", "token/s"),
        ("latency_ms", "s", "s"),
        ("s", "s", "s"),
        ("latency", None, ""),
        ("cost", "\x1b$", "\\x1b$"),
    ],
)
def test_a_unit_stands_beside_a_metric_whose_name_does_not_end_with_it(
    metric: str, unit: str | None, beside: str
) -> None:
    assert unit_beside(metric, unit) == beside


def test_points_of_a_pool_are_not_red_as_failures_are() -> None:
    pools = [str(place) for place in range(MOST_POOLS + 2)]

    assert RED not in colours_of(pools)
    assert len(set(colours_of(pools))) == MOST_POOLS + 1


def test_tick_labels_of_small_values_have_enough_digits_to_differ() -> None:
    (values,) = [axis for axis in figure_series().yaxis if axis.name == "value"]

    assert isinstance(values.formatter, NumeralTickFormatter)
    assert values.formatter.format == "0,0.[00000000]"


def test_runners_tell_how_much_they_measured() -> None:
    view = views()[0]
    rows = rows_of(page_of(view), "runners")
    final = busy().points.filter(job=view.job, test=view.test, metric=view.metric).filter("is_final")

    assert {row[1] for row in rows} == set(final["runner_name"])
    assert sum(row[2] for row in rows) == final.height


def test_every_link_leads_to_a_page_of_the_site_or_to_the_repository() -> None:
    for path, content in files().items():
        if not path.endswith(".html"):
            continue
        for tag, attributes in Page(content.decode()).tags:
            address = attributes.get("href") or attributes.get("src") or "#"
            if address.startswith(("https://", "data:,")):
                assert (tag, address) == ("link", "data:,") or address.startswith(HOME)
            elif not address.startswith("#") and "performance" in address:
                target = address.removeprefix("../").partition("#")[0].partition("?")[0]
                assert target in files(), (path, address)


def test_fragments_that_links_lead_to_are_there() -> None:
    for path, content in files().items():
        if path.endswith(".html"):
            for address in re.findall(r'href="((?:\.\./)?performance[^"]*#[^"]+)"', content.decode()):
                target, _, name = address.removeprefix("../").partition("#")
                assert f'id="{name}"' in files()[target.partition("?")[0]].decode(), (path, address)


def test_data_are_what_the_commands_print() -> None:
    speed = speed_of(busy())
    span = Span(first_run_at=None, last_run_at=None, runs=0, job_attempts=0)
    changes = json.loads(files()["data/perf-changes.json"])
    expected = json.loads(perf_changes_json(speed.states, speed.silence, span))

    assert changes | {"span": None} == expected | {"span": None}
    report = json.loads(files()["data/performance.json"])
    assert report["generated_at"] == FACTS.until.isoformat().replace("+00:00", "Z")
    assert report["counts"]["series"] == len(views())
    assert sum(one["n"] for one in report["series"]) == final_points(busy().points).height


def test_data_that_are_too_large_are_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trackside.site.perf_documents.MOST_POINTS", busy().points.height - 1)
    made = perf_files(facts())

    assert "data/performance.json" not in made
    assert (
        "data/performance.json would be larger than 5 MB and is not here: trackside perf report"
        in Page(made["performance.html"].decode()).text
    )
    assert MOST_BYTES == 5 * MEGABYTE


def test_equal_facts_make_equal_pages() -> None:
    assert perf_files(a_site(a_busy_repository(jobs=4, runs=90, metrics=3, tests=2))) == files()
    late = msgspec.structs.replace(FACTS, made_at=FACTS.made_at.replace(year=2030))
    assert perf_files(a_site(busy(), late)) == files()


def test_where_nothing_was_looked_for_the_page_says_what_to_do() -> None:
    made = perf_files(a_site(None))
    text = Page(made["performance.html"].decode()).text

    assert "trackside sync --logs perf" in text
    assert "perf_jobs" in text
    assert [name for name in made if name.startswith(("performance/", "data/"))] == []


def test_where_no_number_was_printed_the_page_says_how_logs_were_read() -> None:
    nothing = msgspec.structs.replace(busy(), points=pl.DataFrame(schema=POINT_COLUMNS))
    text = Page(perf_files(a_site(nothing))["performance.html"].decode()).text

    assert "No job of this window printed a number that is watched." in text
    assert "2,388 of 2,400 logs read" in text


def test_no_name_becomes_markup() -> None:
    made = perf_files(a_site(a_hostile_repository(), hostile_facts()))
    friendly = {tag for content in files().values() for tag, _ in Page(content.decode(errors="replace")).tags}

    for path, content in made.items():
        if not path.endswith(".html"):
            continue
        page = content.decode()
        tags = Page(page).tags
        assert re.fullmatch(r"performance(/[a-z0-9-]+)?\.html", path)
        assert {tag for tag, _ in tags} <= friendly
        assert [name for _, attributes in tags for name in attributes if name.startswith("on")] == []
        assert not any(str(attributes.get("href", "")).startswith("javascript") for _, attributes in tags)
        assert "\u202e" not in re.sub(r"<script type=.application/json.*?</script>", "", page, flags=re.DOTALL)
        assert safe_text(HOSTILE)[:30] in Page(page).text


def test_pages_name_no_file_after_what_comes_from_outside() -> None:
    paths = [page.path for page in perf_pages(a_site(a_hostile_repository()))]

    assert all(re.fullmatch(r"performance(/[a-z0-9-]{8,69})?\.html", path) for path in paths)


def test_documents_are_named_with_the_commands_that_print_them() -> None:
    told = [(one.name, one.command) for one in perf_documents(facts())]

    assert told == [
        ("perf-changes.json", "trackside perf changes --format json"),
        ("performance.json", "trackside perf report --format json"),
    ]
    assert list(perf_documents(a_site(None))) == []
