"""The figures of a built site that the server tells to Prometheus, out of its documents."""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

from trackside.server.site_folder import Site

BROKEN: Final = "broken"
REGRESSIONS: Final = "regressions"
_OPEN: Final = ("new", "confirmed")
D = TypeVar("D", bound=msgspec.Struct)


class _Streak(msgspec.Struct):
    is_default_line: bool = False


class _Streaks(msgspec.Struct):
    broken: list[_Streak]


class _StreaksFile(msgspec.Struct):
    streaks: _Streaks


class _Change(msgspec.Struct):
    state: str
    verdict: str


class _ChangesFile(msgspec.Struct):
    changes: list[_Change]


def site_figures(site: Site) -> dict[str, int | None]:
    """How many jobs are broken on the default branch, and how many series are slower without anybody having answered.

    None for what the site does not tell.
    """
    streaks = _read(site, "data/ci-streaks.json", _StreaksFile)
    changes = _read(site, "data/perf-changes.json", _ChangesFile)
    return {
        BROKEN: None if streaks is None else sum(one.is_default_line for one in streaks.streaks.broken),
        REGRESSIONS: None
        if changes is None
        else sum(one.verdict == "regression" and one.state in _OPEN for one in changes.changes),
    }


def _read(site: Site, path: str, shape: type[D]) -> D | None:
    file = site.files.get(path)
    if file is None:
        return None
    try:
        return msgspec.json.decode(file.plain, type=shape)
    except msgspec.DecodeError:
        return None
