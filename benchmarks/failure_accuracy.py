"""How often the rules find the line that tells why a job failed, and its cause.

``python benchmarks/failure_accuracy.py`` writes the section "Why jobs fail" of docs/accuracy.md; ``--misses`` prints
what was not found in the half that the rules were developed on and in the real logs.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.accuracy_page import write_section  # noqa: E402
from benchmarks.written_logs import Excerpt, excerpts, written_log  # noqa: E402
from trackside.joblogs.diagnosis import diagnose  # noqa: E402
from trackside.joblogs.rules import RULES  # noqa: E402
from trackside.records.failures import Cause, Diagnosis  # noqa: E402
from trackside.records.jobs import Job  # noqa: E402
from trackside.records.runs import Source  # noqa: E402

REAL = Path(os.environ.get("TRACKSIDE_REAL_DATA", ROOT.parent / "shared" / "data")) / "ci-logs" / "classified"
MATCH, SOURCE = "#=MATCH=# ", "#=SOURCE=# "
BOILERPLATE = 20


class RealLog(NamedTuple):
    """A log whose telling line is marked; the marks are taken out."""

    name: str
    content: bytes
    line_number: int
    text: str


class Outcome(NamedTuple):
    """What was told of one log, and the truth."""

    name: str
    told: Diagnosis
    line_number: int
    exact: bool
    near: bool
    cause: Cause | None


def real_logs() -> list[RealLog]:
    """The marked logs, without their marks; none where they are not there."""
    return [_real_log(path) for path in sorted(REAL.glob("*.txt"))]


def _real_log(path: Path) -> RealLog:
    lines = path.read_bytes().decode("utf-8").split("\n")
    lines = [line for line in lines if not line.startswith(SOURCE)]
    at = next(number for number, line in enumerate(lines) if line.startswith(MATCH))
    lines[at] = lines[at].removeprefix(MATCH).replace("‹", "").replace("›", "")
    return RealLog(path.stem, "\n".join(lines).encode(), at + 1, lines[at])


def real_outcomes() -> list[Outcome]:
    """What is told of the marked logs."""
    outcomes = []
    for log in real_logs():
        told = diagnose(log.content, _real_job())
        near = told.line is not None and abs((told.line_number or 0) - log.line_number) <= 3
        same = told.line is not None and told.line[:200] in log.text
        exact = told.line_number == log.line_number
        outcomes.append(Outcome(log.name, told, log.line_number, exact, near or same, None))
    return outcomes


def _real_job() -> Job:
    return Job(
        repo="pytorch/pytorch", job_id=1, run_id=1, run_attempt=1, source=Source.REST, name="j", conclusion="failure"
    )


def written_outcomes(half: str, *, steps: bool = False) -> list[Outcome]:
    """What is told of the written logs of a half."""
    outcomes = []
    for excerpt in excerpts(half):
        log = written_log(excerpt, steps=steps)
        told = diagnose(log.content, log.job)
        near = abs((told.line_number or 0) - log.line_number) <= 3
        outcomes.append(
            Outcome(excerpt.name, told, log.line_number, told.line_number == log.line_number, near, excerpt.cause)
        )
    return outcomes


def tests_found(half: str) -> tuple[int, int]:
    """Of how many excerpts with a test it was named, and how many have one."""
    known = [excerpt for excerpt in excerpts(half) if excerpt.test]
    return sum(_names_test(excerpt) for excerpt in known), len(known)


def _names_test(excerpt: Excerpt) -> bool:
    log = written_log(excerpt)
    return excerpt.test == diagnose(log.content, log.job).test


def stable_fingerprints(runs: int = 10) -> tuple[int, int, int]:
    """Excerpts, those with one fingerprint over all runs, and different fingerprints among all excerpts."""
    known = [*excerpts("develop"), *excerpts("frozen")]
    sets = []
    for excerpt in known:
        logs = [written_log(excerpt, seed, steps=bool(seed % 2)) for seed in range(runs)]
        sets.append({diagnose(log.content, log.job).fingerprint for log in logs})
    return len(known), sum(len(each) == 1 for each in sets), len({next(iter(each)) for each in sets})


def is_catch_all(told: Diagnosis) -> bool:
    """Whether nothing was told but that something failed: no line, or boilerplate of no known cause."""
    strengths = {rule.name: rule.strength for rule in RULES}
    return told.rule is None or (told.cause is Cause.OTHER and strengths.get(told.rule, 99) < BOILERPLATE)


def share(count: int, total: int) -> str:
    """A share with its counts."""
    return f"{count} of {total} ({count / total:.1%})" if total else "–"


def section() -> str:
    """The section as Markdown."""
    halves = {half: written_outcomes(half) for half in ("develop", "frozen")}
    with_steps = {half: written_outcomes(half, steps=True) for half in halves}
    rows = []
    real = real_outcomes()
    if real:
        rows.append(_row("real, marked", real))
    rows += [_row(f"written, {half} half", outcomes) for half, outcomes in halves.items()]
    rows += [_row(f"written, {half} half, times of steps known", outcomes) for half, outcomes in with_steps.items()]
    known, stable, different = stable_fingerprints()
    tests = " ".join(f"{share(*tests_found(half))} in the {half} half." for half in halves)
    return TEMPLATE.format(
        rows="\n".join(rows),
        tests=tests,
        confusion=_confusion([*halves["develop"], *halves["frozen"]]),
        known=known,
        stable=stable,
        different=different,
        rules=len(RULES),
    )


def _row(name: str, outcomes: list[Outcome]) -> str:
    judged = [each for each in outcomes if each.cause is not None]
    total = len(outcomes)
    return " | ".join(
        (
            f"| {name}",
            str(total),
            share(sum(each.exact for each in outcomes), total),
            share(sum(each.exact or each.near for each in outcomes), total),
            share(sum(each.cause == each.told.cause for each in judged), len(judged)),
            f"{share(sum(is_catch_all(each.told) for each in outcomes), total)} |",
        )
    )


def _confusion(outcomes: list[Outcome]) -> str:
    lines = []
    for cause in Cause:
        told = Counter(each.told.cause.value for each in outcomes if each.cause is cause)
        if told:
            others = ", ".join(f"{name} {count}" for name, count in sorted(told.items()) if name != cause.value)
            lines.append(f"| {cause.value} | {sum(told.values())} | {told[cause.value]} | {others or '–'} |")
    return "\n".join(lines)


TEMPLATE = """\
## Why jobs fail

Made by `python benchmarks/failure_accuracy.py`. {rules} rules look for the line of a failed job's log that tells most.
*Line found* means that exactly this line was told; *near* that it is at most three lines away or says the same.
*Catch-all* is a log of which nothing is told but that something failed.

| logs | count | line found | found or near | cause right | catch-all |
|---|---|---|---|---|---|
{rows}

The real logs are excerpts of other projects' jobs in which the line that matters is marked; the rules were developed
with them at hand, and the marks bear no cause. Where a line differs from the mark, `--misses` shows both. The written
logs are excerpts as tools print them, set between set-up, noise and clean-up steps; the frozen half was written before
the rules and no rule was changed because of it. Both halves are by one author, so a stranger's logs will do worse.

Failed tests named as they should be: {tests}

| cause | logs | told right | told instead |
|---|---|---|---|
{confusion}

Fingerprints: {stable} of {known} written logs have one fingerprint over ten runs with other machines, times, ids and
noise; the {known} logs have {different} different ones.
"""


def misses(outcomes: list[Outcome]) -> str:
    """What was not found, for who works on the rules."""
    lines = []
    for each in outcomes:
        if not each.exact or (each.cause and each.cause is not each.told.cause):
            truth = f"line {each.line_number} {each.cause or ''}"
            lines.append(f"{each.name}: {truth}; told {each.told.line_number} {each.told.cause} {each.told.rule}")
            lines.append(f"    {each.told.line}")
    return "\n".join(lines)


def main() -> None:
    """Measures and writes the section into the page, or prints what was missed."""
    if "--misses" in sys.argv:
        print(misses([*real_outcomes(), *written_outcomes("develop"), *written_outcomes("develop", steps=True)]))
        return
    write_section(section())


if __name__ == "__main__":
    main()
