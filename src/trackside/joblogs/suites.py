"""The test files that the log of a job tells of: how each ended, after how many tries, how long it took.

Read are the suite runner of ``suite_runner`` and pytest (``pytest_sessions``); what pytest or unittest print within a
file of the suite runner belongs to that file, whose exit code counts. A job that runs one test file by
``python -m unittest`` is read by unittest's own result.
"""

from __future__ import annotations

from typing import Final

from trackside.joblogs import pytest_sessions, suite_runner, telling_lines, unittest_commands
from trackside.joblogs.cleaning import clean, redact
from trackside.joblogs.file_results import FileResult, Suite, merged
from trackside.joblogs.unittest_commands import UnittestCommands
from trackside.records.failures import FileOutcome, TestFile
from trackside.records.jobs import Job

VERSION: Final = "1"
"""Of the rules: what was read by another version is read anew."""
MOST_SUITES: Final = 1000

_SIGNS: Final = (*suite_runner.SIGNS, *pytest_sessions.SIGNS, *unittest_commands.SIGNS)
_WORDS: Final = tuple(dict.fromkeys((*suite_runner.WORDS, *pytest_sessions.WORDS, *unittest_commands.WORDS)))


def read_test_files(content: bytes, job: Job) -> tuple[TestFile, ...]:
    """The test files of a whole log, by suite in the order of the log. Whatever the log holds, nothing is raised.

    A file that began and of which no end is told is ``unknown``, as in a log that was cut off. ``attempts`` is that
    of the tries within this job; ``reason`` is what was said of a failure, also of one that a retry made good.
    """
    if not any(sign in content for sign in _SIGNS):
        return ()
    suites: list[Suite] = []
    runner = suite_runner.SuiteRunner(job.repo, suites)
    pytest = pytest_sessions.PytestSessions(job.repo, suites)
    commands = UnittestCommands(job.repo, suites)
    for raw in telling_lines.lines_with(content, _WORDS):
        line = clean(raw)
        if not runner.take(line) and not runner.running:
            pytest.take(line)
            commands.take(line)
    pytest.close()
    told = [suite for suite in suites if suite.files][:MOST_SUITES]
    return tuple(_row(one, job, number) for number, suite in enumerate(told) for one in merged(suite.files))


def _row(one: FileResult, job: Job, suite: int) -> TestFile:
    return TestFile(
        repo=job.repo,
        job_id=job.job_id,
        run_id=job.run_id,
        run_attempt=job.run_attempt,
        version=VERSION,
        file=one.file,
        suite=suite,
        outcome=one.outcome or FileOutcome.UNKNOWN,
        attempts=one.attempts,
        elapsed_s=one.elapsed_s,
        estimated_s=one.estimated_s,
        reason=None if one.reason is None else redact(one.reason),
    )
