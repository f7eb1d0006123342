"""``trackside perf compare``: two commits, branches or pull requests beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from trackside.cli.ci_session import Asked, Format, say_if_empty
from trackside.cli.options import FLAG
from trackside.cli.perf_session import open_perf_session
from trackside.cli.section_printing import print_sections
from trackside.errors import NoDataError

if TYPE_CHECKING:
    from trackside.perf.comparison_records import Comparison


def compare(
    first: str,
    second: str | None = None,
    /,
    *,
    all_series: Annotated[bool, Parameter(name="--all"), FLAG] = False,
    all_metrics: Annotated[bool, FLAG] = False,
    check: Annotated[bool, FLAG] = False,
    asked: Asked | None = None,
    format: Format = "table",  # noqa: A002 - the name of the option
) -> int:
    """Two commits, branches or pull requests beside each other: each series with an interval and a verdict.

    A side is a branch (its newest 20 runs; of the default branch those since its last change), PR:NUMBER (its newest
    commit that was measured) or a commit, by 7 characters of its sha or more. One side alone is compared with the
    default branch as it was when that side ran.

    Args:
        first: What is compared with: main, PR:123, 3f2a91c.
        second: What is compared.
        all_series: Show every series, those that did not change too.
        all_metrics: Compare all metrics of each test, not only those that charts are drawn of by default.
        check: End with 3 where a series got worse by more than chance.
        format: How to print. json and csv have every series; markdown fits into a comment on a pull request.
    """
    from trackside.perf.changes import find_changes
    from trackside.perf.comparison import comparable_points
    from trackside.perf.comparison import compare as compare_sides
    from trackside.perf.comparison_records import Verdict
    from trackside.perf.sides import resolve_sides
    from trackside.report.perf_compare_markdown import compare_markdown
    from trackside.report.perf_compare_report import compare_csv, compare_json, compare_sections

    session = open_perf_session(asked)
    say_if_empty(session.ci)
    history, points = session.history, session.points
    sides = resolve_sides(first, second, points, history)
    levels = find_changes(history, comparable_points(points)).levels
    told = compare_sides(points, levels, sides, history.repo, all_metrics=all_metrics)
    _require_series(told)
    print_sections(
        session.ci,
        format,
        "Comparison",
        lambda: compare_json(told),
        lambda: compare_csv(told),
        lambda: compare_sections(told, every=all_series),
        lambda _: compare_markdown(told, every=all_series),
    )
    return session.ci.end(found=check and bool(told.of(Verdict.WORSE)))


def _require_series(told: Comparison) -> None:
    """Raises NoDataError where no series was measured on both sides: a check of nothing must not pass."""
    if told.series:
        return
    from trackside.report.perf_compare_report import first_label, second_label, some_names

    sides = ((first_label(told), told.only_first), (second_label(told), told.only_second))
    each = "; ".join(f"{label}: {some_names(names) or 'none'}" for label, names in sides)
    msg = f"No performance series was measured both on {sides[0][0]} and on {sides[1][0]} in the window ({each})."
    raise NoDataError(msg)
