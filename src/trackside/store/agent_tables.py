"""The tables of agent operations: failures and what is known of them, and alerts."""

from __future__ import annotations

from typing import Final

import polars as pl

from trackside.store.columns import JOB, REPO, RUN, TEXTS, TIME, Column, Table

OCCURRENCES: Final = Table(
    "occurrences",
    1,
    "a failed attempt of a job, with its signature; it outlives the job",
    key=("repo", "job_id"),
    order=("repo", "run_id", "run_attempt", "job_id"),
    about="failed_at",
    columns=(
        REPO,
        JOB,
        *RUN,
        Column("version", pl.String, "", "version of how signatures are made; other rows are made anew"),
        Column("signature", pl.String, "", "equal for failures of the same workflow, job, failed step and conclusion"),
        Column("workflow", pl.String, "", "file of the workflow, else its name"),
        Column("job", pl.String, "", "name of the job without the indices of its matrix"),
        Column("step", pl.String, "", "the first step that failed; null where none did"),
        Column("conclusion", pl.String, "", "how the job ended: failure, timed_out, …"),
        Column("failed_at", TIME, "", "when the job was over"),
        Column("choice", pl.String, "", "what was decided of its log: read, known, deferred, gone, not_asked"),
        Column("cause", pl.String, "", "timeout, gpu_memory, test, build, …; null where no log tells it"),
        Column("rule", pl.String, "", "name of the rule that recognised the line"),
        Column("fingerprint", pl.String, "", "equal for equal errors; of the log that stands for it where known"),
        Column("template", pl.String, "", "the line that matters, without what differs from run to run"),
        Column("line", pl.String, "", "the line that matters, cleaned"),
        Column("agent", pl.String, "", "the agent of the run; null where nothing tells one"),
        Column("url", pl.String, "", "page of the job on GitHub"),
        Column("branch", pl.String, "", "branch of the head commit"),
        Column("asked_at", TIME, "", "when its log was asked for last; null where it never was"),
        Column("log_bytes", pl.Int64, "bytes", "how long its log is, as far as it was kept"),
    ),
)

KNOWLEDGE: Final = Table(
    "knowledge",
    1,
    "what people said of an error",
    key=("repo", "entry_id"),
    order=("repo", "entry_id"),
    about="edited_at",
    columns=(
        REPO,
        Column("entry_id", pl.String, "", "the fingerprint, the signature where no log tells it, or of both"),
        Column("edited_at", TIME, "", "when it was said"),
        Column("state", pl.String, "", "open, muted or resolved"),
        Column("resolved_at", TIME, "", "when it was said to be mended"),
        Column("title", pl.String, "", "what people call it"),
        Column("note", pl.String, "", "what people note of it"),
        Column("fix", pl.String, "", "what people say should be done"),
        Column("link", pl.String, "", "where more is said"),
        Column("merged_into", pl.String, "", "the entry that it was joined to"),
        Column("splits", TEXTS, "", "signatures that are entries of their own"),
    ),
)

ALERTS: Final = Table(
    "alerts",
    1,
    "an alert on the collection itself, as it stood last",
    key=("repo", "kind"),
    order=("repo", "kind"),
    about="checked_at",
    columns=(
        REPO,
        Column("kind", pl.String, "", "rate_limit, sync_failures, sync_duration, file_size or stale_data"),
        Column("state", pl.String, "", "on, off, recovered or unknown"),
        Column("text", pl.String, "", "the sentence to read"),
        Column("value", pl.Float64, "unit", "what was measured"),
        Column("threshold", pl.Float64, "unit", "from where on it is alarming"),
        Column("unit", pl.String, "", "calls, syncs, s, bytes or h"),
        Column("is_warning", pl.Boolean, "", "it is near to going on"),
        Column("since", TIME, "", "when it went on"),
        Column("recovered_at", TIME, "", "when it went off again"),
        Column("checked_at", TIME, "", "when it was looked at"),
        Column("issue", pl.Int64, "", "the issue that tells of it"),
    ),
)
