"""Which engine worked in a run of GitHub Agentic Workflows, as the run itself says in ``aw_info.json``.

The file is in the artifact ``activation``, in a called workflow with something before its name; runs compiled by older
versions have it in ``aw-info`` or ``aw_info.json``. Source: documentation and source of gh-aw.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from trackside.records.artifacts import FileRule

AW_INFO: Final = "aw_info.json"
ENGINE_FILES: Final = tuple(
    FileRule(artifact=name, file=AW_INFO) for name in ("activation", "*-activation", "aw-info", AW_INFO)
)
"""Where the file is looked for in the artifacts of a run."""
_ENGINE: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


class _AwInfo(msgspec.Struct):
    engine_id: str | None = None


def engine_in(content: bytes) -> str | None:
    """``engine_id`` of the content of an ``aw_info.json``; None where it tells none, or nothing that is a name."""
    try:
        told = msgspec.json.decode(content, type=_AwInfo).engine_id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    engine = (told or "").strip().lower()
    return engine if _ENGINE.fullmatch(engine) else None
