from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tests.agent_frames import a_step, an_agent_history, an_agent_run
from tests.history_frames import a_failure, a_job
from trackside.agents.frames import AgentHistory
from trackside.errors import UsageError
from trackside.traces.conventions import result_of
from trackside.traces.otlp import traces_endpoint
from trackside.traces.spans import MOST_TEXT, Trace, traceable, traces_of


def one_run(**told: Any) -> AgentHistory:
    run = an_agent_run(7, "failure", **told)
    test, lint = a_job(run, "test (0)", "failure"), a_job(run, "lint")
    steps = [a_step(test, 1, "Set up job"), a_step(test, 2, "Run tests", "failure"), a_step(test, 3, "Post", "skipped")]
    return an_agent_history([run], [test, lint], steps, failures=[a_failure(test, "runner_lost")])


def traces(history: AgentHistory) -> list[Trace]:
    return list(traces_of(history, traceable(history.runs).runs))


def test_a_run_is_a_span_above_its_jobs_and_these_above_their_steps() -> None:
    (trace,) = traces(one_run())
    run, *below = trace.spans
    assert (run.name, run.kind, run.parent_id) == ("RUN PR Test", "server", None)
    by_name = {span.name: span for span in below}
    assert {name: span.parent_id for name, span in by_name.items()} == {
        "test (0)": run.span_id,
        "lint": run.span_id,
        "Set up job": by_name["test (0)"].span_id,
        "Run tests": by_name["test (0)"].span_id,
        "Post": by_name["test (0)"].span_id,
    }
    assert {span.trace_id for span in trace.spans} == {run.trace_id}


def test_ids_are_those_of_the_wire_and_differ_by_span() -> None:
    (trace,) = traces(one_run())
    assert all(len(span.trace_id) == 32 and len(span.span_id) == 16 for span in trace.spans)
    assert len({span.span_id for span in trace.spans}) == len(trace.spans)


def test_the_same_run_has_the_same_ids_each_time_and_another_attempt_has_others() -> None:
    (first,), (again,), (other,) = traces(one_run()), traces(one_run()), traces(one_run(run_attempt=2))
    assert first == again
    assert not {span.span_id for span in first.spans} & {span.span_id for span in other.spans}


def test_results_are_in_the_words_of_the_conventions() -> None:
    told = {one: result_of(one) for one in ("success", "failure", "timed_out", "cancelled", "skipped")}
    assert told == {
        "success": "success",
        "failure": "failure",
        "timed_out": "timeout",
        "cancelled": "cancellation",
        "skipped": "skip",
    }
    assert result_of("startup_failure") == "error"
    assert result_of("stale") == "stale"
    assert result_of(None) is None


def test_a_job_that_failed_for_a_lost_runner_is_an_error_of_the_system() -> None:
    (trace,) = traces(one_run())
    job = next(span for span in trace.spans if span.name == "test (0)")
    assert job.error == "error"
    assert job.attributes["cicd.pipeline.task.run.result"] == "error"
    assert job.attributes["error.type"] == "runner_lost"
    assert trace.spans[0].attributes["cicd.pipeline.result"] == "failure"


def test_what_is_not_known_is_no_attribute() -> None:
    (trace,) = traces(one_run(actor=None, title=None, queue_s=None))
    assert not {"github.actor", "github.title", "trackside.queue_s"} & trace.spans[0].attributes.keys()


def test_the_agent_of_a_run_is_told_with_how_surely() -> None:
    (trace,) = traces(one_run(agent="claude"))
    told = trace.spans[0].attributes
    assert told["gen_ai.agent.name"] == "claude"
    assert told["gen_ai.operation.name"] == "invoke_agent"
    assert told["trackside.agent.confidence"] == pytest.approx(0.9)


def test_a_span_ends_no_earlier_than_it_begins_and_the_run_no_earlier_than_its_jobs() -> None:
    run = an_agent_run(7)
    late = run["updated_at"] + dt.timedelta(hours=1)
    job = a_job(run, "test", started_at=late, completed_at=late - dt.timedelta(seconds=5))
    (trace,) = traces(an_agent_history([run], [job]))
    assert all(span.end_ns >= span.start_ns for span in trace.spans)
    assert trace.spans[0].end_ns >= max(span.end_ns for span in trace.spans[1:])


def test_attempts_that_cannot_become_traces_are_counted() -> None:
    runs = [
        an_agent_run(1),
        an_agent_run(2, None, status="in_progress"),
        an_agent_run(3, is_read=False),
        {**an_agent_run(4), "started_at": None, "created_at": None},
    ]
    chosen = traceable(an_agent_history(runs).runs)
    assert chosen.runs["run_number"].to_list() == [1]
    assert (chosen.unfinished, chosen.unread, chosen.timeless) == (1, 1, 1)


def test_a_job_that_never_began_has_no_span() -> None:
    run = an_agent_run(7)
    (trace,) = traces(an_agent_history([run], [a_job(run, "test", "skipped", started_at=None)]))
    assert [span.name for span in trace.spans] == ["RUN PR Test"]


def test_a_text_is_cut_to_what_an_attribute_holds() -> None:
    (trace,) = traces(one_run(title="x" * 5_000))
    assert trace.spans[0].attributes["github.title"] == "x" * MOST_TEXT


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("http://localhost:4318", "http://localhost:4318/v1/traces"),
        ("http://localhost:4318/", "http://localhost:4318/v1/traces"),
        ("https://otel.example.org/custom/traces", "https://otel.example.org/custom/traces"),
    ],
)
def test_a_server_alone_is_asked_at_the_path_of_traces(said: str, asked: str) -> None:
    assert traces_endpoint(said) == asked


@pytest.mark.parametrize("said", ["localhost:4318", "file:///etc/passwd", "http://", "http://u:p@host", "http://[x"])
def test_what_is_no_address_of_a_collector_is_refused(said: str) -> None:
    with pytest.raises(UsageError, match="http://localhost:4318"):
        traces_endpoint(said)
