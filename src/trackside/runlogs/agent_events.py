"""What agents print as JSON, one event or one document at a time: Claude Code, Codex, Gemini CLI, Copilot CLI.

The shapes are those of ``claude -p --output-format json|stream-json`` (which claude-code-action shows), ``codex exec
--json``, ``gemini --output-format json|stream-json`` and ``copilot --output-format json``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from trackside.runlogs.findings import AgentKind

_CLAUDE: Final = frozenset({"system", "assistant", "user", "result"})
_GEMINI: Final = frozenset({"init", "message", "tool_use", "tool_result", "result", "error"})
_MOST_LINES: Final = 40
_LARGEST: Final = 2**53
_INPUTS: Final = ("command", "file_path", "path", "pattern", "query", "url", "description", "prompt")


class AgentEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event: lines for a reader, and what it adds to what is known of the session.

    ``added`` are counts that add up over events, ``told`` are values of which the last counts. ``ends``: the session
    is over.
    """

    agent: AgentKind
    lines: tuple[str, ...] = ()
    added: Mapping[str, int] = {}
    told: Mapping[str, Any] = {}
    ends: bool = False


def read_event(document: object) -> AgentEvent | None:
    """The event that a JSON object is, None where it is not one of an agent."""
    if not isinstance(document, dict):
        return None
    kind = document.get("type")
    if isinstance(document.get("stats"), dict) and "response" in document and kind is None:
        return _gemini_document(document)
    if not isinstance(kind, str):
        return None
    if kind.startswith(("thread.", "turn.", "item.")):
        return _codex(kind, document)
    if isinstance(document.get("data"), dict) and kind.startswith(("session.", "assistant.", "tool.")):
        return _copilot(kind, document["data"])
    if kind in _CLAUDE and ("subtype" in document or isinstance(document.get("message"), dict)):
        return _claude(kind, document)
    if kind in _GEMINI and ("timestamp" in document or "stats" in document):
        return _gemini(kind, document)
    return None


def _claude(kind: str, document: dict[str, Any]) -> AgentEvent:
    if kind == "system":
        return AgentEvent(agent="claude", told=_known(model=_text(document.get("model"))))
    if kind == "result":
        return _claude_result(document)
    message = document.get("message")
    parts = message.get("content") if isinstance(message, dict) else None
    lines, calls = [], 0
    for part in parts if isinstance(parts, list) else ():
        if not isinstance(part, dict):
            continue
        if part.get("type") == "text" and kind == "assistant":
            lines += _lines(part.get("text"))
        elif part.get("type") == "tool_use":
            calls += 1
            lines.append(f"[tool] {_text(part.get('name')) or '?'}{_argument(part.get('input'))}")
        elif part.get("type") == "tool_result" and part.get("is_error") is True:
            lines += [f"[tool failed] {line}" for line in _lines(_content(part.get("content")))[:3]]
    return AgentEvent(agent="claude", lines=tuple(lines[:_MOST_LINES]), added={"tool_calls": calls} if calls else {})


def _claude_result(document: dict[str, Any]) -> AgentEvent:
    usage = document.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    fresh = _sum(_whole(usage, "input_tokens"), _whole(usage, "cache_creation_input_tokens"))
    cached, output = _whole(usage, "cache_read_input_tokens"), _whole(usage, "output_tokens")
    models = document.get("modelUsage")
    names = ", ".join(sorted(models)) if isinstance(models, dict) else None
    millis = _amount(document, "duration_ms")
    is_error = document.get("is_error")
    told = _known(
        outcome=_text(document.get("subtype")),
        is_error=is_error if isinstance(is_error, bool) else None,
        turns=_whole(document, "num_turns"),
        duration_s=None if millis is None else millis / 1000,
        cost_usd=_amount(document, "total_cost_usd"),
        input_tokens=fresh,
        cached_tokens=cached,
        output_tokens=output,
        total_tokens=None if fresh is None or output is None else fresh + output + (cached or 0),
        model=names or None,
    )
    lines = [f"[result] {line}" for line in _lines(document.get("result"))]
    denied = document.get("permission_denials")
    count = len(denied) if isinstance(denied, list) else _whole(document, "permission_denials_count")
    if count:
        lines.append(f"[denied] {count} uses of tools were not permitted")
    return AgentEvent(agent="claude", lines=tuple(lines[:_MOST_LINES]), told=told, ends=True)


def _codex(kind: str, document: dict[str, Any]) -> AgentEvent:
    if kind == "turn.completed":
        usage = document.get("usage")
        usage = usage if isinstance(usage, dict) else {}
        asked, cached = _whole(usage, "input_tokens"), _whole(usage, "cached_input_tokens")
        output = _whole(usage, "output_tokens")
        added = _known(
            turns=1, input_tokens=_less(asked, cached), cached_tokens=cached, output_tokens=output,
            total_tokens=_sum(asked, output),
        )  # fmt: skip
        return AgentEvent(agent="codex", added=added, told={"outcome": "completed", "is_error": False})
    if kind == "turn.failed":
        error = document.get("error")
        said = _lines(error.get("message")) if isinstance(error, dict) else []
        lines = tuple(f"[failed] {line}" for line in said[:_MOST_LINES])
        return AgentEvent(agent="codex", lines=lines, told={"outcome": "failed", "is_error": True})
    item = document.get("item")
    if kind != "item.completed" or not isinstance(item, dict):
        return AgentEvent(agent="codex")
    if item.get("type") == "agent_message":
        return AgentEvent(agent="codex", lines=tuple(_lines(item.get("text"))[:_MOST_LINES]))
    if item.get("type") in ("command_execution", "mcp_tool_call", "web_search", "file_change"):
        name = _text(item.get("command")) or _text(item.get("tool")) or _text(item.get("query")) or str(item["type"])
        return AgentEvent(agent="codex", lines=(f"[tool] {name}",), added={"tool_calls": 1})
    return AgentEvent(agent="codex", lines=tuple(f"[error] {line}" for line in _lines(item.get("message"))[:5]))


def _gemini(kind: str, document: dict[str, Any]) -> AgentEvent:
    if kind == "init":
        return AgentEvent(agent="gemini", told=_known(model=_text(document.get("model"))))
    if kind == "message" and document.get("role") == "assistant":
        return AgentEvent(agent="gemini", lines=tuple(_lines(document.get("content"))[:_MOST_LINES]))
    if kind == "tool_use":
        name = f"[tool] {_text(document.get('tool_name')) or '?'}{_argument(document.get('parameters'))}"
        return AgentEvent(agent="gemini", lines=(name,), added={"tool_calls": 1})
    if kind != "result":
        return AgentEvent(
            agent="gemini", lines=tuple(f"[error] {line}" for line in _lines(document.get("message"))[:5])
        )
    stats = document.get("stats")
    stats = stats if isinstance(stats, dict) else {}
    asked, cached = _whole(stats, "input_tokens"), _whole(stats, "cached")
    millis, status = _amount(stats, "duration_ms"), _text(document.get("status"))
    told = _known(
        outcome=status,
        is_error=None if status is None else status == "error",
        input_tokens=_less(asked, cached),
        cached_tokens=cached,
        output_tokens=_whole(stats, "output_tokens"),
        total_tokens=_whole(stats, "total_tokens"),
        tool_calls=_whole(stats, "tool_calls"),
        duration_s=None if millis is None else millis / 1000,
    )
    error = document.get("error")
    lines = [f"[error] {line}" for line in _lines(error.get("message"))] if isinstance(error, dict) else []
    return AgentEvent(agent="gemini", lines=tuple(lines[:5]), told=told, ends=True)


def _gemini_document(document: dict[str, Any]) -> AgentEvent:
    """The one document of ``--output-format json``: tokens are added up over models."""
    stats = document["stats"]
    models = stats.get("models")
    models = models if isinstance(models, dict) else {}
    tokens = [one["tokens"] for one in models.values() if isinstance(one, dict) and isinstance(one.get("tokens"), dict)]
    asked = [_whole(one, "prompt") for one in tokens]
    cached = [_whole(one, "cached") for one in tokens]
    said = [_sum(_whole(one, "candidates"), _whole(one, "thoughts")) for one in tokens]
    tools = stats.get("tools")
    told = _known(
        model=", ".join(sorted(models)) or None,
        input_tokens=_less(_sum(*asked), _sum(*cached)),
        cached_tokens=_sum(*cached),
        output_tokens=_sum(*said),
        total_tokens=_sum(*(_whole(one, "total") for one in tokens)),
        tool_calls=_whole(tools, "totalCalls") if isinstance(tools, dict) else None,
        is_error=isinstance(document.get("error"), dict),
    )
    return AgentEvent(agent="gemini", lines=tuple(_lines(document.get("response"))[:_MOST_LINES]), told=told, ends=True)


def _copilot(kind: str, data: dict[str, Any]) -> AgentEvent:
    if kind == "assistant.message":
        return AgentEvent(agent="copilot", lines=tuple(_lines(data.get("content"))[:_MOST_LINES]))
    if kind == "assistant.turn_end":
        return AgentEvent(agent="copilot", added={"turns": 1})
    if kind == "tool.execution_start":
        name = f"[tool] {_text(data.get('toolName')) or '?'}{_argument(data.get('arguments'))}"
        return AgentEvent(agent="copilot", lines=(name,), added={"tool_calls": 1})
    if kind != "session.shutdown" or not isinstance(data.get("modelMetrics"), dict):
        return AgentEvent(agent="copilot", told=_known(model=_text(data.get("selectedModel"))))
    models = data["modelMetrics"]
    usages = [one["usage"] for one in models.values() if isinstance(one, dict) and isinstance(one.get("usage"), dict)]
    cached = _sum(*(_whole(one, "cacheReadTokens") for one in usages))
    asked = _sum(*(_whole(one, "inputTokens") for one in usages))
    output = _sum(*(_whole(one, "outputTokens") for one in usages))
    told = _known(
        model=", ".join(sorted(models)) or None, input_tokens=_less(asked, cached), cached_tokens=cached,
        output_tokens=output, total_tokens=_sum(asked, output),
        premium_requests=_amount(data, "totalPremiumRequests"),
    )  # fmt: skip
    return AgentEvent(agent="copilot", told=told, ends=True)


def _lines(text: object) -> list[str]:
    return text[:100_000].splitlines() if isinstance(text, str) else []


def _content(content: object) -> str | None:
    """The text of the result of a tool: text itself, or a list of parts."""
    if isinstance(content, list):
        texts: Iterator[object] = (part.get("text") for part in content if isinstance(part, dict))
        return "\n".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else None


def _argument(values: object) -> str:
    """What a tool was called with, in short."""
    if not isinstance(values, dict):
        return ""
    told = next((values[name] for name in _INPUTS if isinstance(values.get(name), str)), None)
    return f": {told.splitlines()[0][:200]}" if told and told.strip() else ""


def _text(value: object) -> str | None:
    return value[:200] if isinstance(value, str) and value.strip() else None


def _whole(values: Mapping[str, Any], name: str) -> int | None:
    value = values.get(name)
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST
    return value if fits else None


def _amount(values: Mapping[str, Any], name: str) -> float | None:
    value = values.get(name)
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LARGEST
    return float(value) if fits and value is not None else None


def _sum(*parts: int | None) -> int | None:
    """The sum of what is known, None where nothing is."""
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def _less(whole: int | None, part: int | None) -> int | None:
    return None if whole is None else max(0, whole - (part or 0))


def _known(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
