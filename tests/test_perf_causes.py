"""Series by cause: one card for each test and cause, the gravest first, the other metrics folded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl

from tests.perf_frames import points_of
from trackside.history.default_line import Commit
from trackside.perf.change_records import LEVEL_COLUMNS, Change, Changes, Direction, PointLink, Suspects, Verdict
from trackside.perf.renames import AliasProposal
from trackside.perf.silence import Silence, SilenceReason, Silent
from trackside.records.perf_rules import ChangeState
from trackside.report.perf_causes import Group, causes_of, count_tests, groups_of
from trackside.report.perf_series import Standing, series_views

START = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
Row = tuple[str, str, bool]


def at_hour(hour: int) -> PointLink:
    return PointLink(
        run_id=hour, run_attempt=1, job_id=hour, ordered_at=START + dt.timedelta(hours=hour), sha=f"{hour:040x}"
    )


def a_change(test: str, metric: str, size: float | None, moved_with: Sequence[str] = (), **told: object) -> Change:
    """A confirmed regression of ``test`` after hour 4, up to hour 6; its id is ``test/metric``."""
    given = {
        "change_id": f"{test}/{metric}",
        "state": ChangeState.CONFIRMED,
        "verdict": Verdict.REGRESSION,
        "direction": Direction.DOWN,
        "series": series_of(test, metric),
        "workflow": "PR Test",
        "job": "job",
        "test": test,
        "metric": metric,
        "unit": "tok/s",
        "before": 100.0,
        "after": 95.0,
        "noise": 1.0,
        "noises": None if size is None else -size,
        "percent": -5.0,
        "p": 0.001,
        "q": 0.002,
        "at": at_hour(6),
        "last_good": at_hour(4),
        "first_bad": at_hour(6),
        "points_before": 5,
        "points_after": 5,
        "later": 4,
        "moved_with": tuple(moved_with),
    }
    return Change(**{**given, **told})  # type: ignore[arg-type]


def series_of(test: str, metric: str) -> str:
    return str(series_points(test, metric)["series"][0])


def series_points(test: str, metric: str, *, is_established: bool = False) -> pl.DataFrame:
    return points_of([100.0] * 8, name="job", test=test, metric=metric, is_established=is_established)


def found(*changes: Change) -> Changes:
    return Changes(
        repo="octo/engine",
        default_branch="main",
        least_points=8,
        changes=changes,
        confounded=(),
        series=(),
        levels=pl.DataFrame(schema=LEVEL_COLUMNS),
    )


def grouped(rows: Sequence[Row], *changes: Change, silent: Sequence[Silent] = ()) -> list[Group]:
    """The groups of series given as test, metric, and whether it is established."""
    points = pl.concat([series_points(test, metric, is_established=known) for test, metric, known in rows])
    silence = Silence(repo="octo/engine", watched=len(rows), runs=8, series=tuple(silent))
    return groups_of(series_views(points, found(*changes), silence), found(*changes))


def told(group: Group) -> list[list[tuple[str, list[str]]]]:
    """By cause and card the leading series and the metrics folded behind it."""
    return [
        [(f"{card.lead.test}/{card.lead.metric}", [one.metric for one in card.others]) for card in cause.cards]
        for cause in group.causes
    ]


def test_one_cause_is_one_card_for_each_test_the_other_metrics_folded() -> None:
    ids = ("a/tput", "a/ttft", "a/itl", "b/tput")
    changes = [
        a_change("a", "tput", 4, ids[1:]),
        a_change("a", "ttft", 9, [ids[0], *ids[2:]]),
        a_change("a", "itl", 6, [*ids[:2], ids[3]]),
        a_change("b", "tput", 5, ids[:3]),
    ]
    rows = [("a", "tput", False), ("a", "ttft", False), ("a", "itl", True), ("b", "tput", False)]

    (group,) = grouped(rows, *changes)

    assert group.standing is Standing.WORSE
    assert told(group) == [[("a/itl", ["ttft", "tput"]), ("b/tput", [])]]
    assert count_tests(group.views) == 2
    assert len(group.views) == 4


def test_without_an_established_metric_the_largest_in_units_of_noise_leads() -> None:
    changes = [a_change("a", "tput", 4, ["a/ttft"]), a_change("a", "ttft", 9, ["a/tput"])]

    (group,) = grouped([("a", "tput", False), ("a", "ttft", False)], *changes)

    assert told(group) == [[("a/ttft", ["tput"])]]


def test_a_test_that_two_causes_moved_has_a_card_at_each_and_the_gravest_cause_is_first() -> None:
    changes = [
        a_change("a", "tput", 4, ["b/tput"]),
        a_change("b", "tput", 5, ["a/tput"]),
        a_change("a", "ttft", 30, at=at_hour(2), last_good=at_hour(1), first_bad=at_hour(2)),
    ]

    (group,) = grouped([("a", "tput", True), ("a", "ttft", False), ("b", "tput", True)], *changes)

    assert told(group) == [[("a/ttft", [])], [("b/tput", []), ("a/tput", [])]]
    assert count_tests(group.views) == 2


def test_a_cause_is_named_by_its_narrowest_range_and_tells_what_it_did_elsewhere() -> None:
    commit = Commit(sha="5" * 40, first_at=START)
    narrow = a_change("a", "ttft", 3, ["a/tput"], last_good=at_hour(5), suspects=Suspects(commits=(commit,)))
    better = {"verdict": Verdict.IMPROVEMENT, "direction": Direction.UP}
    changes = [a_change("a", "tput", 9, ["a/ttft"], **better), narrow]

    worse, better_group = grouped([("a", "tput", True), ("a", "ttft", True)], *changes)

    assert (worse.standing, better_group.standing) == (Standing.WORSE, Standing.BETTER)
    assert worse.causes[0].change == better_group.causes[0].change == narrow
    ((standing, count, key),) = worse.causes[0].elsewhere
    assert (standing, count, key) == (Standing.BETTER, 1, better_group.views[0].key)


def test_a_change_without_a_size_and_one_whose_others_are_not_there_are_shown_too() -> None:
    changes = [a_change("a", "tput", 4, ["gone"]), a_change("b", "tput", None)]

    (group,) = grouped([("a", "tput", True), ("b", "tput", True)], *changes)

    assert told(group) == [[("a/tput", [])], [("b/tput", [])]]


def test_the_gravest_change_stands_for_its_cause_whoever_names_whom() -> None:
    changes = [a_change("a", "x", 2), a_change("b", "x", 9, ["a/x"]), a_change("c", "x", 3, ["a/x", "b/x"])]

    assert causes_of(changes) == {"b/x": "b/x", "a/x": "b/x", "c/x": "c/x"}


def a_silent(test: str, metric: str, last: int = 5, proposal: AliasProposal | None = None) -> Silent:
    return Silent(
        series=series_of(test, metric),
        workflow="PR Test",
        job="job",
        test=test,
        metric=metric,
        reason=SilenceReason.NO_VALUE,
        runs_without=3,
        last_run_id=last,
        last_at=START,
        since_run_id=last + 1,
        since_at=START,
        proposal=proposal,
    )


def renamed(kind: str, new: str) -> AliasProposal:
    return AliasProposal(kind=kind, old="old", new=new, likeness=0.9, toml="")


def test_what_stopped_has_one_card_for_each_test_with_its_new_name() -> None:
    silent = [
        a_silent("a", "itl", proposal=renamed("test", "a_qwen")),
        a_silent("a", "tput", proposal=renamed("test", "a_qwen")),
        a_silent("a", "ttft", proposal=renamed("test", "a_qwen")),
        a_silent("b", "tput"),
        a_silent("c", "tput"),
    ]
    rows = [("a", "itl", False), ("a", "tput", True), ("a", "ttft", False), ("b", "tput", True), ("c", "tput", True)]

    (group,) = grouped(rows, silent=silent)

    assert told(group) == [[("a/tput", ["itl", "ttft"])], [("b/tput", []), ("c/tput", [])]]
    assert [cause.silent and cause.silent.proposal for cause in group.causes] == [renamed("test", "a_qwen"), None]


def test_new_names_of_metrics_do_not_part_a_test() -> None:
    silent = [a_silent("a", one, proposal=renamed("metric", f"{one}_ms")) for one in ("itl", "ttft")]

    (group,) = grouped([("a", "itl", False), ("a", "ttft", False)], silent=silent)

    assert told(group) == [[("a/itl", ["ttft"])]]
    assert group.causes[0].silent is not None
    assert group.causes[0].silent.proposal is None


def test_what_did_not_change_is_not_folded() -> None:
    (group,) = grouped([("b", "tput", False), ("a", "tput", False)])

    assert group.causes == ()
    assert [view.test for view in group.plain] == ["a", "b"]


def test_no_series_are_no_groups() -> None:
    assert groups_of([], None) == []
