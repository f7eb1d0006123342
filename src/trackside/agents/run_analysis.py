"""One run in depth: its logs read job by job, and what is known of it put beside what they tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

import msgspec

from trackside.agents.knowledge import Entry
from trackside.agents.run_records import JobAnalysis, JobText, KnownFailure, LogSummary, RunAnalysis, RunSummary
from trackside.agents.signatures import SIGNATURE_VERSION, failed_step_of, signature_of
from trackside.fixes.suggestions import suggest
from trackside.history.outcomes import FAILURES, STEP_FAILURES
from trackside.joblogs.cleaning import redact
from trackside.joblogs.diagnosis import diagnosis_of, weigh_log
from trackside.joblogs.fingerprints import masked
from trackside.records.agent_rules import AgentRules
from trackside.records.attribution import Attribution
from trackside.records.ci_rules import CiRules
from trackside.records.failures import Diagnosis
from trackside.records.jobs import Job
from trackside.records.runs import RunAttempt, Source
from trackside.runlogs.error_lines import error_lines
from trackside.runlogs.findings import ErrorLine, Trace, WarningGroup
from trackside.runlogs.lines import shown
from trackside.runlogs.metrics import CompiledPattern, compile_patterns
from trackside.runlogs.reading import JobReading, read_job
from trackside.runlogs.traces import with_main

EntryFor = Callable[[str | None, str], Entry | None]
"""The entry of the knowledge base for a fingerprint (None: no log tells it) and a signature; None where none is."""
_ENDED_BADLY: Final = (*FAILURES, "cancelled")
_MOST_GROUPS: Final = 20
T = TypeVar("T")


def nothing_known(_fingerprint: str | None, _signature: str) -> Entry | None:
    """Where there is no knowledge base."""
    return None


def analyse(
    run: RunAttempt | None,
    jobs: Iterable[JobText],
    rules: AgentRules,
    ci_rules: CiRules,
    *,
    attribution: Attribution | None = None,
    entry_for: EntryFor = nothing_known,
) -> RunAnalysis:
    """What the logs of ``jobs``, which are read one after the other, and what is known of ``run`` tell.

    Raises UsageError for a pattern of the settings that cannot be used.
    """
    patterns = compile_patterns(rules.metrics)
    told = [_of_job(run, one, patterns, ci_rules, entry_for) for one in jobs]
    readings = [reading for _, reading in told if reading is not None]
    left_out: Counter[str] = Counter()
    for reading in readings:
        left_out.update(reading.left_out)
    warnings = sorted(_all(readings, lambda one: one.warnings), key=lambda group: -group.count)
    left_out["warnings"] += sum(group.count for group in warnings[_MOST_GROUPS:])
    left_out["error lines"] = sum(job.errors_left_out for job, _ in told)
    return RunAnalysis(
        run=summary_of(run),
        attribution=attribution,
        jobs=tuple(job.analysis for job, _ in told),
        agents=_all(readings, lambda one: one.agents),
        metrics=_all(readings, lambda one: one.metrics),
        notices=_all(readings, lambda one: one.notices),
        tests=_all(readings, lambda one: one.tests),
        coverage=_all(readings, lambda one: one.coverage),
        warnings=tuple[WarningGroup, ...](warnings[:_MOST_GROUPS]),
        warnings_total=sum(one.warnings_total for one in readings),
        resources=_all(readings, lambda one: one.resources),
        git=_all(readings, lambda one: one.git),
        left_out={name: count for name, count in sorted(left_out.items()) if count},
    )


class _Told(msgspec.Struct, frozen=True):
    """A job, and how many of its error lines are not kept."""

    analysis: JobAnalysis
    errors_left_out: int = 0


def _all(readings: Sequence[JobReading], of: Callable[[JobReading], Sequence[T]]) -> tuple[T, ...]:
    return tuple(found for reading in readings for found in of(reading))


def summary_of(run: RunAttempt | None) -> RunSummary:
    """What is known of the run."""
    if run is None:
        return RunSummary()
    return RunSummary(
        repository=run.repo,
        run_id=run.run_id,
        run_attempt=run.run_attempt,
        run_number=run.run_number,
        workflow=run.workflow_name,
        workflow_file=run.workflow_file,
        title=None if run.display_title is None else shown(run.display_title),
        event=run.event,
        status=run.status,
        conclusion=run.conclusion,
        branch=run.head_branch,
        sha=run.head_sha,
        actor=run.triggering_actor or run.actor,
        created_at=run.created_at,
        started_at=run.run_started_at,
        duration_s=run.duration_s,
        pull_numbers=run.pull_numbers,
        url=run.html_url,
    )


def _of_job(
    run: RunAttempt | None,
    text: JobText,
    patterns: Sequence[CompiledPattern],
    ci_rules: CiRules,
    entry_for: EntryFor,
) -> tuple[_Told, JobReading | None]:
    facts = _facts(run, text)
    if text.content is None:
        return _Told(_with_knowledge(facts, entry_for)), None
    repo = run.repo if run is not None else None
    reading = read_job(text.content, text.job, facts.name, repo, patterns)
    summary = msgspec.structs.replace(facts.log, lines=reading.lines, size_bytes=len(text.content))
    is_failed = facts.is_failed if text.job is not None else reading.has_error
    facts = msgspec.structs.replace(facts, log=summary, is_failed=is_failed)
    if not is_failed:
        return _Told(msgspec.structs.replace(facts, traces=reading.traces)), reading
    return _diagnosed(facts, text, reading, ci_rules, entry_for), reading


def _diagnosed(facts: JobAnalysis, text: JobText, reading: JobReading, ci_rules: CiRules, entry_for: EntryFor) -> _Told:
    job = text.job or _only_named(text.name)
    log = weigh_log(text.content or b"", job, ci_rules.patterns)
    diagnosis = diagnosis_of(log, job)
    errors = error_lines(log, facts.name, reading.steps)
    traces = with_main(reading.traces, diagnosis.line_number, diagnosis.line)
    main = next((trace for trace in traces if trace.is_main), None)
    first = errors.first if main is None else _said_first(main, diagnosis)
    analysis = msgspec.structs.replace(
        facts,
        diagnosis=diagnosis,
        template=None if diagnosis.line is None else masked(diagnosis.line),
        fingerprint=diagnosis.fingerprint,
        failed_step=facts.failed_step or (None if text.job or first is None else first.step),
        first_error=first,
        errors=errors.found,
        traces=traces,
    )
    return _Told(_with_knowledge(analysis, entry_for), errors.left_out)


def _said_first(trace: Trace, diagnosis: Diagnosis) -> ErrorLine:
    """The line of the block in which the program first says what is wrong."""
    return ErrorLine(
        job=trace.job,
        step=trace.step,
        line_number=trace.first_message_number,
        line=trace.first_message,
        rule=diagnosis.rule or f"{trace.kind} trace",
        cause=diagnosis.cause.value,
    )


def _facts(run: RunAttempt | None, text: JobText) -> JobAnalysis:
    """What is known of the job without its log."""
    job = text.job
    log = LogSummary(state=text.state, note=text.note, is_truncated=text.is_truncated)
    if job is None:
        return JobAnalysis(name=redact(text.name), log=log)
    bad = job.conclusion in _ENDED_BADLY
    failed = [step.name for step in job.steps if step.conclusion in STEP_FAILURES]
    step = failed_step_of(job.steps) if bad else None
    workflow = (run.workflow_file or run.workflow_name) if run is not None else None
    signature = signature_of(workflow, job.name, step, job.conclusion or "") if bad and workflow else None
    return JobAnalysis(
        name=redact(job.name),
        job_id=job.job_id,
        url=job.html_url,
        status=job.status,
        conclusion=job.conclusion,
        duration_s=job.duration_s,
        is_failed=bad,
        failed_step=None if step is None else redact(step),
        failed_steps=tuple(redact(one) for one in failed),
        log=log,
        signature=signature,
        signature_version=SIGNATURE_VERSION if signature else None,
    )


def _with_knowledge(job: JobAnalysis, entry_for: EntryFor) -> JobAnalysis:
    """The job with what is known of its failure, and what the rules suggest."""
    if not job.is_failed:
        return job
    told = job.diagnosis
    suggestions = (
        ()
        if told is None
        else suggest(cause=told.cause.value, rule=told.rule, line=told.line, context=told.context, step=job.failed_step)
    )
    entry = entry_for(job.fingerprint, job.signature or "") if job.fingerprint or job.signature else None
    return msgspec.structs.replace(job, known=None if entry is None else _known(entry), suggestions=suggestions)


def _known(entry: Entry) -> KnownFailure:
    return KnownFailure(
        entry_id=entry.entry_id,
        state=entry.state,
        count=entry.count,
        runs=entry.runs_total,
        first_seen_at=entry.first_seen_at,
        last_seen_at=entry.last_seen_at,
        title=entry.title,
        note=entry.note,
        fix=entry.fix,
        link=entry.link,
    )


def _only_named(name: str) -> Job:
    """A job of which only the log is known, as the diagnosis asks for one."""
    return Job(repo="", job_id=0, run_id=0, run_attempt=1, source=Source.FILE, name=name)
