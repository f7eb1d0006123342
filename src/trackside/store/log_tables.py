"""The tables of logs, of what they told, and of what was reported of it."""

from __future__ import annotations

from typing import Final

import polars as pl

from trackside.store.columns import JOB, REPO, RUN, TEXTS, TIME, Column, Table

_VERSION: Final = Column("version", pl.String, "", "version of the rules that read the log; other rows are made anew")

JOB_LOGS: Final = Table(
    "job_logs",
    1,
    "the log of a job, or why there is none",
    key=("repo", "job_id"),
    order=("repo", "run_id", "run_attempt", "job_id"),
    about="observed_at",
    columns=(
        REPO,
        JOB,
        *RUN,
        Column("state", pl.String, "", "ready, not_yet, never, expired or unreadable"),
        Column("size_bytes", pl.Int64, "bytes", "what was kept, before compression"),
        Column("truncated", pl.Boolean, "", "it was longer than is kept: its middle was left out"),
        Column("content", pl.Binary, "", "the log as it came, compressed with Zstandard; null where there is none"),
        Column("note", pl.String, "", "why it could not be read"),
    ),
    part=200,
)

FAILURES: Final = Table(
    "failures",
    1,
    "why an attempt of a job failed",
    key=("repo", "job_id"),
    order=("repo", "run_id", "run_attempt", "job_id"),
    about="observed_at",
    columns=(
        REPO,
        JOB,
        *RUN,
        _VERSION,
        Column("cause", pl.String, "", "timeout, gpu_memory, test, build, …: see docs/ci.md"),
        Column("source", pl.String, "", "log, or steps: guessed from names as there is no log"),
        Column("rule", pl.String, "", "name of the rule that recognised the line"),
        Column("line", pl.String, "", "the line that matters, cleaned"),
        Column("line_number", pl.Int64, "", "its number in the log, from 1"),
        Column("context", TEXTS, "", "some lines around it"),
        Column("test", pl.String, "", "test file or test that failed first"),
        Column("tests", TEXTS, "", "all that were found, at most 20"),
        Column("fingerprint", pl.String, "", "equal for equal errors"),
        Column("step", pl.String, "", "the first step that failed"),
        Column("step_number", pl.Int64, "", "its number"),
        Column("log_lines", pl.Int64, "lines", "length of the log"),
        Column("truncated", pl.Boolean, "", "the log was longer than was kept: its middle was not read"),
    ),
)

TEST_FILES: Final = Table(
    "test_files",
    1,
    "one test file in the log of a job",
    key=("repo", "job_id", "file", "suite"),
    order=("repo", "run_id", "run_attempt", "job_id", "suite", "file"),
    about="observed_at",
    columns=(
        REPO,
        JOB,
        *RUN,
        _VERSION,
        Column("file", pl.String, "", "path of the test file, as far as it is the same on every machine"),
        Column("suite", pl.Int64, "", "number of the suite in the log, from 0"),
        Column("outcome", pl.String, "", "passed, failed, timed_out or unknown"),
        Column("attempts", pl.Int64, "tries", "tries within the job, 1 without a retry"),
        Column("elapsed_s", pl.Float64, "s", "time of the last try"),
        Column("estimated_s", pl.Float64, "s", "what the suite expected"),
        Column("reason", pl.String, "", "why it failed, as the suite says"),
    ),
)

LOGS_READ: Final = Table(
    "logs_read",
    1,
    "the marker that a log was read for test files",
    key=("repo", "job_id"),
    order=("repo", "run_id", "run_attempt", "job_id"),
    about="observed_at",
    columns=(
        REPO,
        JOB,
        *RUN,
        _VERSION,
        Column("test_files", pl.Int64, "files", "how many it told of"),
    ),
)

REPORTED: Final = Table(
    "reported",
    1,
    "when a report was made last",
    key=("repo", "kind"),
    order=("repo", "kind"),
    about="reported_at",
    columns=(
        REPO,
        Column("kind", pl.String, "", "which report"),
        Column("reported_at", TIME, "", "when it was made"),
    ),
)

NOTICES: Final = Table(
    "notices",
    1,
    "what was told last of a subject",
    key=("repo", "kind", "subject"),
    order=("repo", "kind", "subject"),
    about="observed_at",
    columns=(
        REPO,
        Column("kind", pl.String, "", "broken, flaky or failure_group"),
        Column("subject", pl.String, "", "the job or group"),
        Column("state", pl.String, "", "on or off"),
        Column("detail", pl.String, "", "what was said"),
        Column("url", pl.String, "", "page on GitHub"),
    ),
)
