"""Logs of jobs in which agents and scripts print what they print, line by line, without stamps."""

from __future__ import annotations

import json
from typing import Any

CLAUDE_EVENTS = (
    {"type": "system", "subtype": "init", "session_id": "s1", "model": "claude-sonnet-5", "tools": ["Read", "Bash"]},
    {
        "type": "assistant",
        "message": {"role": "assistant", "content": [{"type": "text", "text": "I look at the tests."}]},
    },
    {
        "type": "assistant",
        "message": {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "pytest -q"}}],
        },
    },
    {
        "type": "user",
        "message": {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "t1", "is_error": True, "content": "exit code 1"}],
        },
    },
    {
        "type": "result",
        "subtype": "success",
        "is_error": False,
        "duration_ms": 74096,
        "num_turns": 15,
        "result": "Fixed the rounding.",
        "total_cost_usd": 0.2416735,
        "usage": {
            "input_tokens": 18,
            "cache_creation_input_tokens": 14760,
            "cache_read_input_tokens": 169817,
            "output_tokens": 2577,
        },
        "permission_denials": [],
    },
)
CLAUDE_ACTION = [
    "Running Claude Code via SDK (full output hidden for security)...",
    "Running Claude with prompt from file: /tmp/claude-prompts/claude-prompt.txt",
    "SDK options: {",
    '  "allowedTools": [',
    '    "Read"',
    "  ]",
    "}",
    "{",
    '  "type": "system",',
    '  "subtype": "init",',
    '  "message": "Claude Code initialized",',
    '  "model": "claude-sonnet-5"',
    "}",
    "{",
    '  "type": "result",',
    '  "subtype": "error_max_turns",',
    '  "is_error": true,',
    '  "duration_ms": 61000,',
    '  "num_turns": 41,',
    '  "total_cost_usd": 1.25,',
    '  "permission_denials_count": 2',
    "}",
]
CODEX_TEXT = [
    "OpenAI Codex v0.133.0",
    "--------",
    "workdir: /src/engine",
    "model: gpt-5.5",
    "provider: openai",
    "approval: never",
    "sandbox: workspace-write [workdir, /tmp, $TMPDIR]",
    "session id: 019f74cb",
    "--------",
    "user",
    "Fix the failing test.",
    "exec",
    "/bin/bash -lc 'pytest -q' in /src/engine",
    " exited 1 in 412ms:",
    "codex",
    "The test compares floats; I round them.",
    "tokens used",
    "12,345",
]
CODEX_STAMPED = [
    "[2026-06-01T12:37:08] OpenAI Codex v0.27.0 (research preview)",
    "--------",
    "model: o4-mini",
    "--------",
    "[2026-06-01T12:37:33] exec bash -lc 'git status' in /src/engine",
    "[2026-06-01T12:37:34] tokens used: 14582",
    "[2026-06-01T12:37:50] tokens used: 1368",
]
CODEX_EVENTS = (
    {"type": "thread.started", "thread_id": "t"},
    {"type": "turn.started"},
    {"type": "item.completed", "item": {"type": "command_execution", "command": "bash -lc ls", "exit_code": 0}},
    {"type": "item.completed", "item": {"type": "agent_message", "text": "There are two packages."}},
    {"type": "turn.completed", "usage": {"input_tokens": 100, "cached_input_tokens": 40, "output_tokens": 7}},
    {"type": "turn.completed", "usage": {"input_tokens": 10, "cached_input_tokens": 0, "output_tokens": 3}},
)
GEMINI_EVENTS = (
    {"type": "init", "timestamp": "2026-03-20T15:14:46Z", "session_id": "g", "model": "gemini-3-pro"},
    {"type": "message", "timestamp": "2026-03-20T15:14:46Z", "role": "user", "content": "list the files"},
    {
        "type": "message",
        "timestamp": "2026-03-20T15:14:49Z",
        "role": "assistant",
        "content": "I list them.",
        "delta": True,
    },
    {
        "type": "tool_use",
        "timestamp": "2026-03-20T15:14:49Z",
        "tool_name": "run_shell_command",
        "parameters": {"command": "ls"},
    },
    {
        "type": "result",
        "timestamp": "2026-03-20T15:14:59Z",
        "status": "success",
        "stats": {
            "total_tokens": 250,
            "input_tokens": 200,
            "cached": 150,
            "output_tokens": 50,
            "duration_ms": 13000,
            "tool_calls": 1,
        },
    },
)
GEMINI_DOCUMENT: dict[str, Any] = {
    "response": "Nothing to do.",
    "stats": {
        "models": {
            "gemini-2.5-flash": {"tokens": {"prompt": 100, "candidates": 5, "total": 107, "cached": 60, "thoughts": 2}},
            "gemini-2.5-pro": {"tokens": {"prompt": 10, "candidates": 1, "total": 11, "cached": 0}},
        },
        "tools": {"totalCalls": 3},
    },
}
COPILOT_TEXT = [
    "The formatting is compliant now.",
    "",
    "Total usage est:        0.33 Premium requests",
    "API time spent:         9m 27s",
    "Total session time:     22m 52s",
    "Total code changes:     +44 -53",
    "Breakdown by AI model:",
    " claude-haiku-4.5         6.9m in, 27.7k out, 6.7m cached (Est. 0.33 Premium requests)",
]
GH_AW_HEADER = [
    "##[group]Run actions/github-script@v8",
    "env:",
    "  GH_AW_ENGINE_ID: copilot",
    "##[endgroup]",
]


def json_lines(documents: Any) -> list[str]:
    """Each document on a line of its own, as programs print them."""
    return [json.dumps(one, separators=(",", ":")) for one in documents]
