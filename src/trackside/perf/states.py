"""What is known and was decided of changes, carried on: ids that stay, states, and what the store must be told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence, Set
from typing import Final

import msgspec
import polars as pl

from trackside.perf.change_matching import Matching
from trackside.perf.change_records import Change, Changes, Decision, SearchedSeries, Verdict
from trackside.perf.changes import gravity
from trackside.perf.level_changes import is_back, verdict_of
from trackside.records.perf_rules import ChangeNote, ChangeState, KnownChange

REFRESHED_AFTER: Final = dt.timedelta(days=1)
"""A row of which nothing but the levels changed is written again when it is so old."""
_DECIDED: Final = (ChangeState.ACKNOWLEDGED, ChangeState.INTENDED, ChangeState.FIXED)
_ONCE_CONFIRMED: Final = (ChangeState.CONFIRMED, ChangeState.FIXED)
_TELLING: Final = (
    "state", "first_bad_run_id", "first_bad_sha", "first_bad_at", "last_good_run_id", "reason", "link", "decided_at",
    "others",
)  # fmt: skip


class PastChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change that is known and that this window does not show.

    ``stands`` says that the window begins after it and its level is still there; ``verdict`` is None where its series
    is not in the window. ``decision`` is what the state rests on where people decided it.
    """

    known: KnownChange
    state: ChangeState
    verdict: Verdict | None = None
    stands: bool = False
    decision: Decision | None = None

    @property
    def percent(self) -> float | None:
        """From the level before to that after; None where the one before is 0."""
        before = self.known.before
        return 100 * (self.known.after - before) / abs(before) if before else None


class ChangeStates(msgspec.Struct, frozen=True, kw_only=True):
    """The changes with the ids and states in force.

    ``past`` are known ones that the window does not show; those that were never confirmed are left out. ``writes`` are
    the rows that the store does not hold yet. ``unused_notes`` are ids in the settings that no known change has.
    """

    found: Changes
    past: tuple[PastChange, ...] = ()
    writes: tuple[KnownChange, ...] = ()
    unused_notes: tuple[str, ...] = ()

    @property
    def standing(self) -> tuple[PastChange, ...]:
        """The confirmed regressions from before the window whose level is still there and nobody acknowledged."""
        return tuple(
            one
            for one in self.past
            if one.stands and one.state is ChangeState.CONFIRMED and one.verdict is Verdict.REGRESSION
        )

    @property
    def is_alarming(self) -> bool:
        """Whether a check fails on what moved."""
        return bool(self.found.alarming or self.standing)


def reconcile(
    found: Changes, points: pl.DataFrame, known: Sequence[KnownChange], notes: Sequence[ChangeNote], now: dt.datetime
) -> ChangeStates:
    """``found`` with the ids of the ``known`` changes that they are, and the states in force.

    A change is a known one of its series and direction that began within its range, or few points beside it: more data
    may move it. A note of the settings counts before what was decided in the store. What was acknowledged and is made
    good is fixed; what is intended stays so; what was confirmed once is not new again. A known change that these data
    should show and do not counts for nothing, and comes back with its id if they show it again.
    """
    said = {one.id.lower(): one for one in notes}
    matching = Matching(found.changes, points, known)
    ids = matching.ids(said.keys())
    settled = _settled(found.changes, ids, matching, said)
    pairs = zip(found.changes, settled, strict=True)
    rows = [_row(found.repo, raw, matching.known_of(raw), one, now) for raw, one in pairs]
    series = {one.series: one for one in found.series}
    noted = _notes_of_past(matching.unmatched, known, said)
    past = [_past(one, series.get(one.series), matching, noted.get(one.change_id)) for one in matching.unmatched]
    fixed = [
        msgspec.structs.replace(one.known, state=ChangeState.FIXED, last_seen_at=now)
        for one in past
        if one.state is ChangeState.FIXED and one.known.state is ChangeState.CONFIRMED and one.decision is None
    ]
    used = {*ids.values(), *(one.change_id for one in known)}
    return ChangeStates(
        found=msgspec.structs.replace(found, changes=tuple(sorted(settled, key=gravity))),
        past=tuple(sorted((one for one in past if one.state is not ChangeState.NEW), key=_newest_first)),
        writes=tuple(sorted((*filter(None, rows), *fixed), key=lambda row: row.change_id)),
        unused_notes=tuple(sorted(said.keys() - used)),
    )


def _settled(
    changes: Sequence[Change], ids: Mapping[str, str], matching: Matching, said: Mapping[str, ChangeNote]
) -> list[Change]:
    """The changes with their ids and the states in force."""
    own = {one.change_id: _decision(said.get(ids[one.change_id]), matching.known_of(one)) for one in changes}
    stands_for = {one.change_id for one in changes if _holds_for_others(said.get(ids[one.change_id]), matching, one)}
    return [_with_state(one, ids, matching.known_of(one), _own_or_of(one, own, stands_for, ids)) for one in changes]


def _with_state(change: Change, ids: Mapping[str, str], known: KnownChange | None, decision: Decision | None) -> Change:
    return msgspec.structs.replace(
        change,
        change_id=ids[change.change_id],
        state=_in_force(_from_runs(change, known), decision),
        decision=decision,
        moved_with=tuple(ids[one] for one in change.moved_with),
    )


def _own_or_of(
    change: Change, own: Mapping[str, Decision | None], stands_for: Set[str], ids: Mapping[str, str]
) -> Decision | None:
    """What was decided of the change itself, else of one that moved with it and stands for the others."""
    if (decision := own[change.change_id]) is not None:
        return decision
    for one in change.moved_with:
        if one in stands_for and (of := own[one]) is not None:
            return msgspec.structs.replace(of, of=ids[one])
    return None


def _holds_for_others(note: ChangeNote | None, matching: Matching, change: Change) -> bool:
    """Whether what was decided of the change holds for those that moved with it."""
    known = matching.known_of(change)
    return note.others if note is not None else known is not None and known.decided_at is not None and known.others


def _from_runs(change: Change, known: KnownChange | None) -> ChangeState:
    """The state that the runs tell: what they confirmed once is not new again."""
    once = known is not None and known.decided_at is None and known.state in _ONCE_CONFIRMED
    return ChangeState.CONFIRMED if once and change.state is ChangeState.NEW else change.state


def _decision(note: ChangeNote | None, known: KnownChange | None) -> Decision | None:
    """What people decided: the settings first. A note that says new or confirmed leaves it to the runs."""
    if note is not None:
        if note.state not in _DECIDED:
            return None
        return Decision(state=note.state, reason=note.reason, link=note.link)
    if known is None or known.decided_at is None:
        return None
    return Decision(state=known.state, reason=known.reason, link=known.link, decided_at=known.decided_at)


def _in_force(told: ChangeState, decision: Decision | None) -> ChangeState:
    if decision is None or (told is ChangeState.FIXED and decision.state is ChangeState.ACKNOWLEDGED):
        return told
    return decision.state


def _row(repo: str, change: Change, known: KnownChange | None, settled: Change, now: dt.datetime) -> KnownChange | None:
    """The row of the store for a change as it was found and settled, None where the store has it already.

    A decision in the store stays as it is, one of a change that stands for this one is put there; one of the settings
    is not.
    """
    inherited = settled.decision if settled.decision is not None and settled.decision.decided_at is not None else None
    decision = _decision(None, known) or inherited or Decision(state=_from_runs(change, known))
    row = KnownChange(
        repo=repo,
        change_id=settled.change_id,
        series=change.series,
        direction=change.direction.value,
        state=decision.state,
        first_seen_at=now if known is None else known.first_seen_at,
        last_seen_at=now,
        last_good_run_id=change.last_good.run_id,
        first_bad_run_id=change.at.run_id,
        first_bad_sha=change.at.sha,
        first_bad_at=change.at.ordered_at,
        before=change.before,
        after=change.after,
        reason=decision.reason,
        link=decision.link,
        decided_at=decision.decided_at,
        others=known is not None and known.decided_at is not None and known.others,
    )
    if known is None or now - known.last_seen_at >= REFRESHED_AFTER:
        return row
    return row if any(getattr(row, name) != getattr(known, name) for name in _TELLING) else None


def _notes_of_past(
    past: Sequence[KnownChange], known: Sequence[KnownChange], said: Mapping[str, ChangeNote]
) -> dict[str, ChangeNote]:
    """The notes on changes that were not found; one that holds for others is on those that began at the same commit."""
    stands = {one.first_bad_sha: note for one in known if (note := said.get(one.change_id)) is not None and note.others}
    found = {one.change_id: said.get(one.change_id) or stands.get(one.first_bad_sha) for one in past}
    return {change_id: note for change_id, note in found.items() if note is not None}


def _past(known: KnownChange, series: SearchedSeries | None, matching: Matching, note: ChangeNote | None) -> PastChange:
    """A known change that was not found, as it stands."""
    decision = _decision(note, known)
    told = known.state if known.decided_at is None else ChangeState.CONFIRMED
    stands = False
    verdict = None if series is None else verdict_of(known.before, known.after, series.better)
    if series is not None and series.level is not None and known.after != known.before:
        before_window = matching.places[known.series].is_before(known)
        is_fixed = is_back(known.before, known.after, series.level, series.noise or 0.0)
        stands = before_window and not is_fixed
        if before_window and is_fixed and verdict is Verdict.REGRESSION and told is ChangeState.CONFIRMED:
            told = ChangeState.FIXED
    return PastChange(known=known, state=_in_force(told, decision), verdict=verdict, stands=stands, decision=decision)


def _newest_first(past: PastChange) -> tuple[object, ...]:
    at = past.known.first_bad_at or past.known.first_seen_at
    return (not past.stands, -at.timestamp(), past.known.change_id)
