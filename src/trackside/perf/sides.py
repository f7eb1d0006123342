"""The two sides of a comparison: what a name means (a branch, a commit, a pull request), and which points are its."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from typing import Final

import msgspec
import polars as pl

from trackside.errors import NoDataError, UsageError
from trackside.history.frames import History

SHORTEST_SHA: Final = 7
_PULL: Final = re.compile(r"(?:(?:PR|pull)\s*[:#/ ]?|#|https?://\S+/pull/)\s*(\d{1,12})/?", re.IGNORECASE)
_SHA: Final = re.compile(rf"[0-9a-f]{{{SHORTEST_SHA},40}}")
_SHOWN: Final = 6
_LONGER: Final = "A longer window, such as --since 90d, may hold it."


class SideKind(enum.StrEnum):
    """What a side of a comparison is."""

    DEFAULT = "default"
    """The default branch: its newest runs since its last change."""
    BRANCH = "branch"
    """Another branch line: its newest runs."""
    COMMIT = "commit"
    """One commit: every run of it."""
    PULL = "pull"
    """A pull request: every run of its newest commit that was measured, before it was merged."""


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One side. ``label`` is what it is called, ``line`` a branch, ``sha`` the commit of a commit or a pull request."""

    kind: SideKind
    label: str
    line: str | None = None
    sha: str | None = None
    pull_number: int | None = None
    title: str | None = None
    url: str | None = None

    @property
    def runs_on(self) -> bool:
        """Whether it is a branch, which goes on, so that only its newest points are it."""
        return self.kind in (SideKind.DEFAULT, SideKind.BRANCH)

    def points(self, points: pl.DataFrame) -> pl.DataFrame:
        """The rows of ``points`` that are of this side."""
        if self.kind is SideKind.DEFAULT:
            return points.filter("is_default_line")
        if self.kind is SideKind.BRANCH:
            return points.filter(pl.col("line") == self.line)
        own = points.filter(pl.col("sha") == self.sha)
        return own.filter(~pl.col("is_default_line")) if self.kind is SideKind.PULL else own


def resolve_sides(first: str, second: str | None, points: pl.DataFrame, history: History) -> tuple[Side, Side]:
    """The sides that two names mean; with one name, the default branch and what it means.

    A name is that of a branch line (``main``, ``owner:branch``), ``PR:123`` or ``#123``, or the beginning of a commit's
    sha, of SHORTEST_SHA characters or more. ``points`` have the columns ``perf.points.POINT_COLUMNS``. Raises
    NoDataError for a name that no point is of, and UsageError where both sides are the same or a sha begins several
    commits.
    """
    if second is None:
        sides = (_default(points, history), resolve_side(first, points, history))
    else:
        sides = (resolve_side(first, points, history), resolve_side(second, points, history))
    if (sides[0].kind, sides[0].line, sides[0].sha) == (sides[1].kind, sides[1].line, sides[1].sha):
        msg = f"Both sides of the comparison are {sides[0].label}: name another branch, commit or PR:NUMBER."
        raise UsageError(msg)
    return sides


def resolve_side(name: str, points: pl.DataFrame, history: History) -> Side:
    """The side that a name means; raises as ``resolve_sides`` does."""
    text = name.strip()
    if found := _PULL.fullmatch(text):
        return _pull(int(found[1]), points, history)
    if text == history.default_branch:
        return _default(points, history)
    if text and (points["line"] == text).any():
        return Side(kind=SideKind.BRANCH, label=text, line=text)
    if _SHA.fullmatch(text.lower()):
        return _commit(text.lower(), points, history)
    raise NoDataError(_unknown(text, points, history))


def _default(points: pl.DataFrame, history: History) -> Side:
    name = history.default_branch
    if name is None:
        msg = f"Nothing tells the default branch of {history.repo}: name both sides, or set default_branch under [ci]."
        raise NoDataError(msg)
    if not points["is_default_line"].any():
        msg = f"No run of {name} in the window printed a performance number. {_there(points)}"
        raise NoDataError(msg)
    return Side(kind=SideKind.DEFAULT, label=name, line=name)


def _pull(number: int, points: pl.DataFrame, history: History) -> Side:
    own = points.filter(pl.col("pull_number") == number)
    before = own.filter(~pl.col("is_default_line"), pl.col("sha").is_not_null()).sort("created_at", "run_id")
    if before.is_empty():
        raise NoDataError(_unmeasured_pull(number, own, points, history))
    newest = before.row(-1, named=True)
    return Side(
        kind=SideKind.PULL,
        label=f"PR #{number}",
        sha=newest["sha"],
        pull_number=number,
        title=newest["title"],
        url=newest["pull_url"],
    )


def _unmeasured_pull(number: int, own: pl.DataFrame, points: pl.DataFrame, history: History) -> str:
    merged = own.filter("is_default_line", pl.col("sha").is_not_null())["sha"]
    if len(merged):
        return f"Pull request #{number} was measured only after it was merged, as commit {merged[0]}: name that."
    ran = (history.runs["pull_number"] == number).any()
    what = "has runs in the window, but none printed a performance number" if ran else "has no run in the window"
    return f"Pull request #{number} {what}. {_there(points)} {_LONGER}"


def _commit(prefix: str, points: pl.DataFrame, history: History) -> Side:
    found = _begin_with(prefix, points)
    if len(found) > 1:
        several = ", ".join(sha[: len(prefix) + 5] for sha in found[:_SHOWN])
        msg = f"{prefix} begins the sha of {len(found)} commits that were measured: {several}. Give more of it."
        raise UsageError(msg)
    if not found:
        if _begin_with(prefix, history.runs):
            msg = f"Commit {prefix} has runs in the window, but none printed a performance number. {_there(points)}"
            raise NoDataError(msg)
        raise NoDataError(_unknown(prefix, points, history))
    newest = points.filter(pl.col("sha") == found[0]).sort("created_at", "run_id").row(-1, named=True)
    return Side(kind=SideKind.COMMIT, label=f"commit {found[0][:8]}", sha=found[0], title=newest["title"])


def _begin_with(prefix: str, rows: pl.DataFrame) -> list[str]:
    return sorted(rows["sha"].drop_nulls().filter(rows["sha"].drop_nulls().str.starts_with(prefix)).unique())


def _unknown(text: str, points: pl.DataFrame, history: History) -> str:
    if text and (history.runs["line"] == text).any():
        return f"Branch {text} has runs in the window, but none printed a performance number. {_there(points)}"
    means = f"a branch, PR:NUMBER, or a sha of {SHORTEST_SHA} characters or more"
    return (
        f"No run in the window that was measured is of {text or 'an empty name'} ({means}). {_there(points)} {_LONGER}"
    )


def _there(points: pl.DataFrame) -> str:
    """What can be compared: branches, pull requests and commits, the newest first."""
    if points.is_empty():
        return "No run in the window was measured: --logs perf reads the logs of performance jobs."
    newest = points.sort("created_at", "run_id", descending=True)
    pulls = newest.filter(~pl.col("is_default_line"))["pull_number"].drop_nulls().unique(maintain_order=True)
    told = {
        "branches": newest["line"].drop_nulls().unique(maintain_order=True).to_list(),
        "pull requests": [f"PR:{number}" for number in pulls],
        "commits": [sha[:8] for sha in newest["sha"].drop_nulls().unique(maintain_order=True)],
    }
    return f"Measured are {'; '.join(f'{kind} {_some(names)}' for kind, names in told.items() if names)}."


def _some(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(every[:_SHOWN]) + (f" and {len(every) - _SHOWN:,} more" if len(every) > _SHOWN else "")
