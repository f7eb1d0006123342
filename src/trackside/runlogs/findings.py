"""What the log of a job tells beside why it failed: traces, agents' words, metrics, tests, warnings, resources, git.

Text is cleaned of stamps and colours, without secrets, and cut. ``job`` is the name of the job, ``step`` that of the
step in which the line was written (the title of its section where the steps are not known), None where neither is
told. ``line_number`` counts the lines of the log from 1.
"""

from __future__ import annotations

from typing import Literal

import msgspec

TraceKind = Literal["python", "pytest", "node", "go", "java", "rust", "dotnet", "shell"]
AgentKind = Literal["claude", "codex", "gemini", "copilot", "gh-aw"]
MetricSource = Literal["notice", "metric", "json", "pattern"]


class ErrorLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line that says that something went wrong, and how often lines like it are there. ``rule`` recognised it."""

    job: str
    step: str | None
    line_number: int
    line: str
    rule: str
    cause: str
    count: int = 1


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """A block of lines that shows where a program failed.

    ``message`` is the error that the trace is of, ``first_message`` what it says first, in the line of that number:
    where one error led to another they differ. ``lines`` are its first and last lines, ``left_out``
    counts those between them. ``is_main`` marks the one that goes with the line that tells most.
    """

    kind: TraceKind
    job: str
    step: str | None
    line_number: int
    last_line_number: int
    message: str
    first_message: str
    first_message_number: int
    lines: tuple[str, ...]
    left_out: int = 0
    is_main: bool = False


class AgentOutput(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent printed in one go. What it did not print of itself is None: not zero.

    ``lines`` are its first and last lines, ``left_out`` counts those between them. ``outcome`` is how it says that it
    ended. Tokens are those of the whole session; ``input_tokens`` are those that were not read from a cache, where the
    agent tells them apart. ``cost_usd`` is the agent's own figure, ``premium_requests`` that of Copilot.
    """

    agent: AgentKind
    job: str
    step: str | None
    line_number: int
    last_line_number: int
    lines: tuple[str, ...] = ()
    left_out: int = 0
    model: str | None = None
    outcome: str | None = None
    is_error: bool | None = None
    turns: int | None = None
    tool_calls: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    total_tokens: int | None = None
    cost_usd: float | None = None
    premium_requests: float | None = None
    duration_s: float | None = None
    engine: str | None = None


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """A value that a script printed for others to read; a number that is none (``nan``) is text."""

    name: str
    value: bool | int | float | str
    source: MetricSource
    job: str
    step: str | None
    line_number: int
    unit: str | None = None


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A notice that a step made."""

    text: str
    job: str
    step: str | None
    line_number: int


class TestSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a test runner counts at its end. ``total`` is what it says itself, else the sum of the others."""

    __test__ = False

    runner: str
    job: str
    step: str | None
    line_number: int
    passed: int | None = None
    failed: int | None = None
    errors: int | None = None
    skipped: int | None = None
    total: int | None = None
    duration_s: float | None = None


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the code tests ran through, from 0 to 100. ``of`` is what is counted: lines, statements, branches."""

    tool: str
    of: str
    percent: float
    job: str
    step: str | None
    line_number: int


class WarningGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Warnings that are the same but for numbers, paths and times; ``line`` and ``line_number`` are of the first."""

    tool: str
    count: int
    line: str
    job: str
    step: str | None
    line_number: int


class ResourceUse(msgspec.Struct, frozen=True, kw_only=True):
    """The largest amount that was printed of something that is used up, and how often it was printed.

    For ``disk free`` it is the smallest. ``unit`` is bytes, s or %.
    """

    name: str
    value: float
    unit: Literal["bytes", "s", "%"]
    job: str
    step: str | None
    line_number: int
    count: int = 1


class GitReference(msgspec.Struct, frozen=True, kw_only=True):
    """A pull request, branch or commit that a git command names. What GitHub says of the run goes before it."""

    kind: Literal["pull", "branch", "sha"]
    name: str
    job: str
    step: str | None
    line_number: int
    count: int = 1
    source: Literal["log"] = "log"
