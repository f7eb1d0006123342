"""A short name for an error that is the same over runs, machines and days, and differs between different errors."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Final

from trackside.joblogs.portable_paths import portable_path
from trackside.records.failures import Cause

FINGERPRINT_VERSION: Final = "2"

_INSTALLED: Final = re.compile(r"^.*[/\\](?:site|dist)-packages[/\\]")
_TEMPORARY: Final = re.compile(r"^(?:/private)?/(?:tmp|var/folders|var/tmp|dev/shm)/|[/\\](?:Temp|_temp|tmp)[/\\]")


def _path(match: re.Match[str]) -> str:
    path = match[0]
    if _TEMPORARY.search(path):
        return "<tmp>"
    installed = _INSTALLED.sub("", path)
    return installed if installed != path else portable_path(path, "")


# In this order: what is masked first is not seen by the rest.
_MASKS: Final[tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]] = (
    (re.compile(r"\x1b\[[0-9;?]*[A-Za-z]"), ""),
    (re.compile(r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b"), "<id>"),
    # Ids that services of models and others write with a prefix, and whatever is called the id of a request.
    (
        re.compile(
            r"\b(?:req|msg|toolu|srvtoolu|call|resp|chatcmpl|asst|evt)[_-]"
            r"(?=[A-Za-z0-9]{0,40}\d)[A-Za-z0-9]{12,64}\b"
        ),
        "<id>",
    ),
    (
        re.compile(r"(?i)\b((?:request|correlation|trace|activity)[-_ ]?id\"?\s{0,2}[:=]\s{0,2}\"?)[\w.:-]{6,80}"),
        r"\1<id>",
    ),
    (re.compile(r"\d{4}-\d\d-\d\d(?:[T _-]\d\d[:-]\d\d[:-]\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)?"), "<time>"),
    (re.compile(r"\b\d\d?:\d\d:\d\d(?:[.,]\d{1,9})?\b"), "<time>"),
    (re.compile(r"\b0[xX][0-9a-fA-F]+\b"), "<hex>"),
    (re.compile(r"\bsha256:[0-9a-f]{6,64}"), "<hex>"),
    # Not behind the slash of an address: of two hosts one would be made.
    (re.compile(r"(?<![\w.])(?<!:/)(?:/|[A-Za-z]:\\)[\w.@+~-]+(?:[/\\][\w.@+~-]+)+"), _path),
    (re.compile(r"\b(?:ip-\d+-\d+-\d+-\d+|i-[0-9a-f]{8,17})\b"), "<host>"),
    (re.compile(r"\b(?=[0-9a-fA-F]*\d)(?=\d*[a-fA-F])[0-9a-fA-F]{7,64}\b"), "<hex>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b"), "<ip>"),
    (re.compile(r"\b(?:localhost|\[::1?\]):\d{1,5}\b"), "<ip>"),
    (re.compile(r"\b(?:rank|gw|TP|DP|PP|EP|GPU|gpu|cuda:|worker|Worker|thread|Thread|TP_|card)[ _-]?\d+\b"), "<part>"),
    (re.compile(r"(?<=python)3\.\d{1,2}t?\b"), "3"),
    (
        re.compile(r"(?<![A-Za-z_\d])[-+]?\d[\d.,_]*(?:[eE][-+]?\d+)?(?: ?(?:%|[KMGT]?i?B|[num]?s|µs|sec|min|h|m)\b)?"),
        "<n>",
    ),
    (re.compile(r"(?:<n>[\s,;x×-]{0,3}){2,}"), "<n> "),
    (re.compile(r"([=_\-*.~!#])\1{3,}"), r"\1"),
    (re.compile(r"\s+"), " "),
)


def masked(line: str) -> str:
    """The line without what differs from run to run.

    Times, ids, addresses, hashes, numbers, ports, ranks and the folders of one machine are replaced; words stay,
    and digits that belong to one (``fp8``, ``test_pp2``).
    """
    for pattern, mask in _MASKS:
        line = pattern.sub(mask, line)
    return line.strip()


def fingerprint(cause: Cause, line: str, test: str | None = None) -> str:
    """16 hex digits, equal for equal errors: of the cause, the masked line and the test, if one is known.

    Lines are compared without their numbers, so two thresholds of one test are one error; two tests are not.
    """
    words = "\n".join((FINGERPRINT_VERSION, cause.value, masked(line), masked(test or "")))
    return hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:16]
