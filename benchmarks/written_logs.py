"""Logs whose cause is known: excerpts as tools print them, set into the log of a whole job.

``failure_logs/develop.txt`` and ``frozen.txt`` hold the excerpts. Each begins with ``=== name | cause | test`` (``-``
where no test is to be found) and, where the step did not end with exit code 1, ``| exit=N`` or ``| bare`` (the runner
ended it). ``>> `` marks the line that tells most. The frozen half was written before the rules, and no rule was
changed because of it.
"""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import NamedTuple

from trackside.records.failures import Cause
from trackside.records.jobs import Job, Step
from trackside.records.runs import Source

FOLDER = Path(__file__).parent / "failure_logs"
MARK = ">> "
START = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)


class Excerpt(NamedTuple):
    """What a tool printed, and the truth of it. ``exit_code`` is None where the runner ended the step."""

    name: str
    cause: Cause
    test: str | None
    exit_code: int | None
    lines: tuple[str, ...]
    marked: int


class WrittenLog(NamedTuple):
    """A log, the number of the line that tells most, and the job it is of."""

    content: bytes
    line_number: int
    job: Job


def excerpts(half: str) -> list[Excerpt]:
    """The excerpts of ``develop`` or ``frozen``."""
    found = []
    for part in (FOLDER / f"{half}.txt").read_text(encoding="utf-8").split("=== ")[1:]:
        # A divider of a tool is not the beginning of an excerpt: that has its cause in the second place.
        found.append(part) if _is_head(part) else found.append(found.pop() + "=== " + part)
    return [_excerpt(part) for part in found]


def _is_head(part: str) -> bool:
    fields = part.split("\n", 1)[0].split(" | ")
    return len(fields) >= 3 and fields[1] in set(Cause)


def _excerpt(part: str) -> Excerpt:
    head, _, body = part.partition("\n")
    name, cause, test, *rest = head.split(" | ")
    lines = body.removesuffix("\n").splitlines()
    marked = next(at for at, line in enumerate(lines) if line.startswith(MARK))
    lines[marked] = lines[marked].removeprefix(MARK)
    exit_code = 1
    for word in rest:
        exit_code = int(word[5:]) if word.startswith("exit=") else exit_code
    return Excerpt(
        name, Cause(cause), None if test == "-" else test, None if "bare" in rest else exit_code, tuple(lines), marked
    )


def written_log(excerpt: Excerpt, seed: int = 0, *, steps: bool = False) -> WrittenLog:
    """The excerpt within the log of a job: a set-up before, steps that clean up after it, noise of the seed."""
    rng = random.Random(f"{excerpt.name} {seed}")
    before = [*SETUP, *_noise(rng)]
    exits = [f"##[error]Process completed with exit code {excerpt.exit_code}."]
    already = excerpt.lines[-1].startswith("##[error]Process completed")
    after = [] if excerpt.exit_code is None or already else exits
    lines = [*before, *excerpt.lines, *after, *CLEANUP]
    clock = START + dt.timedelta(days=rng.randrange(60), microseconds=rng.randrange(10**6))
    stamped, times = [], []
    for line in lines:
        clock += dt.timedelta(microseconds=rng.randrange(1, 900_000))
        times.append(clock)
        stamped.append(f"{clock:%Y-%m-%dT%H:%M:%S.%f}{rng.randrange(10)}Z {_varied(line, rng)}")
    at = len(before)
    job = _job(times, at, at + len(excerpt.lines) + len(after), steps=steps)
    return WrittenLog(("\ufeff" + "\n".join(stamped) + "\n").encode(), at + excerpt.marked + 1, job)


def _varied(line: str, rng: random.Random) -> str:
    """The line as another run on another machine would say it."""
    return line.replace("NOISE_ID", f"{rng.randrange(16**10):010x}").replace("NOISE_N", str(rng.randrange(10**6)))


def _noise(rng: random.Random) -> list[str]:
    return rng.sample(NOISE, rng.randrange(4, len(NOISE)))


def _job(times: list[dt.datetime], start: int, end: int, *, steps: bool) -> Job:
    def step(number: int, name: str, conclusion: str, first: int, last: int) -> Step:
        began, ended = times[first].replace(microsecond=0), times[last].replace(microsecond=0)
        return Step(number=number, name=name, conclusion=conclusion, started_at=began, completed_at=ended)

    told = (
        step(1, "Set up job", "success", 0, 9),
        step(2, "Run tests", "failure", 10, end - 1),
        step(9, "Post Checkout", "success", end, len(times) - 1),
    )
    return Job(
        repo="o/r",
        job_id=1,
        run_id=1,
        run_attempt=1,
        source=Source.REST,
        name="test",
        conclusion="failure",
        steps=told if steps else (),
    )


SETUP = """\
Current runner version: '2.336.0'
Runner name: 'gpu-NOISE_N'
Machine name: 'host-NOISE_ID'
##[group]GITHUB_TOKEN Permissions
Contents: read
##[endgroup]
Prepare all required actions
Getting action download info
Download action repository 'actions/checkout@v4' (SHA:NOISE_ID)
Complete job name: test (1)
##[group]Run set -e
\x1b[36;1mset -e\x1b[0m
\x1b[36;1m./prepare.sh || { echo "ERROR: preparation failed"; exit 1; }\x1b[0m
\x1b[36;1mpython3 -m pytest tests -x || echo "FAILED tests/test_x.py::test_y - AssertionError"\x1b[0m
shell: /usr/bin/bash -e {0}
env:
  ON_FAILURE: fatal error
  HF_TOKEN: ***
##[endgroup]""".splitlines()

NOISE = """\
+ ./prepare.sh
+ echo 'ERROR: this is only an echo of a command that failed'
##[warning]Failed to restore cache: the service is not available. Error: read ECONNRESET
WARNING: Retrying (Retry(total=4)) after connection broken by 'ConnectTimeoutError': /simple/numpy/
/opt/venv/lib/python3.12/site-packages/a/b.py:NOISE_N: UserWarning: Error in loading the config, falling back
2026-03-02 08:00:01 INFO error_handler registered for 500 errors
DEBUG errors=0 failed=0 retries=NOISE_N
compilation finished with 0 errors and 3 warnings
Downloading error_codes-1.2.NOISE_N-py3-none-any.whl (12 kB)
tests/test_errors.py::test_error_is_raised PASSED                        [ 3%]
tests/test_fatal.py::test_fatal_exception PASSED                         [ 4%]
[2026-03-02 08:00:02] server_args=ServerArgs(model_path='m', port=NOISE_N, log_level='error')
Cache errors                          0
Requirement already satisfied: exceptiongroup in ./lib (1.3.0)
[W302 08:00:05.NOISE_N ProcessGroupNCCL.cpp:1496] Warning: destroy_process_group() was not called
warning: unused variable: `error`
INFO: 127.0.0.1:NOISE_N - "GET /health HTTP/1.1" 503 Service Unavailable""".splitlines()

CLEANUP = """\
##[group]Run ./upload_metrics.sh || true
\x1b[36;1m./upload_metrics.sh || true\x1b[0m
shell: /usr/bin/bash -e {0}
##[endgroup]
Failed to upload metrics: Unable to locate credentials
WARNING: upload skipped after error 403
Post job cleanup.
[command]/usr/bin/git version
git version 2.54.0
[command]/usr/bin/git config --local --unset-all http.https://github.com/.extraheader
fatal: No such section!
Cleaning up orphan processes
Terminate orphan process: pid (NOISE_N) (python3)""".splitlines()
