"""What a repository's settings say of its performance numbers: where they are, how they are read, what is known."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from trackside.records.artifacts import FileRule
from trackside.records.perf_grammars import Grammar


class ChangeState(enum.StrEnum):
    """What is known, or was decided, of a change point."""

    NEW = "new"
    """Found, and not yet confirmed by later runs."""
    CONFIRMED = "confirmed"
    """Later runs bear it out."""
    ACKNOWLEDGED = "acknowledged"
    """Somebody knows of it and has said why it stands."""
    INTENDED = "intended"
    """It is the price, or the fruit, of something that was wanted."""
    FIXED = "fixed"
    """A later change made it good."""

    @property
    def is_open(self) -> bool:
        """Whether it stands and nobody has decided on it."""
        return self in (ChangeState.NEW, ChangeState.CONFIRMED)


class SeriesAlias(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A renamed job, test or metric: what was ``old`` is read as ``new``. Whole names; ``kind`` says of what.

    ``new`` may have been renamed again. Raises ValueError for a name that is empty or its own.
    """

    old: str
    new: str
    kind: Literal["job", "test", "metric"] = "test"

    def __post_init__(self) -> None:
        if not self.old.strip() or not self.new.strip():
            raise ValueError("an alias needs the old name and the new one; one of them is empty")
        if self.old == self.new:
            raise ValueError(f"{self.old!r} is renamed to itself")


class ChangeNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A decision on a change point that is committed with the settings: by the id that ``perf changes`` shows.

    With ``others`` it is one on every change that moved at the same commits too.
    """

    id: str
    state: ChangeState
    reason: str
    link: str | None = None
    others: bool = False

    def __post_init__(self) -> None:
        """Refuses what is no decision."""
        if self.state in (ChangeState.NEW, ChangeState.FIXED):
            raise ValueError("state is acknowledged or intended, or confirmed, which leaves it to the runs")
        if not self.reason.strip():
            raise ValueError("a decision needs a reason")


class ArtifactRule(FileRule, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """JSON files of measurements in the artifacts of a run; ``grammar`` names what reads them.

    ``job`` is the name of the job that they count as printed by, with or without its matrix, or a glob of such names;
    without it they count as printed by a job with the name of the artifact.
    """

    grammar: str
    job: str | None = None


class PerfRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section ``[perf]`` of the settings.

    ``workflows`` are those whose runs are points (none: those of ``[sync]``). ``grammars`` names those that come with
    the product and are used (none: all of them), ``grammar`` holds the repository's own, which go first. ``ended`` are
    globs of series, as ``perf changes`` names them, that were given up: that they stopped is no alarm.
    Raises ValueError for aliases that lead in a circle, or rename one name twice.
    """

    workflows: tuple[str, ...] = ()
    grammars: tuple[str, ...] = ()
    grammar: tuple[Grammar, ...] = ()
    artifacts: tuple[ArtifactRule, ...] = ()
    aliases: tuple[SeriesAlias, ...] = ()
    changes: tuple[ChangeNote, ...] = ()
    ended: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for kind in ("job", "test", "metric"):
            renames(kind, self.aliases)


def renames(kind: str, aliases: Sequence[SeriesAlias]) -> Mapping[str, str]:
    """What each renamed job, test or metric (``kind``) is called now, renames of a new name followed to the last.

    Raises ValueError where they lead in a circle, or one name has two new ones.
    """
    next_name: dict[str, str] = {}
    for one in aliases:
        if one.kind == kind and next_name.setdefault(one.old, one.new) != one.new:
            raise ValueError(f"aliases rename the {kind} {one.old!r} to {next_name[one.old]!r} and to {one.new!r}")
    found = {}
    for old, new in next_name.items():
        passed = {old}
        while new in next_name and new not in passed:
            passed.add(new)
            new = next_name[new]
        if new in passed:
            raise ValueError(f"aliases rename the {kind} {new!r} in a circle")
        found[old] = new
    return found


class KnownChange(msgspec.Struct, frozen=True, kw_only=True):
    """What the store knows of a change point; the key is (``repo``, ``change_id``).

    ``series`` is the text id of a series, ``direction`` up or down. The levels are in the unit of the metric.
    ``first_bad_at`` is when its commit was first run on the default branch. ``decided_at`` is None where nobody
    decided the state: it then follows from the runs. ``others`` says that the decision holds for every change that
    moved at the same commits too.
    """

    repo: str
    change_id: str
    series: str
    direction: str
    state: ChangeState
    first_seen_at: dt.datetime
    last_seen_at: dt.datetime
    last_good_run_id: int | None
    first_bad_run_id: int
    first_bad_sha: str | None
    first_bad_at: dt.datetime | None
    before: float
    after: float
    reason: str | None = None
    link: str | None = None
    decided_at: dt.datetime | None = None
    others: bool = False
