"""Rules for the services of language models and for the agents that work with them."""

from __future__ import annotations

from typing import Final

from trackside.joblogs.rule_table import Rule, rule
from trackside.records.failures import Cause

RULES: Final[tuple[Rule, ...]] = (
    rule(
        "model-overloaded",
        Cause.RATE_LIMIT,
        84,
        r"\boverloaded_error\b|\b529\b.{0,80}[Oo]verloaded|The model is (?:currently )?overloaded"
        r"|(?:engine|model) is currently overloaded",
        "overload",
        last=True,
    ),
    rule(
        "model-rate-limit",
        Cause.RATE_LIMIT,
        84,
        r"\brate_limit_error\b|would exceed .{0,60}rate limit of [\d,]+|RESOURCE_EXHAUSTED.{0,200}(?:[Qq]uota|rate)"
        r"|Quota exceeded for quota metric",
        "rate_limit_error",
        "rate limit",
        "exceed",
        last=True,
    ),
    rule(
        "model-usage-limit",
        Cause.RATE_LIMIT,
        83,
        r"(?i)usage limit reached|(?:hit|reached) your (?:usage|session|weekly) limit|credit balance is too low"
        r"|\binsufficient_quota\b|exceeded your current quota",
        "usage limit",
        "session limit",
        "weekly limit",
        "credit balance",
        "insufficient_quota",
        "exceed",
        last=True,
    ),
    rule(
        "model-key",
        Cause.CONFIGURATION,
        82,
        r"invalid x-api-key|\bauthentication_error\b|Incorrect API key provided|\binvalid_api_key\b"
        r"|API key not valid\. Please pass|Invalid API key · |Could not resolve authentication method\."
        r"|(?:ANTHROPIC|OPENAI|GEMINI|CODEX)_API_KEY\b.{0,60}(?:is (?:not set|required|missing|empty)|not found)",
        "api key",
        "api_key",
        "api-key",
        "authentication_error",
        "could not",
        last=True,
    ),
    rule(
        "model-request",
        Cause.CONFIGURATION,
        80,
        r"\bnot_found_error\b.{0,80}model|\bmodel_not_found\b|The model `?[\w./:-]{1,100}`? does not exist"
        r"|prompt is too long: |\bcontext_length_exceeded\b|maximum context length is \d",
        "error",
        "not found",
        "does not exist",
        "prompt is too long",
        "exceed",
        "context length",
        last=True,
    ),
    rule(
        "agent-turns",
        Cause.TIMEOUT,
        82,
        r"\berror_max_turns\b|(?i:Reached max(?:imum)? (?:number of |session )?turns)",
        "error",
        "max turns",
        "reached max",
        last=True,
    ),
    rule(
        "agent-tools",
        Cause.CONFIGURATION,
        77,
        r"MCP server .{1,100}(?:failed to (?:start|connect)|connection failed)"
        r"|Failed to (?:start|connect to) MCP server",
        "mcp server",
        "fail",
        last=True,
    ),
)
