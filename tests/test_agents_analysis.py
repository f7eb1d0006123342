"""One run in depth: what is put beside what its logs tell, and how it fits into a comment."""

from __future__ import annotations

import datetime as dt
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.agent_logs import CLAUDE_EVENTS, json_lines
from trackside.agents.knowledge import Entry
from trackside.agents.run_analysis import analyse
from trackside.agents.run_records import JobText, RunAnalysis
from trackside.agents.signatures import signature_of
from trackside.errors import UsageError
from trackside.github.run_links import RunReference, page_hosts, read_reference
from trackside.records.agent_rules import AgentRules, MetricPattern
from trackside.records.attribution import Attribution, Role, Signal, SignalKind
from trackside.records.ci_rules import CiRules
from trackside.records.failures import Cause
from trackside.records.job_logs import LogState
from trackside.records.jobs import Job, Step
from trackside.records.knowledge import EntryState
from trackside.records.runs import RunAttempt, Source
from trackside.report.agents_analysis_document import analysis_json
from trackside.report.agents_analysis_report import SECTIONS, analysis_markdown, fitted_analysis
from trackside.report.agents_analysis_words import amount, duration, without_marks
from trackside.report.markdown_fit import code_block, fit

AT = dt.datetime(2026, 6, 1, 10, 0, tzinfo=dt.UTC)
LOG = "\n".join(
    [
        "##[group]Run pytest",
        "##[endgroup]",
        "METRIC coverage=81.5",
        "Traceback (most recent call last):",
        '  File "/src/a.py", line 3, in <module>',
        "ModuleNotFoundError: No module named 'yaml'",
        "##[error]Process completed with exit code 1.",
    ]
).encode()
RUN = RunAttempt(
    repo="octo/engine", run_id=7, run_attempt=1, source=Source.REST, run_number=3, workflow_name="Agent missions",
    workflow_file=".github/workflows/missions.yml", display_title="Run @octo", event="push", status="completed",
    conclusion="failure", created_at=AT, run_started_at=AT, duration_s=75.0, head_branch="main", head_sha="a" * 40,
    html_url="https://github.com/octo/engine/actions/runs/7",
)  # fmt: skip


def a_job(job_id: int = 1, name: str = "unit (3)", conclusion: str = "failure", step: str = "Run pytest") -> Job:
    steps = (Step(number=1, name=step, conclusion=conclusion),)
    return Job(
        repo=RUN.repo, job_id=job_id, run_id=7, run_attempt=1, source=Source.REST, name=name, conclusion=conclusion,
        status="completed", steps=steps,
    )  # fmt: skip


def a_text(job: Job | None = None, content: bytes | None = LOG) -> JobText:
    return JobText(name="unit", job=job or a_job(), content=content)


def analysed(*texts: JobText, **told: object) -> RunAnalysis:
    return analyse(RUN, texts or (a_text(),), AgentRules(), CiRules(), **told)  # type: ignore[arg-type]


def test_a_failed_job_has_its_diagnosis_signature_and_fix() -> None:
    (job,) = analysed().jobs
    assert job.diagnosis is not None
    assert (job.diagnosis.cause, job.failed_step) == (Cause.DEPENDENCY, "Run pytest")
    assert job.fingerprint == job.diagnosis.fingerprint
    assert job.signature == signature_of(".github/workflows/missions.yml", "unit (3)", "Run pytest", "failure")
    assert job.template == "ModuleNotFoundError: No module named 'yaml'"
    assert job.first_error is not None
    assert (job.first_error.line_number, job.first_error.line) == (6, "ModuleNotFoundError: No module named 'yaml'")
    assert [trace.kind for trace in job.traces if trace.is_main] == ["python"]
    assert job.suggestions
    assert any("yaml" in line for line in job.suggestions[0].evidence)


def test_what_is_known_of_the_failure_stands_beside_it() -> None:
    entry = Entry(
        entry_id="00112233445566aa", state=EntryState.REGRESSED, count=4, runs_total=3, first_seen_at=AT,
        last_seen_at=AT, title="yaml is missing", fix="install it", note="@octo knows", link="https://a.example/1",
    )  # fmt: skip
    asked: list[tuple[str | None, str]] = []

    def entry_for(fingerprint: str | None, signature: str) -> Entry:
        asked.append((fingerprint, signature))
        return entry

    told = analysed(entry_for=entry_for)
    (job,) = told.jobs
    assert asked == [(job.fingerprint, job.signature)]
    assert job.known is not None
    assert (job.known.count, job.known.runs, job.known.state) == (4, 3, EntryState.REGRESSED)
    known = analysis_markdown(told).partition("## Known failures")[2].partition("## ")[0]
    assert "00112233445566aa, yaml is missing, regressed: 4 failures in 3 runs, first 2026-06-01 10:00 UTC" in known
    assert "install it" in known
    assert "@octo" not in known


def test_a_job_whose_log_is_gone_is_told_by_what_is_known() -> None:
    told = analysed(JobText(name="x", job=a_job(), state=LogState.EXPIRED, note="GitHub has deleted it"))
    (job,) = told.jobs
    assert (job.is_failed, job.diagnosis, job.log.note) == (True, None, "GitHub has deleted it")
    assert job.signature is not None
    assert (told.read, len(told.unread)) == ((), 1)
    assert "Its log was not read." in analysis_markdown(told)


def test_a_job_that_passed_is_not_diagnosed() -> None:
    (job,) = analysed(a_text(a_job(conclusion="success"))).jobs
    assert (job.is_failed, job.diagnosis, job.suggestions) == (False, None, ())


def test_of_a_log_alone_the_log_says_whether_it_failed() -> None:
    told = analyse(
        None, [JobText(name="unit", content=LOG), JobText(name="ok", content=b"fine")], AgentRules(), CiRules()
    )
    assert [(job.name, job.is_failed, job.signature) for job in told.jobs] == [
        ("unit", True, None),
        ("ok", False, None),
    ]
    assert told.jobs[0].failed_step == "Run pytest"
    assert told.run.run_id is None


def test_findings_of_all_jobs_stand_together_in_their_order() -> None:
    agent = "\n".join(json_lines(CLAUDE_EVENTS)).encode()
    told = analysed(a_text(), JobText(name="agent", job=a_job(2, "agent", "success"), content=agent))
    assert [(one.name, one.job) for one in told.metrics] == [("coverage", "unit (3)")]
    assert [(one.agent, one.job) for one in told.agents] == [("claude", "agent")]


def test_unusable_patterns_of_the_settings_are_refused() -> None:
    rules = AgentRules(metrics=(MetricPattern(match=r"(?:(?P<value>a+)+)+", name="x"),))
    with pytest.raises(UsageError):
        analyse(RUN, [a_text()], rules, CiRules())


def test_the_attribution_is_shown_with_every_signal() -> None:
    signal = Signal(
        kind=SignalKind.STEP_NAME, agent="claude", role=Role.RAN, confidence=0.9, evidence="step Run Claude"
    )
    who = Attribution(agent="claude", role=Role.RAN, source=SignalKind.STEP_NAME, confidence=0.9, signals=(signal,))
    text = analysis_markdown(analysed(attribution=who))
    assert "- **Agent**: claude, ran: step&#95;name, 90% sure" in text.replace("step_name", "step&#95;name")
    assert "step Run Claude" in text
    assert "- **Agent**: unattributed" in analysis_markdown(analysed())


def test_the_reports_are_the_same_each_time_and_the_json_can_be_read_back() -> None:
    told = analysed()
    assert analysis_markdown(told) == analysis_markdown(analysed())
    document = json.loads(analysis_json(told))
    assert document["schema_version"] == 1
    assert msgspec.convert({k: v for k, v in document.items() if k != "schema_version"}, RunAnalysis) == told


def test_a_report_that_fits_is_left_as_it_is() -> None:
    told = analysed()
    assert fitted_analysis(told, 65_536) == analysis_markdown(told)


def test_what_is_least_important_goes_first() -> None:
    told = analysed(a_text(content=b"\n".join([LOG, *[b"Peak memory %d: 1 GiB" % n for n in range(5)]])))
    whole = analysis_markdown(told)
    text = fitted_analysis(told, len(whole) - 1)
    assert len(text) < len(whole)
    left = [title for title in SECTIONS if "Left out here" in _body(text, title)]
    assert left == ["Resources"]
    assert [title for title in SECTIONS if f"\n## {title}\n" in text] == list(SECTIONS)


def test_a_report_of_any_size_fits_and_closes_its_code() -> None:
    noisy = b"\n".join([LOG] * 40 + [b"ValueError: ``` @octo " + b"x" * 400] * 50)
    told = analysed(*[a_text(a_job(number, f"unit {number}"), noisy) for number in range(1, 31)])
    for most in (30_000, 20_000, 3_000, 700):
        text = fitted_analysis(told, most)
        assert len(text) <= most
        fences = [line for line in text.split("\n") if line.startswith("```")]
        assert len(fences) % 2 == 0
        assert "left out here" in text.lower()


def _body(text: str, title: str) -> str:
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


@given(st.lists(st.text(max_size=30), max_size=20), st.integers(min_value=300, max_value=2000))
def test_no_line_of_a_log_ends_a_block_or_begins_a_section(lines: list[str], most: int) -> None:
    plain = [line.replace("\n", " ") for line in lines]
    text = "\n".join(["# T", "", "## A", "", *code_block(["## no", *plain]), "", "## B", "", "b"])
    assert fit(text, 100_000) == text
    cut = fit(text, most)
    assert len(cut.encode("utf-16-le", "surrogatepass")) // 2 <= most


def test_an_emoji_counts_as_two_characters() -> None:
    text = "# T\n\n## A\n\n" + "😅" * 1000
    assert len(fit(text, 1500).encode("utf-16-le")) // 2 <= 1500


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "unknown"), (12.5, "12.5 s"), (65, "1 min 05 s"), (3725, "1 h 02 min")]
)
def test_durations_are_words(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(1536, "bytes", "1.5 KiB"), (2**31, "bytes", "2 GiB"), (73, "%", "73 %"), (90, "s", "1 min 30 s")],
)
def test_amounts_are_words(value: float, unit: str, text: str) -> None:
    assert amount(value, unit) == text


def test_marks_of_commands_are_taken_out_of_their_line() -> None:
    assert without_marks("##[error]no ##[set-env name=x]") == "[error] no # #[set-env name=x]"


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("19250972881", RunReference(run_id=19250972881)),
        (" 7 ", RunReference(run_id=7)),
        ("https://github.com/octo/engine/actions/runs/7", RunReference(run_id=7, repo="octo/engine")),
        ("https://GitHub.com/octo/engine/actions/runs/7/attempts/2",
         RunReference(run_id=7, repo="octo/engine", attempt=2)),
        ("https://github.com/octo/engine/actions/runs/7/job/9?pr=1#step:3:4",
         RunReference(run_id=7, repo="octo/engine", job_id=9)),
        ("https://github.com/octo/engine/actions/runs/7/attempts/2/job/9",
         RunReference(run_id=7, repo="octo/engine", attempt=2, job_id=9)),
        ("https://github.com/octo/engine/actions/runs/7/workflow", RunReference(run_id=7, repo="octo/engine")),
        ("logs.zip", None),
        ("٧", None),
        ("9" * 30, None),
    ],
)  # fmt: skip
def test_numbers_and_addresses_name_runs(text: str, reference: RunReference | None) -> None:
    assert read_reference(text, "https://api.github.com") == reference


def test_the_pages_of_another_server_are_those_of_its_api() -> None:
    assert page_hosts("https://api.github.com", None) == {"github.com"}
    assert page_hosts("https://ghe.example.org/api/v3", "https://ghe.example.org") == {"ghe.example.org"}
    assert page_hosts("https://api.tenant.ghe.com", "https://tenant.ghe.com") == {"tenant.ghe.com"}
    told = read_reference("https://ghe.example.org/a/b/actions/runs/5", "https://ghe.example.org/api/v3")
    assert told == RunReference(run_id=5, repo="a/b")
    for address in (
        "https://github.com/a/b/actions/runs/5",
        "https://x@ghe.example.org/a/b/actions/runs/5",
        "https://ghe.example.org/a/b/issues/5",
        "https://ghe.example.org:444/a/b/actions/runs/5",
    ):
        with pytest.raises(UsageError):
            read_reference(address, "https://ghe.example.org/api/v3")
