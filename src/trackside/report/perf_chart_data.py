"""What the charts of a page are drawn from: runs, jobs and points as columns, each text once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from trackside.report.html_page import short_number
from trackside.report.perf_chart_shape import Limits, gaps_of
from trackside.report.perf_series import SeriesView
from trackside.report.perf_text import level_text, percent_text, short_sha
from trackside.report.safe_links import link_within
from trackside.report.safe_text import safe_text

_SHA: Final = 12
_RUN: Final = ("run_id", "run_attempt")
_OUTCOMES: Final = {"passed": 0, "failed": 1}
_UNKNOWN: Final = 2
_FIGURES: Final = 7


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """The points of a series that are drawn: rows of its ``points`` by place. ``left_out`` counts the others."""

    places: tuple[int, ...]
    left_out: int = 0


def drawn_points(views: Sequence[SeriesView], most: int) -> dict[str, Drawn]:
    """By the key of the series: all points, where these are not more than ``most``.

    Else points of other branches and earlier tries are thinned first, evenly; where those of the default branch alone
    are too many, the newest of each series are kept.
    """
    searched = sum(view.searched_count for view in views)
    others = sum(view.points.height for view in views) - searched
    share = 1.0 if searched + others <= most else max(0.0, (most - searched) / others) if others else 0.0
    kept = 1.0 if searched <= most else most / searched
    return {view.key: _drawn(view, share, kept) for view in views}


def _drawn(view: SeriesView, share: float, kept: float) -> Drawn:
    flags = view.points["is_searched"].to_list()
    own = [place for place, flag in enumerate(flags) if flag]
    others = [place for place, flag in enumerate(flags) if not flag]
    own = own[len(own) - max(1, int(len(own) * kept)) :] if own else own
    wanted = int(len(others) * share)
    step = len(others) / wanted if wanted else 1.0
    others = [others[len(others) - 1 - int(number * step)] for number in range(wanted)]
    places = tuple(sorted([*own, *others]))
    return Drawn(places=places, left_out=len(flags) - len(places))


def pools_of(views: Iterable[SeriesView]) -> list[str]:
    """The pools of all series, the one with the most values first: the order of their colours on the whole page."""
    frames = [view.points.select("pool") for view in views]
    if not frames:
        return []
    counted = pl.concat(frames).group_by("pool").len().sort(["len", "pool"], descending=[True, False])
    return [name or "" for name in counted["pool"].to_list()]


def chart_data(
    views: Sequence[SeriesView],
    drawn: Mapping[str, Drawn],
    limits: Mapping[str, Limits],
    home: str,
    pools: Sequence[str],
) -> dict[str, Any]:
    """The document of the page's charts.

    ``home`` is the page of the repository: addresses that follow from an id are not repeated, those that lead
    elsewhere on its host are told, others are not there. Texts that repeat are told once and numbered. Times are
    milliseconds since 1970. Of a series, ``job`` are differences of places in ``jobs``, ``value`` the values; ``flag``
    is the outcome of the test (0 passed, 1 failed, 2 unknown), plus 4 for an earlier try, plus 8 times the number of
    the try; ``levels`` are places and levels at which the fitted line bends; ``gaps`` are places; ``changes`` are
    places, texts, verdicts and ids; ``limits`` are the values that the chart shows at first.
    """
    rows = [_drawn_rows(view, drawn[view.key]) for view in views]
    every = pl.concat([one.select(_OF_RUN + _OF_JOB) for one in rows]) if rows else pl.DataFrame()
    if every.is_empty():
        return {"runs": {}, "jobs": {}, "series": {}, "home": home, "pools": list(pools)}
    runs = every.unique(_RUN, maintain_order=True).sort("ordered_at", *_RUN)
    jobs = every.unique("job_id", maintain_order=True).sort("ordered_at", *_RUN, "job_id")
    run_places = {key: place for place, key in enumerate(runs.select(_RUN).iter_rows())}
    job_places = {job: place for place, job in enumerate(jobs["job_id"].to_list())}
    return {
        "home": home,
        "pools": [safe_text(name) for name in pools],
        "runs": _runs(runs, home),
        "jobs": _jobs(jobs, run_places, home, pools),
        "series": {
            view.key: _series(view, own, drawn[view.key], limits[view.key], job_places)
            for view, own in zip(views, rows, strict=True)
        },
    }


def _drawn_rows(view: SeriesView, drawn: Drawn) -> pl.DataFrame:
    return view.points if not drawn.left_out else view.points[list(drawn.places)]


_OF_RUN: Final = [
    *_RUN, "run_number", "created_at", "ordered_at", "sha", "pull_number", "pull_url", "author", "title", "branch",
    "is_default_line", "run_url",
]  # fmt: skip
_OF_JOB: Final = ["job_id", "job_url", "job_outcome", "pool", "runner_name"]


def _runs(runs: pl.DataFrame, home: str) -> dict[str, Any]:
    ids = runs["run_id"].to_list()
    pulls = runs["pull_number"].to_list()
    return {
        "id": ids,
        "attempt": runs["run_attempt"].to_list(),
        "number": runs["run_number"].to_list(),
        "at": runs["created_at"].dt.epoch("ms").to_list(),
        "order": runs["ordered_at"].dt.epoch("ms").to_list(),
        "sha": [sha and safe_text(sha[:_SHA]) for sha in runs["sha"].to_list()],
        "pull": pulls,
        "main": [int(bool(flag)) for flag in runs["is_default_line"].to_list()],
        **{name: _numbered(runs[name]) for name in ("author", "title", "branch")},
        "url": _addresses(runs["run_url"], [f"{home}/actions/runs/{run}" for run in ids], home),
        "pull_url": _addresses(runs["pull_url"], [f"{home}/pull/{number}" for number in pulls], home),
    }


def _jobs(jobs: pl.DataFrame, runs: dict[Any, int], home: str, pools: Sequence[str]) -> dict[str, Any]:
    ids = jobs["job_id"].to_list()
    keys = list(jobs.select(_RUN).iter_rows())
    usual = [f"{home}/actions/runs/{run}/job/{job}" for (run, _), job in zip(keys, ids, strict=True)]
    colours = {name: place for place, name in enumerate(pools)}
    return {
        "id": ids,
        "run": [runs[key] for key in keys],
        "pool": [colours[name or ""] for name in jobs["pool"].to_list()],
        "runner": _numbered(jobs["runner_name"]),
        "outcome": _numbered(jobs["job_outcome"]),
        "url": _addresses(jobs["job_url"], usual, home),
    }


def _numbered(column: pl.Series) -> dict[str, Any]:
    """The different texts of a column, and for each row the number of its text; -1 where there is none."""
    texts = column.to_list()
    numbers = {text: number for number, text in enumerate(dict.fromkeys(text for text in texts if text))}
    return {"texts": [safe_text(text) for text in numbers], "of": [numbers.get(text, -1) for text in texts]}


def _addresses(column: pl.Series, usual: Sequence[str], site: str) -> dict[str, str | None]:
    """The addresses, by place, that are not the usual ones; None where there is none to be trusted."""
    pairs = enumerate(zip(column.to_list(), usual, strict=True))
    return {str(place): link_within(told, site) for place, (told, expected) in pairs if told != expected}


def _series(
    view: SeriesView, rows: pl.DataFrame, drawn: Drawn, limits: Limits, jobs: Mapping[Any, int]
) -> dict[str, Any]:
    places = [jobs[job] for job in rows["job_id"].to_list()]
    before = [0, *places]
    shown = {place: number for number, place in enumerate(drawn.places)}
    return {
        "job": [place - last for place, last in zip(places, before, strict=False)],
        "value": [_short(value) for value in rows["value"].to_list()],
        "flag": [
            _OUTCOMES.get(outcome, _UNKNOWN) + 4 * (not final) + 8 * (tried or 1)
            for outcome, final, tried in zip(
                *(rows[name].to_list() for name in ("test_outcome", "is_final", "try_number")), strict=True
            )
        ],
        "levels": _bends(rows["level"].to_list()),
        "gaps": [shown[place] for place in gaps_of(view) if place in shown],
        "changes": _changes(view, rows),
        "limits": [_short(limits.low), _short(limits.high)],
    }


def _short(value: float) -> float | int:
    return short_number(value, _FIGURES)


def _bends(levels: Sequence[float | None]) -> list[list[float | int]]:
    """Places and levels at which a line through all of them bends or ends."""
    short = {level: _short(level) for level in set(levels) if level is not None}
    known = [(place, short[level]) for place, level in enumerate(levels) if level is not None]
    kept = [
        point
        for number, point in enumerate(known)
        if number in (0, len(known) - 1) or known[number - 1][1] != point[1] or known[number + 1][1] != point[1]
    ]
    return [list(point) for point in kept]


def _changes(view: SeriesView, rows: pl.DataFrame) -> list[list[Any]]:
    if not view.changes:
        return []
    places: dict[int, int] = {}
    for place, job in enumerate(rows["job_id"].to_list()):
        places.setdefault(job, place)
    told = []
    for one in view.changes:
        if one.at.job_id in places:
            text = f"{change_text(one.percent, one.before, one.after)} · {short_sha(one.at.sha)}"
            told.append([places[one.at.job_id], text, one.verdict.value, one.change_id])
    return told


def change_text(percent: float | None, before: float, after: float) -> str:
    """The change in percent; from level to level where the old one is 0."""
    return f"{level_text(before)} → {level_text(after)}" if percent is None else percent_text(percent / 100)
