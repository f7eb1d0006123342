"""What agents print in logs: their words, turns, tokens and costs, as far as they print them themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.agent_logs import (
    CLAUDE_ACTION,
    CLAUDE_EVENTS,
    CODEX_EVENTS,
    CODEX_STAMPED,
    CODEX_TEXT,
    COPILOT_TEXT,
    GEMINI_DOCUMENT,
    GEMINI_EVENTS,
    GH_AW_HEADER,
    json_lines,
)
from trackside.runlogs.agent_events import read_event
from trackside.runlogs.agent_footers import count
from trackside.runlogs.agent_output import FIRST, LAST, MOST, AgentOutputs
from trackside.runlogs.findings import AgentOutput
from trackside.runlogs.lines import log_lines


def told(lines: Sequence[str]) -> AgentOutputs:
    taker = AgentOutputs("agent")
    for line in log_lines("\n".join(["##[group]Run agent", "##[endgroup]", *lines]).encode(), None):
        taker.take(line)
    taker.close()
    return taker


def only(lines: Sequence[str]) -> AgentOutput:
    (found,) = told(lines).found
    return found


def test_a_stream_of_claude_code_is_one_session_with_its_figures() -> None:
    found = only(json_lines(CLAUDE_EVENTS))
    assert (found.agent, found.model, found.outcome, found.is_error) == ("claude", "claude-sonnet-5", "success", False)
    assert (found.turns, found.tool_calls, found.cost_usd, found.duration_s) == (15, 1, 0.2416735, 74.096)
    assert (found.input_tokens, found.cached_tokens, found.output_tokens) == (18 + 14760, 169817, 2577)
    assert found.total_tokens == 18 + 14760 + 169817 + 2577
    assert found.lines == (
        "I look at the tests.",
        "[tool] Bash: pytest -q",
        "[tool failed] exit code 1",
        "[result] Fixed the rounding.",
    )
    assert (found.step, found.line_number, found.last_line_number) == ("Run agent", 3, 7)


def test_what_the_action_shows_of_claude_code_is_read_over_several_lines() -> None:
    found = only(CLAUDE_ACTION)
    assert (found.agent, found.model, found.outcome, found.is_error) == (
        "claude",
        "claude-sonnet-5",
        "error_max_turns",
        True,
    )
    assert (found.turns, found.cost_usd, found.duration_s) == (41, 1.25, 61.0)
    assert (found.input_tokens, found.total_tokens) == (None, None), "what was not printed is not zero"
    assert found.lines == ("[denied] 2 uses of tools were not permitted",)


@pytest.mark.parametrize(
    ("lines", "tokens", "tools"), [(CODEX_TEXT, 12345, 1), (CODEX_STAMPED, 14582 + 1368, 1)], ids=["new", "old"]
)
def test_the_text_of_codex_is_one_session(lines: list[str], tokens: int, tools: int) -> None:
    found = only(lines)
    assert (found.agent, found.total_tokens, found.tool_calls) == ("codex", tokens, tools)
    assert found.model in ("gpt-5.5", "o4-mini")
    assert (found.turns, found.cost_usd) == (None, None)
    assert found.lines[0] == lines[0]


def test_the_events_of_codex_add_up_over_turns() -> None:
    found = only(json_lines(CODEX_EVENTS))
    assert (found.agent, found.turns, found.tool_calls) == ("codex", 2, 1)
    assert (found.input_tokens, found.cached_tokens, found.output_tokens, found.total_tokens) == (70, 40, 10, 120)
    assert found.lines == ("[tool] bash -lc ls", "There are two packages.")


def test_the_stream_of_gemini_is_one_session() -> None:
    found = only(json_lines(GEMINI_EVENTS))
    assert (found.agent, found.model, found.outcome, found.is_error) == ("gemini", "gemini-3-pro", "success", False)
    assert (found.input_tokens, found.cached_tokens, found.output_tokens, found.total_tokens) == (50, 150, 50, 250)
    assert (found.tool_calls, found.duration_s) == (1, 13.0)


def test_the_document_of_gemini_adds_up_over_models() -> None:
    found = only(json_lines([GEMINI_DOCUMENT]))
    assert (found.model, found.tool_calls) == ("gemini-2.5-flash, gemini-2.5-pro", 3)
    assert (found.input_tokens, found.cached_tokens, found.output_tokens, found.total_tokens) == (50, 60, 8, 118)
    assert found.lines == ("Nothing to do.",)


def test_the_figures_of_copilot_stand_below_its_words() -> None:
    found = only(COPILOT_TEXT)
    assert (found.agent, found.model, found.premium_requests) == ("copilot", "claude-haiku-4.5", 0.33)
    assert (found.input_tokens, found.cached_tokens, found.output_tokens) == (200_000, 6_700_000, 27_700)
    assert found.duration_s == 22 * 60 + 52
    assert found.lines[0] == "The formatting is compliant now."


def test_the_engine_of_an_agentic_workflow_is_told_by_its_steps_once() -> None:
    found = told(
        [*GH_AW_HEADER, *GH_AW_HEADER, "x <!-- gh-aw-agentic-workflow: Daily, engine: codex, run: 1 -->"]
    ).found
    assert [(one.agent, one.engine) for one in found] == [("gh-aw", "copilot"), ("gh-aw", "codex")]


def test_json_of_other_programs_is_no_agent() -> None:
    others: list[Any] = [
        {"type": "result", "value": 3},
        {"type": "message", "text": "hello"},
        {"level": "info", "msg": "started"},
        ["result"],
        {"stats": {}, "type": "x"},
    ]
    assert told([*json_lines(others), "{", '  "name": "x",', "}", "[]", "{"]).found == []


def test_a_long_session_keeps_its_first_and_last_lines_and_counts_the_others() -> None:
    text = "\n".join(f"line {number}" for number in range(39))
    event = {"type": "assistant", "message": {"role": "assistant", "content": [{"type": "text", "text": text}]}}
    found = only(json_lines([event] * 5))
    assert len(found.lines) == FIRST + LAST
    assert found.left_out == 5 * 39 - FIRST - LAST
    assert found.lines[-1] == "line 38"


def test_sessions_beyond_the_most_are_counted() -> None:
    found = told(json_lines(list(CLAUDE_EVENTS) * (MOST + 3)))
    assert (len(found.found), found.left_out) == (MOST, 3)


def test_secrets_in_what_an_agent_says_are_redacted_and_lines_cut() -> None:
    text = "token ghp_" + "a1B2" * 9 + "\n" + "x " * 2500
    event = {"type": "assistant", "message": {"role": "assistant", "content": [{"type": "text", "text": text}]}}
    found = only(json_lines([event]))
    assert found.lines[0] == "token ***"
    assert len(found.lines[1]) == 300


@pytest.mark.parametrize(("text", "number"), [("892", 892), ("20.9k", 20_900), ("6.9m", 6_900_000), ("1b", 10**9)])
def test_shortened_counts_are_read(text: str, number: int) -> None:
    assert count(text) == number


ODD: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(
    kind=st.sampled_from(["system", "assistant", "user", "result", "init", "turn.completed", "item.completed",
                          "session.shutdown", "assistant.message", "tool.execution_start", "message", "turn.failed"]),
    fields=st.dictionaries(
        st.sampled_from(["subtype", "message", "usage", "item", "data", "stats", "timestamp", "result", "content",
                         "num_turns", "duration_ms", "error", "modelUsage", "model", "is_error", "response"]), ODD),
)  # fmt: skip
def test_events_of_any_shape_never_fail(kind: str, fields: dict[str, Any]) -> None:
    read_event({"type": kind, **fields})
    read_event(fields)


@given(st.binary(max_size=400))
def test_any_bytes_are_read(content: bytes) -> None:
    taker = AgentOutputs("agent")
    for line in log_lines(content, None):
        taker.take(line)
    taker.close()
    assert taker.found == [] or taker.found
