"""The log of a job as GitHub writes it: a stamp with seven digits on each line, ANSI colours, groups, marks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from tests.fake_github.things import Job

BOM = b"\xef\xbb\xbf"


def stamped(lines: Iterable[str], first: dt.datetime, step_s: float = 0.25) -> str:
    """Lines with stamps that go on by ``step_s``; a line that begins with ``\\t`` is wrapped output and has none."""
    written, moment = [], first
    for index, line in enumerate(lines):
        if line.startswith("\t"):
            written.append(line)
            continue
        moment += dt.timedelta(seconds=step_s)
        text = moment.strftime("%Y-%m-%dT%H:%M:%S")
        written.append(f"{text}.{moment.microsecond:06}{index % 10}Z {line}")
    return "\n".join(written) + "\n"


def usual_log(job: Job) -> str:
    """What a job without a text of its own prints: its steps, and how it ended."""
    lines = ["Current runner version: '2.325.0'", "##[group]Operating System", "Ubuntu", "24.04.2", "##[endgroup]"]
    for step in job.steps:
        lines += [f"##[group]Run {step.name}", f"\x1b[36;1m{step.name}\x1b[0m", "shell: /usr/bin/bash -e {0}"]
        lines += ["##[endgroup]", f"{step.name} done"]
    lines += ENDINGS.get(job.conclusion or "", [])
    return stamped([*lines, "Cleaning up orphan processes"], job.started_at or job.created_at)


ENDINGS = {
    "failure": ["##[error]Process completed with exit code 1."],
    "cancelled": ["##[error]The operation was canceled."],
    "timed_out": ["##[error]The action 'Run tests' has timed out after 360 minutes."],
}


def log_pieces(job: Job, *, bom: bool = True) -> Iterable[bytes]:
    """The log in pieces. With a mark of byte order at the start, as some of GitHub's logs have."""
    if callable(job.log):
        return job.log()
    text = usual_log(job) if job.log is None else job.log
    body = text.encode() if isinstance(text, str) else text
    return [BOM + body if bom and isinstance(text, str) and job.id % 20 == 0 else body]
