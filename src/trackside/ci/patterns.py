"""The eight established names of failure patterns, and what the names of steps say of a failure without a log."""

from __future__ import annotations

import re
from typing import Final

from trackside.history.outcomes import FAILURES
from trackside.records.failures import Cause

OTHER: Final = "Other"
_OF_CAUSE: Final = {
    Cause.TIMEOUT: "Timeout",
    Cause.TEST: "Unit Test Failure",
    Cause.PERFORMANCE: "Performance Test Failure",
    Cause.ACCURACY: "Accuracy Test Failure",
    Cause.BUILD: "Build Failure",
    Cause.DEPENDENCY: "Dependency Installation Failure",
    Cause.GPU_MEMORY: "GPU Related Failure",
    Cause.GPU_FAULT: "GPU Related Failure",
}
PATTERNS: Final = (*dict.fromkeys(_OF_CAUSE.values()), OTHER)
"""The names, in the order of the documentation."""

_BY_CONCLUSION: Final = {
    "timed_out": Cause.TIMEOUT,
    "cancelled": Cause.CANCELLED,
    "startup_failure": Cause.CONFIGURATION,
    "action_required": Cause.CONFIGURATION,
}
_AROUND_THE_WORK: Final = (
    (Cause.NETWORK, re.compile(r"set up job$")),
    (Cause.RUNNER_LOST, re.compile(r"set up runner$")),
    (Cause.DEPENDENCY, re.compile(r"initialize containers$|(build|pull) \S+/\S+@|pull (the )?\S*[:/]\S+$")),
    (Cause.OTHER, re.compile(r"complete (job|runner)$|stop containers$|post ")),
)
"""Steps that GitHub adds by itself, by how they are called."""
_CHECKS: Final = (
    r"lint\w*|linters?|format(?:ting|ted|ter)?|fmt|style|pre commit|ruff|black|isort|flake8|pylint|mypy|pyright|clippy|"
    r"code quality|rustfmt|eslint|prettier|clang (?:format|tidy)|type ?check\w*|(?:code)?spell\w*|typos|"
    r"actionlint|zizmor|shellcheck"
)
_TRIALS: Final = (
    r"tests?|testing|tested|unit ?tests?|pytest|ctest|gtest|doctests?|tox|nox|jest|vitest|e2e|integration|smoke|"
    r"suites?|coverage|notebooks?|stress|fuzz\w*"
)
_OF_WORDS: Final = tuple(
    (cause, re.compile(rf"(?<![a-z])(?:{words})(?![a-z])"))
    for cause, words in (
        (
            Cause.CONFIGURATION,
            r"checkout|log ?in|auth(?:enticat\w+|oriz\w+)?|credentials?|secrets?|permissions?|submodules?|"
            r"configure (?:aws|azure|gcp|git|docker)",
        ),
        (Cause.LINT, _CHECKS),
        (
            Cause.DEPENDENCY,
            r"install\w*|reinstall|dependenc\w+|deps|requirements?|set ?up|prepare|provision\w*|bootstrap|environment|"
            r"conda|mamba|npm ci|apt(?: get)?|pip|uv (?:sync|pip)|poetry|pull(?:ing)? (?:the )?(?:docker )?images?|"
            r"(?:start|launch|pull) (?:the )?(?:\w+ )?containers?",
        ),
        (
            Cause.BUILD,
            r"build\w*|rebuild|compil\w+|wheels?|(?:configure )?cmake|configure$|bazel|ninja|packag(?:e|ing)|bundl\w+|"
            r"make(?! (?:test|check|lint|format|install|sure))",
        ),
        (
            Cause.NETWORK,
            r"(?:up|down)load\w*|artifacts?|(?:actions|restore|save|warm) (?:\w+ )?caches?|fetch\w*|publish\w*|push|"
            r"deploy\w*|clone|wget|curl|rsync",
        ),
        (Cause.ACCURACY, r"accuracy|eval\w*|gsm8k|mmlu\w*|mmmu\w*|lm eval|scores?"),
        (Cause.PERFORMANCE, r"performance|perf|bench\w*|throughput|latency|ttft|speed"),
        (Cause.GPU_FAULT, r"nvidia smi|rocm smi|npu smi|(?:check|reset|verify|validate) (?:the )?gpus?|gpu health"),
        (Cause.DISK_FULL, r"(?:free|reclaim)(?: up)? (?:disk )?space|disk space"),
        (Cause.TEST, _TRIALS),
    )
)
"""The word that comes first in a name says what a step did: ``Install test dependencies`` installs."""
_SORTS_OF_TESTS: Final = (Cause.ACCURACY, Cause.PERFORMANCE)


def pattern_of(cause: Cause) -> str:
    """The one of ``PATTERNS`` that a cause belongs to."""
    return _OF_CAUSE.get(cause, OTHER)


def guess_cause(
    job_name: str, failed_step: str | None = None, conclusion: str | None = None, *, steps_known: bool = False
) -> Cause:
    """What most likely went wrong in a failed job whose log was not read, by the names of the job and its failed step.

    A guess: the step tells what was being done, not how it went. ``steps_known`` says that the steps of the job are
    known; a job that failed while none of them did has lost its runner. Cause.OTHER where the names say nothing.
    """
    if conclusion in _BY_CONCLUSION:
        return _BY_CONCLUSION[conclusion]
    if failed_step is None and steps_known and conclusion in FAILURES:
        return Cause.RUNNER_LOST
    job, step = _plain(job_name), _plain(failed_step or "")
    for cause, name in _AROUND_THE_WORK:
        if name.match((failed_step or "").strip().lower()):
            return cause
    found = _first_word(step) or _first_word(job)
    if found is Cause.TEST:
        return _first_word(step, _SORTS_OF_TESTS) or _first_word(job, _SORTS_OF_TESTS) or Cause.TEST
    return found or Cause.OTHER


def _first_word(name: str, causes: tuple[Cause, ...] = tuple(Cause)) -> Cause | None:
    """The cause whose word stands first in ``name``; of two at the same place the one that is listed first."""
    hits = [
        (hit.start(), place, cause)
        for place, (cause, words) in enumerate(_OF_WORDS)
        if cause in causes and (hit := words.search(name))
    ]
    return min(hits)[2] if hits else None


def _plain(name: str) -> str:
    """``name`` in small letters and with spaces between its words: ``BuildAndTest``, ``build_and-test``."""
    return " ".join(re.sub(r"(?<=[a-z])(?=[A-Z])|[^0-9A-Za-z]+", " ", name).lower().split())
