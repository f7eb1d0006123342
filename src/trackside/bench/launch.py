"""Launch configuration: what ``ServerArgs(...)``, vLLM's argument line or an echoed command line say of a worker."""

from __future__ import annotations

import ast
import re
from typing import Any, Final

import msgspec

# Text that every launch line holds; other lines may hold it too.
LAUNCH_NEEDLES: Final = (b"rgs", b" --")
_SERVER_ARGS: Final = re.compile(rb"server_args=ServerArgs\(|\bServerArgs\((?=\w+=)")
_VLLM_ARGS: Final = re.compile(rb"non-default args: (?=\{)")
_COMMAND: Final = re.compile(
    rb"(?:sglang\.launch_server|sglang serve|dynamo\.sglang(?:\.\w+)*|vllm serve|vllm\.entrypoints\S*|trtllm-serve)\b"
)
_NAMESPACE: Final = re.compile(rb"\bargs: Namespace\((?=\w+=)")
_HELP: Final = re.compile(rb"\busage: |\[-h\]")
# Flags of a shell line, or of a printed list of words.
_FLAG: Final = re.compile(
    rb"(?<![\w-])(?:--(?P<name>[a-z][a-z0-9_-]*)|-(?P<short>[tdpe]p)\b)(?:(?:[= ]+|['\"], +)(?!-\D)"
    rb"(?:'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\"|['\"]?(?P<word>[^\s'\",`\]]+)))?"
)
MAX_LINE: Final = 1 << 20
_ALIASES: Final = {
    "tp": "tp_size",
    "dp": "dp_size",
    "ep": "ep_size",
    "pp": "pp_size",
    "tensor_parallel_size": "tp_size",
    "data_parallel_size": "dp_size",
    "expert_parallel_size": "ep_size",
    "pipeline_parallel_size": "pp_size",
    "tensor_model_parallel_size": "tp_size",
    "tp_size": "tp_size",
    "dp_size": "dp_size",
    "ep_size": "ep_size",
    "pp_size": "pp_size",
}
_SECRET: Final = re.compile(r"(?i)(?:api_?key|token|password|secret)$")
_PUBLIC: Final = frozenset({"skip_tokenizer_init"})


def read_launch(line: bytes) -> tuple[str, dict[str, Any]] | None:
    """How the worker was started: ``(source, settings)``, source being server_args, engine_args or command_line.

    Parallel sizes stand under ``tp_size``, ``dp_size``, ``ep_size`` and ``pp_size`` whatever the engine calls them.
    Values that look like credentials are replaced.
    """
    source, settings = _read_settings(line[:MAX_LINE])
    return (source, _canonical(settings)) if settings else None


def _read_settings(text: bytes) -> tuple[str, dict[str, Any]]:
    for pattern, source, reader in (
        (_SERVER_ARGS, "server_args", _read_call),
        (_VLLM_ARGS, "engine_args", _read_dict),
        (_NAMESPACE, "engine_args", _read_call),
    ):
        match = pattern.search(text)
        if match:
            return source, reader(text[match.end() :].decode("utf-8", "replace"))
    match = _COMMAND.search(text)
    if match is None or _HELP.search(text):
        return "command_line", {}
    return "command_line", dict(_read_flag(flag) for flag in _FLAG.finditer(text, match.end()))


def _read_flag(flag: re.Match[bytes]) -> tuple[str, Any]:
    name = (flag["name"] or flag["short"]).decode().replace("-", "_")
    value = next((v for group in ("single", "double", "word") if (v := flag[group]) is not None), None)
    return name, True if value is None else _literal(value.decode("utf-8", "replace"))


def _canonical(settings: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in settings.items():
        if value is not None and key not in _PUBLIC and _SECRET.search(key) and isinstance(value, str) and value:
            value = "(hidden)"
        out.setdefault(_ALIASES.get(key, key), value)
    return out


def _read_call(text: str) -> dict[str, Any]:
    """Keyword arguments up to the bracket that closes the call; a cut call gives what stood before the cut."""
    settings: dict[str, Any] = {}
    for part in _split_top_level(text):
        key, equals, value = part.partition("=")
        if equals and key.strip().isidentifier():
            settings[key.strip()] = _literal(value.strip())
    return settings


def _read_dict(text: str) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for part in _split_top_level(text[1:]):
        key, colon, value = part.partition(":")
        name = _literal(key.strip())
        if colon and isinstance(name, str):
            settings[name] = _literal(value.strip())
    return settings


def _split_top_level(text: str) -> list[str]:
    """Parts between commas outside brackets and quotes, up to the closing bracket of the text."""
    parts: list[str] = []
    depth = 0
    start = 0
    quote = ""
    escaped = False
    for index, char in enumerate(text):
        if quote:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == quote:
                quote = ""
        elif char in "'\"":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            if depth == 0:
                return [*parts, text[start:index]]
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return parts


def _literal(text: str) -> Any:
    """The Python value of a literal that JSON can hold without loss, else text."""
    if len(text) > 65_536:
        return text[:200] + "…"
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text[:2_000]
    return value if _survives_json(value) else repr(value)


def _survives_json(value: object) -> bool:
    """Whether a cache gives back what it was given: no infinity, no tuple, no key that is a number."""
    try:
        return bool(msgspec.json.decode(msgspec.json.encode(value)) == value)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError):
        return False
