"""Fixes for what the runner and GitHub say: limits, lost runners, workflows, actions, artifacts, caches."""

from __future__ import annotations

from typing import Final

from trackside.fixes.table import Fix, fix

_RUNNERS: Final = (
    fix(
        "runner-lost",
        "The runner went away",
        "Run the job again. Where it happens often, the machine ran out of memory, CPU or network, or was a spot "
        "machine: use a larger one, or look at the host of a self-hosted runner at that time.",
        None,
        "runner-lost",
        "runner-gone",
        "runner-pod",
    ),
    fix(
        "runner-shutdown",
        "The runner was shut down",
        "Run the job again. The machine was stopped, updated or taken back, or the run was cancelled; where it repeats "
        "in one job, look at its use of memory, and at how long the machine may live.",
        None,
        "runner-shutdown",
    ),
    fix(
        "runner-missing",
        "No runner took the job",
        "Check that a runner with every label of `runs-on` is online and may be used by this repository, and that it "
        "is not busy for longer than a job may wait.",
        r"(?i)no runners? (?:is |are )?(?:online|available|matching|found)|(?:could not|unable to) find a runner",
        "queue-time-limit",
    ),
    fix(
        "job-time-limit",
        "The job took longer than it may",
        "Look for the slowest step of this job and whether it hangs or grew. Then raise `timeout-minutes` of the job, "
        "or split it.",
        None,
        "job-time-limit",
        "slurm-time",
    ),
    fix(
        "step-time-limit",
        "A step took longer than it may",
        "See what the step printed last: where it goes on, raise `timeout-minutes` of the step; where it hangs, give "
        "the command a time limit of its own so that it says what it waits for.",
        None,
        "step-time-limit",
    ),
    fix(
        "superseded",
        "A newer run of the same group replaced this one",
        "Nothing has to be mended. Where the run should have gone on, give `concurrency` a `group` of its own for each "
        "branch or pull request, or set `cancel-in-progress: false`.",
        None,
        "superseded",
        unless=r"(?i)cancell?ed by",
    ),
)

_WORKFLOWS: Final = (
    fix(
        "action-deprecated",
        "GitHub refuses an old version of an action",
        "Raise the action to its present major version. From version 4 on, artifacts cannot be written twice under one "
        "name in a run: give each job's artifact a name of its own and download them with `pattern` and "
        "`merge-multiple`.",
        r"automatically failed because it uses a deprecated version of",
    ),
    fix(
        "action-not-allowed",
        "An action is not allowed in this repository",
        "Add the action under Settings, Actions, General to the allowed ones, or ask the owner of the organization; "
        "else use one that is allowed.",
        r"(?i)\bactions? .{1,300} (?:is|are) not allowed (?:in|to be used)",
    ),
    fix(
        "action-without-checkout",
        "A local action is used before the checkout",
        "Put a step with `actions/checkout` before the first step that uses `./…`, and see that the folder holds an "
        "`action.yml` on this branch.",
        r"Can't find 'action\.ya?ml'",
    ),
    fix(
        "action-unresolved",
        "A version of an action does not exist",
        "Check the tag or commit after `@` at the action's releases, and its name. A private action has to be "
        "shared with this repository.",
        r"Unable to resolve action",
    ),
    fix(
        "action-download",
        "An action could not be downloaded",
        "Run the job again: the service was not to be reached. On self-hosted runners, see that codeload.github.com "
        "can be reached from them.",
        None,
        "action-archive",
        "action-download",
    ),
    fix(
        "workflow-invalid",
        "The workflow file is not valid",
        "Check the file with actionlint before it is pushed: most often it is an indentation, a quote, an unknown key, "
        "or a context that is not available at that place.",
        None,
        "workflow-invalid",
        unless=r"Unable to process (?:file )?command",
    ),
    fix(
        "command-disabled",
        "A workflow command is not supported any more",
        "Write `name=value` to the file `$GITHUB_ENV`, `$GITHUB_OUTPUT` or `$GITHUB_PATH` instead of printing "
        "`::set-env`, `::set-output` or `::add-path`.",
        r"The `?(?:set-env|add-path|set-output|save-state)`? command is (?:disabled|deprecated and)",
    ),
    fix(
        "file-command-format",
        "A value of more than one line was written to an environment or output file",
        "Write it between delimiters: `name<<EOF`, the lines, `EOF`, with a delimiter that does not stand in the "
        "value.",
        r"Unable to process file command '(?:env|output|state)'|Invalid format '",
    ),
    fix(
        "checkout-token-empty",
        "The checkout got an empty token",
        "The secret given as `token` does not exist here, or the run is of a fork or of Dependabot, which get no "
        "secrets. Set it, or leave `token` away so that the run's own token is used.",
        r"Input required and not supplied: (?:token|ssh-key)\b",
        steps=r"(?i)check ?out",
    ),
    fix(
        "input-missing",
        "An action did not get an input that it needs",
        "Give the input under `with:`. Where a secret or an output is given there already, it is empty: secrets are "
        "not handed to runs of forks and of Dependabot, and outputs need the step's `id`.",
        r"Input required and not supplied: ",
        "input-missing",
        unless=r"deprecated and removed",
        general=True,
    ),
)

_ARTIFACTS: Final = (
    fix(
        "artifact-name-taken",
        "An artifact of this name exists in the run already",
        "Give each job of a matrix a name of its own, such as `name-${{ matrix.os }}`, or set `overwrite: true` where "
        "the newer one should win.",
        r"(?i)an artifact with this name already exists",
    ),
    fix(
        "artifact-missing",
        "An artifact is not there",
        "See that the job which makes it is listed in `needs`, did not skip its upload, and uses the same name. From "
        "another run it is only found with `run-id` and `github-token`, and not after it expired.",
        r"(?i)Artifact not found for name|Unable to find any artifacts|no artifact matches any of the names"
        r"|^(?:##\[error\])?(?:Error: )?no artifacts? (?:was |were )?found",
    ),
    fix(
        "artifact-empty",
        "There was no file to upload",
        "Compare `path` with where the step before writes: it is relative to the workspace, not to "
        "`working-directory`, and hidden files are left out. Where files may lack, set `if-no-files-found: warn`.",
        r"No files were found with the provided path",
    ),
    fix(
        "artifact-quota",
        "The storage for artifacts is full",
        "Delete old artifacts or shorten `retention-days`; the usage is counted anew every 6 to 12 hours.",
        r"(?i)artifact storage quota (?:has been )?hit|storage quota .{0,40}artifacts?",
    ),
    fix(
        "artifact-transfer",
        "An artifact or cache could not be transferred",
        "Run the job again: the service did not answer. Where it repeats, upload fewer and larger files (one archive), "
        "and allow the runner's network to reach the results service.",
        None,
        "artifact-transfer",
        general=True,
    ),
    fix(
        "cache-miss",
        "A cache that the job insists on is not there",
        "Save it in a job of the same branch or of the default branch first, with the same key and `path`, or leave "
        "`fail-on-cache-miss` away.",
        r"(?i)fail-on-cache-miss|Failed to restore cache entry",
    ),
    fix(
        "setup-lock-missing",
        "The set-up step looks for a lock file that is not in the repository",
        "Commit the lock file, name it in `cache-dependency-path` where it is not at the top, or leave `cache` away.",
        r"Dependencies lock file is not found in|No file in .{1,300} matched to \[.{1,300}\]",
    ),
)

FIXES: Final[tuple[Fix, ...]] = (*_RUNNERS, *_WORKFLOWS, *_ARTIFACTS)
