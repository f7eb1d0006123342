"""Finds the logs of a run: which files hold a worker's lines, by name first, else by what is in them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trackside.errors import PathNotFoundError, UnreadableInputError
from trackside.records.engine_run import Role

_ENDING: Final = r"\.(?P<ext>out|err|log|txt)(?P<rotation>(?:[.-]\d{1,10})?)(?:\.(?P<packed>gz|zst))?\Z"
WORKER_NAME: Final = re.compile(
    r"(?P<node>.+?)_(?P<role>prefill|decode|agg|frontend)_(?P<worker>[^.]+?)(?:_DP(?P<dp>\d{1,5}))?" + _ENDING,
    re.DOTALL,
)
LOG_NAME: Final = re.compile(r"(?P<stem>.+?)" + _ENDING, re.DOTALL)
REQUEST_FILES: Final = re.compile(r"sglang-request-metrics-|requirements.*\.txt$|CMakeLists\.txt$")
_NUMBERED: Final = re.compile(r"w\d+")
_HARNESS: Final = re.compile(
    r"(?:log|benchmark|bench|sweep|orchestrator|slurm|router|nginx|etcd|nats|postprocess)(?:[_.-]|$)"
)
_ROLE_WORD: Final = re.compile(r"(?:^|[^A-Za-z])(prefill|decode|agg|frontend|router)(?:$|[^A-Za-z])")


@dataclass(frozen=True, slots=True)
class Source:
    """One log file. ``role`` and ``worker_id`` are None where the name does not say them; ``order`` sorts rotations.

    ``hint`` is a role that the name mentions outside the usual place.
    """

    path: Path
    name: str
    node: str
    role: Role | None
    worker_id: str | None
    dp: int | None
    order: int
    packed: str | None
    hint: Role | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """A run on disk: the job's name, its logs, the files that are read and those that are not, with the reason."""

    name: str
    path: Path
    logs_dir: Path
    sources: tuple[Source, ...]
    skipped: tuple[tuple[str, str], ...]


def find_logs(path: Path) -> Layout:
    """The logs of the run at ``path``: a job directory, its ``logs`` directory, or one log file.

    Raises PathNotFoundError, UnreadableInputError where a directory may not be listed.
    """
    try:
        return _find_logs(path)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise UnreadableInputError(msg) from error


def _find_logs(path: Path) -> Layout:
    if not path.exists():
        msg = f"Path does not exist: {path}"
        raise PathNotFoundError(msg)
    resolved = path.resolve()
    if not resolved.is_dir():
        if not resolved.is_file():
            msg = f"{path} is neither a directory nor a file"
            raise UnreadableInputError(msg)
        return Layout(shown_name(resolved), resolved, resolved.parent, (_source(resolved, one=True),), ())
    logs_dir = resolved / "logs" if (resolved / "logs").is_dir() else resolved
    name = shown_name(logs_dir.parent if logs_dir.name == "logs" else resolved)
    named = sorted(f for f in logs_dir.iterdir() if LOG_NAME.match(f.name) and not f.is_dir())
    sources = [_source(file) for file in named if file.is_file() and not REQUEST_FILES.search(file.name)]
    chosen, skipped = _choose(sources)
    skipped += [(shown_name(file), "no file, or a link to nothing") for file in named if not file.is_file()]
    return Layout(name or str(logs_dir), resolved, logs_dir, tuple(chosen), tuple(skipped))


def shown_name(path: Path) -> str:
    """The name of a file as text; bytes in it that are no UTF-8 are written out."""
    return shown_path(Path(path.name))


def shown_path(path: Path) -> str:
    """A path as text; bytes in it that are no UTF-8 are written out, so that any program reads it."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _choose(sources: list[Source]) -> tuple[list[Source], list[tuple[str, str]]]:
    """Where files are named after workers (``w0``), only those count: other logs of such a job repeat their lines.

    Names that only mention a role may be chance: then no more than the logs of job scripts are left out.
    """
    skipped = [(s.name, "a frontend's log: no batch lines") for s in sources if s.role is Role.FRONTEND]
    sources = [s for s in sources if s.role is not Role.FRONTEND]
    unnamed = [s for s in sources if not s.role and not s.hint]
    numbered = any(_NUMBERED.fullmatch(s.worker_id or "") for s in sources)
    named = numbered or len(unnamed) < len(sources)
    others = [s for s in unnamed if numbered or (named and _HARNESS.match(s.name))]
    skipped += [(s.name, "not named after a worker") for s in others]
    sources = [s for s in sources if s not in others]
    plain = {s.name for s in sources if not s.packed}
    twins = [s for s in sources if s.packed and s.name.removesuffix(f".{s.packed}") in plain]
    skipped += [(s.name, "the same log stands there unpacked") for s in twins]
    return [s for s in sources if s not in twins], skipped


def _source(path: Path, *, one: bool = False) -> Source:
    name = shown_name(path)
    match = WORKER_NAME.match(name)
    if match:
        dp = int(match["dp"]) if match["dp"] else None
        role = None if one and match["role"] == "frontend" else Role(match["role"])
        return Source(path, name, match["node"], role, match["worker"], dp, _order(match), match["packed"])
    plain = LOG_NAME.match(name)
    stem = plain["stem"] if plain else name
    packed = plain["packed"] if plain else next((s for s in ("gz", "zst") if name.endswith("." + s)), None)
    word = _ROLE_WORD.search(stem)
    hint = Role(word[1]) if word and word[1] != "router" else None
    return Source(path, name, stem, None, None, None, _order(plain) if plain else 0, packed, hint)


def _order(match: re.Match[str]) -> int:
    """Rotated parts come before the live file, the highest number (or the earliest date) first."""
    rotation = match["rotation"]
    if not rotation:
        return 1 << 40
    number = int(rotation[1:])
    return number if number > 1_000_000 else -number
