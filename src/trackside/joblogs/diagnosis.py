"""Why a job failed, told from its log: the line that says it best, what kind of thing went wrong, in which test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from trackside.joblogs.candidates import HEADERS, Candidate, find_candidates, reason_below
from trackside.joblogs.choice import Weighed, most_telling, weigh
from trackside.joblogs.cleaning import redact
from trackside.joblogs.failed_tests import failed_tests
from trackside.joblogs.fingerprints import FINGERPRINT_VERSION, fingerprint
from trackside.joblogs.places import Places
from trackside.joblogs.raw_lines import RawLines
from trackside.joblogs.rules import compile_rules
from trackside.records.ci_rules import PatternRule
from trackside.records.failures import Cause, Diagnosis
from trackside.records.jobs import Job

VERSION: Final = f"3.{FINGERPRINT_VERSION}"
"""Of the rules and of the fingerprints; what was told by another version is told anew."""

MAX_LINE: Final = 500
_BEFORE, _AFTER = 4, 8
_MAX_CONTEXT_LINE: Final = 300
_LONGEST_JOB_S: Final = 6 * 3600


class WeighedLog(NamedTuple):
    """A log as lines, and those of them that may tell why its job failed, in its order, with what they weigh."""

    lines: RawLines
    weighed: list[Weighed]


def diagnose(content: bytes, job: Job, own: Sequence[PatternRule] = ()) -> Diagnosis:
    """Why the job failed. ``content`` is its whole log; nothing in it makes this fail.

    Raises:
        UsageError: one of the repository's ``own`` patterns is no regular expression.
    """
    return diagnosis_of(weigh_log(content, job, own), job)


def weigh_log(content: bytes, job: Job, own: Sequence[PatternRule] = ()) -> WeighedLog:
    """What ``diagnose`` chooses from, for who wants more than the one line. Raises as it does."""
    lines = RawLines(content)
    places = Places(lines, job)
    return WeighedLog(lines, weigh(lines, places, find_candidates(lines, places, compile_rules(own))))


def diagnosis_of(log: WeighedLog, job: Job) -> Diagnosis:
    """Why the job failed that the log is of."""
    lines, weighed = log
    chosen = most_telling(weighed)
    if chosen is None:
        return Diagnosis(cause=_cause_without_line(job))
    tests = tuple(redact(test)[:MAX_LINE] for test in failed_tests(weighed, job.repo))
    cause = _cause(chosen, job)
    line = redact(chosen.line.text.strip())[:MAX_LINE]
    return Diagnosis(
        cause=cause,
        rule=chosen.rule.name,
        line=line,
        line_number=lines.number(chosen.line.start),
        context=_context(lines, chosen),
        test=tests[0] if tests else None,
        tests=tests,
        fingerprint=fingerprint(cause, redact(_reason(lines, chosen)), tests[0] if tests else None),
    )


def _cause(chosen: Candidate, job: Job) -> Cause:
    """A job that was cancelled for its time is a timeout, though its log says only that it was cancelled."""
    if chosen.cause is Cause.CANCELLED and chosen.rule.name != "superseded":
        return _cause_without_line(job, chosen.cause)
    return chosen.cause


def _cause_without_line(job: Job, otherwise: Cause = Cause.OTHER) -> Cause:
    timed_out = job.conclusion == "timed_out" or any(step.conclusion == "timed_out" for step in job.steps)
    # GitHub's own limit, to the minute.
    at_limit = job.duration_s is not None and abs(job.duration_s - _LONGEST_JOB_S) <= 90
    return Cause.TIMEOUT if timed_out or at_limit else otherwise


def _context(lines: RawLines, chosen: Candidate) -> tuple[str, ...]:
    before = reversed(lines.before(chosen.line.start, _BEFORE))
    around = (*before, chosen.line, *lines.after(chosen.line.end, _AFTER))
    return tuple(redact(line.text)[:_MAX_CONTEXT_LINE] for line in around)


def _reason(lines: RawLines, chosen: Candidate) -> str:
    """What the fingerprint is made of: the message, and below the heading of a failed test what it failed with."""
    reason = reason_below(lines, chosen.line) if chosen.rule.name in HEADERS else None
    return f"{chosen.message}\n{reason}" if reason else chosen.message
