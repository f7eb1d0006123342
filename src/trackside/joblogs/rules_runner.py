"""Rules for what the runner and GitHub say: time limits, lost runners, cancellations, actions that cannot run."""

from __future__ import annotations

from typing import Final

from trackside.joblogs.rule_table import Rule, rule
from trackside.records.failures import Cause

_LIMITS: Final = (
    rule(
        "job-time-limit",
        Cause.TIMEOUT,
        99,
        r"\b(?:job|workflow|step)\b.{0,200}exceeded the maximum execution time",
        "maximum execution time exceed",
        "exceeded the maximum execution time",
    ),
    rule(
        "step-time-limit",
        Cause.TIMEOUT,
        98,
        r"The action '.{0,300}' has timed out after \d+ minute",
        "has timed out after",
    ),
    rule(
        "queue-time-limit",
        Cause.RUNNER_LOST,
        97,
        r"(?i)job was not (?:acquired|started|picked up) by (?:a )?runner|exceeded the maximum (?:queue"
        r"|pending) time",
        "exceeded the maximum",
        "error",
    ),
    rule(
        "runner-shutdown",
        Cause.RUNNER_LOST,
        96,
        r"The runner has received a shutdown signal",
        "shutdown signal",
    ),
    rule(
        "runner-lost",
        Cause.RUNNER_LOST,
        96,
        r"(?i)\brunner\b.{0,200}lost communication with the server|hosted runner encountered an error while running",
        "lost communication",
        "runner encountered an error",
    ),
    rule(
        "runner-pod",
        Cause.RUNNER_LOST,
        94,
        r"(?i)\bpod (?:\S{1,200} )?(?:failed to come online|is unhealthy with phase status|was evicted|was deleted)",
        "fail",
        "error",
        last=True,
    ),
    rule(
        "runner-gone",
        Cause.RUNNER_LOST,
        95,
        r"(?i)runner (?:process|service|listener|pod|container|vm)? ?(?:has been|was|is) "
        r"(?:deleted|evicted|terminated|preempted|no longer (?:running|connected))"
        r"|spot (?:instance )?(?:interruption|termination)|instance (?:was|is being) (?:preempted|reclaimed)",
        "terminat",
        "error",
        "interrupt",
    ),
)

_CANCELLATIONS: Final = (
    rule(
        "superseded",
        Cause.CANCELLED,
        95,
        r"Canceling since a (?:higher priority|deadlock)|(?i:this (?:run|job) was cancell?ed (?:by|because|since))",
        "cancel",
    ),
    rule(
        "operation-cancelled",
        Cause.CANCELLED,
        93,
        r"^(?:Error: )?The (?:operation|run|job|workflow) (?:was|has been) cancell?ed\.?(?: by .{1,100})?$",
        "cancel",
    ),
    rule("task-cancelled", Cause.CANCELLED, 36, r"^A task was cancell?ed\.?$", "cancel"),
)

_ACTIONS: Final = (
    rule(
        "action-archive",
        Cause.NETWORK,
        90,
        r"Failed to download archive '|Failed to resolve action download info|Unable to download (?:the )?action",
        "failed to download archive",
        "failed to resolve action",
        "unable to download",
        last=True,
    ),
    rule(
        "action-download",
        Cause.NETWORK,
        84,
        r"^(?:Action|Failed to download action) '.{1,400}' ?(?:download has timed out|\. Error)"
        r"|Error downloading action",
        "download has timed out",
        "failed to download action",
        "error downloading",
        last=True,
    ),
    rule(
        "action-unresolved",
        Cause.CONFIGURATION,
        90,
        r"Unable to resolve action|Can't find 'action\.ya?ml'|(?i:the action .{1,200} is not allowed in )"
        r"|This request has been automatically failed because it uses a deprecated version of",
        "unable to resolve action",
        "can't find 'action",
        "error",
        "automatically failed",
    ),
    rule(
        "workflow-invalid",
        Cause.CONFIGURATION,
        90,
        r"(?i)invalid workflow file|the workflow is not valid|error in your yaml syntax|Unexpected value '.{0,100}'"
        r"|the template is not valid|unrecognized named-value|failed to evaluate (?:expression|matrix)"
        r"|error parsing called workflow|unable to (?:interpret|process) .{1,80} command",
        "error",
        "fail",
        "unable to",
    ),
    rule(
        "input-missing",
        Cause.CONFIGURATION,
        90,
        r"Input required and not supplied|Input '.{1,80}' (?:is required|has been deprecated and removed)"
        r"|Required input '?.{1,80}'? (?:is )?(?:not provided|missing)|Parameter .{1,80} is required",
        "error",
        "fail",
    ),
    rule(
        "not-accessible",
        Cause.CONFIGURATION,
        88,
        r"Resource not accessible by (?:integration|personal access token)"
        r"|(?i:refusing to allow an? (?:oauth app|github app|integration|personal access token))"
        r"|(?:Unable to get|Error message: Unable to get) ACTIONS_ID_TOKEN_REQUEST"
        r"|Must have admin rights to Repository|workflow does not have `?id-token",
        "error",
        "fail",
        "unable to",
        last=True,
    ),
    rule(
        "annotations-limit",
        Cause.CONFIGURATION,
        60,
        r"(?i)(?:step summary|annotations?|job summary|upload) .{0,80}(?:exceeds?|exceeded) .{0,80}(?:limit"
        r"|maximum|size)"
        r"|\$GITHUB_STEP_SUMMARY upload aborted",
        "exceed",
        "abort",
    ),
    rule(
        "artifact-missing",
        Cause.CONFIGURATION,
        84,
        r"Artifact not found for name|No artifacts? (?:were |was )?found|Unable to find any artifacts"
        r"|No files were found with the provided path|an artifact with this name already exists"
        r"|no artifact matches any of the names",
        "not found",
        "unable to",
        "error",
        "fail",
    ),
    rule(
        "artifact-transfer",
        Cause.NETWORK,
        82,
        r"(?i)Failed to (?:CreateArtifact|FinalizeArtifact|GetSignedArtifactURL|ListArtifacts|save cache"
        r"|restore cache)"
        r"|unable to (?:download|upload) (?:the )?artifact|artifact (?:upload|download) failed"
        r"|Create Artifact Container failed|error (?:while )?(?:up|down)loading artifact"
        r"|Failed to make request after \d+ attempts",
        "failed to createartifact",
        "failed to finalizeartifact",
        "failed to getsigned",
        "failed to listartifacts",
        "failed to make request",
        "artifact upload failed",
        "artifact download failed",
        "unable to download",
        "unable to upload",
        "error",
        last=True,
    ),
    rule(
        "container-start",
        Cause.CONFIGURATION,
        40,
        r"(?i)(?:failed to (?:initialize|start|create) (?:the )?(?:job )?container|container is unhealthy"
        r"|One or more containers failed to start|docker (?:create|start|run|network create) failed with exit code)",
        "fail",
        "error",
        last=True,
    ),
)

RULES: Final[tuple[Rule, ...]] = (*_LIMITS, *_CANCELLATIONS, *_ACTIONS)
