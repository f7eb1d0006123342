"""The verdict on each failing job of each branch line, with what led to it."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from trackside.ci.attempt_verdicts import IN_A_ROW, judge_attempt
from trackside.ci.clue_gathering import gather_clues
from trackside.ci.clues import Clues
from trackside.ci.failed_attempts import line_link
from trackside.ci.findings import Finding, Ground, Verdict
from trackside.ci.flake_evidence import Evidence, gather_evidence
from trackside.ci.runners import RunnerReport, judge_runners
from trackside.history.frames import History

TELLING_SHARE: Final = 1 / 2
"""This share of the attempts that are looked at must be explained,"""
AGREEING_SHARE: Final = 2 / 3
"""and this share of those must agree; else the verdict is unknown."""
_PRECEDENCE: Final = (Verdict.CODE, Verdict.FLAKY, Verdict.RUNNER, Verdict.INFRASTRUCTURE, Verdict.UNKNOWN)
_MOST_GROUNDS: Final = 3


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """A failed attempt as an example: ``url`` is the page of the job at its failed step."""

    at: dt.datetime | None
    job_id: int
    run_id: int
    run_number: int | None
    run_attempt: int
    sha: str | None
    runner_name: str | None
    url: str | None
    run_url: str | None
    cause: str | None
    test: str | None
    fingerprint: str | None
    line_text: str | None
    line_number: int | None


class JobVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on one job on one branch line.

    ``failures`` counts its failed attempts in the window, ``counts`` them by verdict. Where the job is broken now on
    the line (``broken_runs`` failed runs in a row, 2 or more) only the attempts of these are looked at; ``looked_at``
    counts them. ``evidence`` leads to the verdict, the newest attempt's sentences for each of at most three
    ``grounds``; ``missing`` says for unknown what would tell more. ``whose`` is the line whose code it is, for code;
    None stands for the default branch. ``newest`` and ``first`` are the attempts with the verdict, or of all.
    """

    workflow: str
    job: str
    family: str
    line: str | None
    is_default_line: bool
    pull_number: int | None
    verdict: Verdict
    grounds: tuple[Ground, ...]
    evidence: tuple[str, ...]
    missing: tuple[str, ...]
    whose: str | None
    failures: int
    looked_at: int
    broken_runs: int
    counts: dict[str, int]
    first: Failed
    newest: Failed


class JobSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One job over all lines: failed attempts by verdict, most frequent first, and the lines."""

    workflow: str
    job: str
    verdict: Verdict
    failures: int
    counts: dict[str, int]
    lines: tuple[JobVerdict, ...]


class Verdicts(msgspec.Struct, frozen=True, kw_only=True):
    """The failing jobs, those broken on the default line first, then the most failures first.

    ``counts`` counts the ``failures`` (failed attempts) by verdict, ``without_log`` those whose log was not read.
    ``attempts`` has the verdict of each failed attempt by the id of its job. ``gates`` (``workflow / job``) only say
    whether others passed: they are not judged, and not counted.
    """

    jobs: tuple[JobSummary, ...]
    failures: int
    without_log: int
    counts: dict[str, int]
    attempts: dict[int, Verdict]
    gates: tuple[str, ...]

    @property
    def lines(self) -> tuple[JobVerdict, ...]:
        """The verdicts of all jobs on all lines."""
        return tuple(one for job in self.jobs for one in job.lines)


class _Judged(msgspec.Struct, frozen=True):
    """An attempt and what it comes from."""

    clues: Clues
    finding: Finding


def judge_failures(
    history: History, *, evidence: Evidence | None = None, runners: RunnerReport | None = None
) -> Verdicts:
    """The verdicts on all failing jobs of a history, by the rules of ``attempt_verdicts``.

    ``evidence`` and ``runners`` are made of the history where they are not at hand.
    """
    runners = runners or judge_runners(history.whole)
    evidence = evidence or gather_evidence(history, runners=runners)
    gathered, gates = gather_clues(history, evidence, runners)
    judged = [_Judged(clues, judge_attempt(clues)) for clues in gathered]
    by_job: defaultdict[tuple[str, str], list[_Judged]] = defaultdict(list)
    for one in judged:
        by_job[one.clues.row["workflow"], one.clues.row["job"]].append(one)
    jobs = [_summary(members) for members in by_job.values()]
    return Verdicts(
        jobs=tuple(sorted(jobs, key=_order)),
        failures=len(judged),
        without_log=sum(not one.clues.has_log for one in judged),
        counts=_counts(judged),
        attempts={one.clues.row["job_id"]: one.finding.verdict for one in judged},
        gates=tuple(sorted(f"{workflow} / {job}" for workflow, job in gates)),
    )


def _order(job: JobSummary) -> tuple[object, ...]:
    broken = max((one.broken_runs for one in job.lines if one.is_default_line), default=0)
    return (-broken, -job.failures, job.workflow, job.job)


def _summary(members: Sequence[_Judged]) -> JobSummary:
    by_line: defaultdict[str | None, list[_Judged]] = defaultdict(list)
    for one in members:
        by_line[one.clues.row["line"]].append(one)
    lines = [_on_line(found) for found in by_line.values()]
    lines.sort(key=lambda one: (not one.is_default_line, -one.broken_runs, -one.failures, one.line or ""))
    counts = _counts(members)
    row = members[0].clues.row
    return JobSummary(
        workflow=row["workflow"],
        job=row["job"],
        verdict=_over_lines(lines, counts),
        failures=len(members),
        counts=counts,
        lines=tuple(lines),
    )


def _over_lines(lines: Sequence[JobVerdict], counts: dict[str, int]) -> Verdict:
    """The verdict where the default line is broken now, if there is one; else that of most explained attempts."""
    main = lines[0]
    if main.is_default_line and main.broken_runs >= IN_A_ROW and main.verdict is not Verdict.UNKNOWN:
        return main.verdict
    known = {Verdict(name): number for name, number in counts.items() if name != Verdict.UNKNOWN.value}
    if not known or sum(known.values()) < TELLING_SHARE * sum(counts.values()):
        return Verdict.UNKNOWN
    return max(known, key=lambda verdict: (known[verdict], -_PRECEDENCE.index(verdict)))


def _on_line(members: Sequence[_Judged]) -> JobVerdict:
    broken = _broken_now(members)
    looked_at = broken or members
    leader, against = _leader(looked_at)
    agreeing = [] if against else [one for one in looked_at if one.finding.verdict is leader]
    chosen = agreeing or list(looked_at)
    grounds = [ground for ground, _ in Counter(one.finding.ground for one in chosen).most_common(_MOST_GROUNDS)]
    newest = {ground: [one for one in chosen if one.finding.ground is ground][-1] for ground in grounds}
    row = members[-1].clues.row
    sentences = [sentence for one in newest.values() for sentence in one.finding.reasons]
    missing = [words for one in newest.values() for words in one.finding.missing]
    is_code = leader is Verdict.CODE
    return JobVerdict(
        workflow=row["workflow"],
        job=row["job"],
        family=row["family"],
        line=row["line"],
        is_default_line=bool(row["is_default_line"]),
        pull_number=row["pull_number"],
        verdict=leader,
        grounds=tuple(grounds),
        evidence=(*_tally(looked_at, leader, broken=bool(broken)), *dict.fromkeys(sentences)),
        missing=tuple(dict.fromkeys([*against, *missing])) if leader is Verdict.UNKNOWN else (),
        whose=chosen[-1].finding.whose if is_code else None,
        failures=len(members),
        looked_at=len(looked_at),
        broken_runs=len({one.clues.row["run_id"] for one in broken}),
        counts=_counts(members),
        first=_failed(chosen[0]),
        newest=_failed(chosen[-1]),
    )


def _broken_now(members: Sequence[_Judged]) -> list[_Judged]:
    """The attempts of the failed runs in a row that the line ends with; none where it ended well or there is one."""
    found = [one for one in members if one.clues.stretch is not None and one.clues.stretch.after is None]
    return found if len({one.clues.row["run_id"] for one in found}) >= IN_A_ROW else []


def _leader(looked_at: Sequence[_Judged]) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict of most explained attempts, or unknown and why they do not agree."""
    counts = Counter(one.finding.verdict for one in looked_at)
    known = {verdict: counts[verdict] for verdict in _PRECEDENCE[:-1] if counts[verdict]}
    total = sum(known.values())
    if total < TELLING_SHARE * len(looked_at) or not known:
        return Verdict.UNKNOWN, ()
    leader = max(known, key=lambda verdict: (known[verdict], -_PRECEDENCE.index(verdict)))
    if known[leader] < AGREEING_SHARE * total:
        parts = ", ".join(f"{number:,} {verdict.value}" for verdict, number in known.items())
        return Verdict.UNKNOWN, (f"the failed attempts contradict each other: {parts}",)
    return leader, ()


def _tally(looked_at: Sequence[_Judged], leader: Verdict, *, broken: bool) -> tuple[str, ...]:
    """How many attempts say so, where they are more than one."""
    if len(looked_at) == 1:
        return ()
    agreeing = sum(one.finding.verdict is leader for one in looked_at)
    which = "of the runs in a row that fail now" if broken else "in the window"
    return (f"{agreeing:,} of {len(looked_at):,} failed attempts {which}: {leader.value}.",)


def _counts(judged: Iterable[_Judged]) -> dict[str, int]:
    return {verdict.value: number for verdict, number in Counter(one.finding.verdict for one in judged).most_common()}


def _failed(one: _Judged) -> Failed:
    row = one.clues.row
    told = ("job_id", "run_id", "run_number", "run_attempt", "sha", "runner_name", "run_url", "cause", "test",
            "fingerprint", "line_text", "line_number")  # fmt: skip
    url = line_link(row["url"], row["failed_step_number"])
    return Failed(at=row["at"], url=url, **{name: row[name] for name in told})
