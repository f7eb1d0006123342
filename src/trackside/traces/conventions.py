"""The names of attributes of spans, and what conclusions of GitHub are in the words of OpenTelemetry.

Source: the semantic conventions for CI/CD and for version control of OpenTelemetry. They are still in development: this
is the one place that follows them.
"""

from __future__ import annotations

from typing import Final

from trackside.records.failures import Cause

SERVICE_NAME: Final = "service.name"
PIPELINE_NAME: Final = "cicd.pipeline.name"
PIPELINE_ACTION: Final = "cicd.pipeline.action.name"
PIPELINE_RESULT: Final = "cicd.pipeline.result"
RUN_ID: Final = "cicd.pipeline.run.id"
RUN_URL: Final = "cicd.pipeline.run.url.full"
TASK_NAME: Final = "cicd.pipeline.task.name"
TASK_RUN_ID: Final = "cicd.pipeline.task.run.id"
TASK_RUN_URL: Final = "cicd.pipeline.task.run.url.full"
TASK_RESULT: Final = "cicd.pipeline.task.run.result"
WORKER_NAME: Final = "cicd.worker.name"
ERROR_TYPE: Final = "error.type"
VCS_PROVIDER: Final = "vcs.provider.name"
VCS_OWNER: Final = "vcs.owner.name"
VCS_REPOSITORY: Final = "vcs.repository.name"
VCS_REPOSITORY_URL: Final = "vcs.repository.url.full"
VCS_HEAD_NAME: Final = "vcs.ref.head.name"
VCS_HEAD_REVISION: Final = "vcs.ref.head.revision"
VCS_HEAD_TYPE: Final = "vcs.ref.head.type"
VCS_CHANGE_ID: Final = "vcs.change.id"
AGENT_NAME: Final = "gen_ai.agent.name"
OPERATION_NAME: Final = "gen_ai.operation.name"

RUN: Final = "RUN"
"""The action of a pipeline run that is not known to build or to deploy."""
INVOKE_AGENT: Final = "invoke_agent"
ERRORS: Final = ("failure", "error", "timeout")
"""Results that make the status of a span an error."""

SYSTEM_CAUSES: Final = (Cause.RUNNER_LOST, Cause.DISK_FULL, Cause.GPU_FAULT, Cause.NETWORK, Cause.RATE_LIMIT)
"""Causes of failures of machines and services: the CI system failed, not what it ran."""
_RESULTS: Final = {
    "success": "success",
    "failure": "failure",
    "timed_out": "timeout",
    "cancelled": "cancellation",
    "skipped": "skip",
    "startup_failure": "error",
}


def result_of(conclusion: str | None, cause: str | None = None) -> str | None:
    """A conclusion as a result; one that the conventions have no word for is told as GitHub told it.

    A failure for one of SYSTEM_CAUSES is an ``error``.
    """
    if conclusion is None:
        return None
    told = _RESULTS.get(conclusion, conclusion)
    return "error" if told == "failure" and cause in SYSTEM_CAUSES else told
