"""What changed since something was last told: new breakage, what is fixed, new flakes, new errors."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import polars as pl

from trackside.ci.flakiness import Flaky, Recovery
from trackside.ci.groups import FailureGroups
from trackside.ci.results import JOB_KEY, PASSED, attempts, decided, run_results
from trackside.ci.streaks import Streak, Streaks
from trackside.history.frames import History
from trackside.records.failures import Notice
from trackside.records.notices import OFF, ON, Told

BROKEN: Final = "broken"
FLAKY: Final = "flaky"
FAILURE_GROUP: Final = "failure_group"
CONFIRMED_BY: Final = 2
"""So many failures in a row make a breakage worth telling; a lone one may be a flake."""


class ChangeKind(enum.StrEnum):
    """What kind of thing changed, the most important first."""

    BROKEN = "broken"
    """A job that passed, or was not there, fails on the default branch again and again."""
    FIXED = "fixed"
    """A job that was told to be broken passes again."""
    GONE = "gone"
    """A job that was told to be broken is no longer run; nothing says that it works."""
    ERROR = "error"
    """An error that was never seen before."""
    FLAKY = "flaky"
    """A job that was not known as flaky passed and failed on the same commit."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that changed. ``what`` is a job (``workflow / job``) or the line that tells an error.

    ``count`` counts failed runs in a row (broken), failed attempts (error) or commits with both results (flaky).
    ``since`` is the number of the first bad run, of the run that passed, or of the first with the error.
    ``where`` are branch lines or jobs, ``cause`` is the cause that was told most often.
    """

    kind: ChangeKind
    what: str
    url: str | None = None
    since: int | None = None
    count: int = 0
    where: tuple[str, ...] = ()
    cause: str | None = None


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """The changes, the most important first, and the notices that hold once they are told.

    ``is_first`` says that nothing was ever told of this repository: then the changes are what is broken now, and
    ``flaky_known`` and ``errors_known`` count what is taken as known from now on without being told one by one.
    """

    repo: str
    items: tuple[Change, ...]
    notices: tuple[Notice, ...]
    is_first: bool = False
    flaky_known: int = 0
    errors_known: int = 0


class Flake(msgspec.Struct, frozen=True, kw_only=True):
    """A job that passed and failed on each of ``commits`` commits, or one that did so and has ``recovered``."""

    workflow: str
    job: str
    commits: int
    recovered: bool = False
    url: str | None = None


def changes_since(
    told: Told, streaks: Streaks, flakes: Iterable[Flake], groups: FailureGroups, passing: frozenset[str]
) -> Changes:
    """What is to be told now, by comparing with what was ``told``.

    ``passing`` are the jobs whose newest result on the default line is a success: see ``passing_jobs``. Nothing is
    said of a job that this window does not show: only what was seen to pass is fixed. Only errors that ``groups``
    marks as new are told.
    """
    broken = [one for one in streaks.broken_on_default if _is_confirmed(one)]
    by_subject = {subject_of(one): one for one in broken}
    flaky = list(flakes)
    items, notices = _breakage(told, streaks, by_subject, passing)
    if told.ever:
        items += _new_errors(told, groups) + _new_flakes(told, flaky)
    fresh = [one for one in groups.groups if one.is_new or not told.ever]
    notices += [
        *(_notice(streaks.repo, BROKEN, name, ON, one.last_bad.url) for name, one in by_subject.items()),
        *(_notice(streaks.repo, FLAKY, name_of(one), OFF if one.recovered else ON, one.url) for one in flaky),
        *(_notice(streaks.repo, FAILURE_GROUP, one.fingerprint, ON, one.last.url) for one in fresh),
    ]
    return Changes(
        repo=streaks.repo,
        items=tuple(items),
        notices=told.changed(notices),
        is_first=not told.ever,
        flaky_known=sum(not one.recovered for one in flaky) if not told.ever else 0,
        errors_known=len(groups.groups) if not told.ever else 0,
    )


def passing_jobs(history: History) -> frozenset[str]:
    """The jobs, as ``workflow / job``, whose newest decided result on the default line is a success."""
    results = decided(run_results(attempts(history))).filter(pl.col("is_default_line").fill_null(value=False))
    newest = results.unique(JOB_KEY, keep="last", maintain_order=True).filter(pl.col("result") == PASSED)
    return frozenset(f"{workflow} / {job}" for workflow, job in newest.select(JOB_KEY).iter_rows())


def flakes_of(flaky: Flaky) -> list[Flake]:
    """The flaky jobs as far as they are told, with the page of the newest failure."""
    return [
        Flake(
            workflow=one.workflow,
            job=one.job,
            commits=one.commits,
            recovered=one.recovery is Recovery.RECOVERED,
            url=one.examples[0].failed.url if one.examples else None,
        )
        for one in flaky.jobs
    ]


def subject_of(streak: Streak) -> str:
    """What is broken: ``workflow / job``, or the workflow alone where it failed without jobs."""
    return streak.workflow if streak.job is None else f"{streak.workflow} / {streak.job}"


def name_of(flake: Flake) -> str:
    """The flaky job as ``workflow / job``."""
    return f"{flake.workflow} / {flake.job}"


def _is_confirmed(streak: Streak) -> bool:
    return max(streak.failed_runs, streak.failed_attempts) >= CONFIRMED_BY


def _breakage(
    told: Told, streaks: Streaks, broken: dict[str, Streak], passing: frozenset[str]
) -> tuple[list[Change], list[Notice]]:
    """What broke, what is fixed and what is gone; and the notices of what no longer holds."""
    known = told.subjects(BROKEN)
    moved = {f"{one.workflow} / {shard}": name for name, one in broken.items() for shard in one.moved_from}
    continued = {moved[name] for name in known if name in moved}
    over = {name: one for name, one in known.items() if name not in broken}
    fixed = {subject_of(one): one for one in streaks.fixed if one.is_default_line}
    gone = {subject_of(one): one for one in streaks.gone if one.is_default_line}
    items = [_broke(name, one) for name, one in broken.items() if name not in known and name not in continued]
    items += [_passes(name, fixed.get(name)) for name in over if name in (fixed.keys() | passing) - moved.keys()]
    items += [_went(name, gone[name]) for name in over if name in gone.keys() - moved.keys()]
    ended = [name for name in over if name in fixed.keys() | passing | gone.keys() | moved.keys()]
    return items, [_notice(streaks.repo, BROKEN, name, OFF, over[name].url) for name in ended]


def _broke(name: str, streak: Streak) -> Change:
    return Change(
        kind=ChangeKind.BROKEN,
        what=name,
        url=streak.last_bad.url,
        since=streak.first_bad.run_number,
        count=streak.failed_runs,
        where=(streak.line,) if streak.line else (),
        cause=next(iter(streak.causes), None),
    )


def _passes(name: str, streak: Streak | None) -> Change:
    end = None if streak is None else streak.ended_by
    return Change(
        kind=ChangeKind.FIXED,
        what=name,
        url=None if end is None else end.url,
        since=None if end is None else end.run_number,
    )


def _went(name: str, streak: Streak) -> Change:
    return Change(kind=ChangeKind.GONE, what=name, url=streak.last_bad.url, since=streak.last_bad.run_number)


def _new_errors(told: Told, groups: FailureGroups) -> list[Change]:
    known = told.subjects(FAILURE_GROUP)
    return [
        Change(
            kind=ChangeKind.ERROR,
            what=group.line_text or group.test or group.fingerprint,
            url=group.last.url,
            since=group.first.run_number,
            count=group.failures,
            where=group.jobs,
            cause=next(iter(group.causes), None),
        )
        for group in groups.new
        if group.fingerprint not in known
    ]


def _new_flakes(told: Told, flakes: Sequence[Flake]) -> list[Change]:
    known = told.subjects(FLAKY)
    return [
        Change(kind=ChangeKind.FLAKY, what=name_of(one), url=one.url, count=one.commits)
        for one in flakes
        if not one.recovered and name_of(one) not in known
    ]


def _notice(repo: str, kind: str, subject: str, state: str, url: str | None) -> Notice:
    return Notice(repo=repo, kind=kind, subject=subject, state=state, url=url)
