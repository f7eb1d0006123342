"""Deliveries of webhooks into a store, many in one commit, each once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Final, Protocol

from trackside.errors import UnreadableInputError
from trackside.github.json_items import DecodeProblem
from trackside.github.webhooks import Delivery, read_payload
from trackside.records.deliveries import Incoming, Outcome, Taken, TakenDelivery
from trackside.sync.ingest import Shelf, ingest_deliveries

REMEMBERED: Final = dt.timedelta(days=7)
"""How long a delivery is remembered; one that comes again later is taken again, and tells nothing new."""


class DeliveryShelf(Shelf, Protocol):
    """Where records are put, and which deliveries were taken; the store is one."""

    def add_deliveries(self, deliveries: Sequence[TakenDelivery], observed_at: dt.datetime) -> None:
        """Adds that deliveries were taken."""
        ...

    def known_deliveries(self, ids: Collection[str], digests: Collection[str], since: dt.datetime) -> frozenset[str]:
        """Of ``ids`` and ``digests`` those of deliveries that were taken at ``since`` or later."""
        ...


def take_deliveries(
    incoming: Sequence[Incoming], shelf: DeliveryShelf, repo: str, now: dt.datetime
) -> tuple[Outcome, ...]:
    """What became of each of ``incoming``; on return whatever they tell of ``repo`` is in the store.

    A delivery that cannot be stored leaves the others as they are. Raises OutputError where nothing can be written;
    then none counts as taken.
    """
    known = set(
        shelf.known_deliveries(
            {one.delivery_id for one in incoming}, {one.body_sha256 for one in incoming}, now - REMEMBERED
        )
    )
    outcomes: dict[int, Outcome] = {}
    fresh: dict[int, Delivery] = {}
    for place, one in enumerate(incoming):
        if known & {one.delivery_id, one.body_sha256}:
            outcomes[place] = Outcome(taken=Taken.DUPLICATE)
            continue
        read = _read(one.body, repo)
        if isinstance(read, Delivery):
            known |= {one.delivery_id, one.body_sha256}
            fresh[place] = read
        else:
            outcomes[place] = read
    outcomes |= _put(fresh, shelf, repo, now)
    stored = [_row(incoming[place], repo) for place in fresh if outcomes[place].taken is Taken.STORED]
    shelf.add_deliveries(stored, now)
    return tuple(outcomes[place] for place in range(len(incoming)))


def _read(body: bytes, repo: str) -> Delivery | Outcome:
    """What the body tells of ``repo``; why not, where it tells nothing of it."""
    try:
        read = read_payload(body, repo=repo)
    except DecodeProblem as problem:
        return Outcome(taken=Taken.UNREADABLE, why=str(problem))
    if not read.runs and not read.jobs:
        why = read.problems[0] if read.problems else "it tells of no run and no job"
        return Outcome(taken=Taken.UNREADABLE if read.lost else Taken.IGNORED, why=why)
    named = {*(run.repo for run in read.runs), *(job.repo for job in read.jobs)}
    others = sorted(name for name in named if name.lower() != repo.lower())
    return Outcome(taken=Taken.IGNORED, why=f"it is of {others[0]}, not of {repo}") if others else read


def _put(fresh: Mapping[int, Delivery], shelf: DeliveryShelf, repo: str, now: dt.datetime) -> dict[int, Outcome]:
    """Stores all together; one by one where a number in one of them cannot be stored."""
    try:
        ingest_deliveries(fresh.values(), shelf, repo, now)
    except UnreadableInputError as error:
        if len(fresh) == 1:
            return dict.fromkeys(fresh, Outcome(taken=Taken.UNREADABLE, why=str(error)))
        alone = [_put({place: one}, shelf, repo, now) for place, one in fresh.items()]
        return {place: outcome for part in alone for place, outcome in part.items()}
    return {place: Outcome(taken=Taken.STORED, runs=len(one.runs), jobs=len(one.jobs)) for place, one in fresh.items()}


def _row(one: Incoming, repo: str) -> TakenDelivery:
    return TakenDelivery(
        repo=repo,
        delivery_id=one.delivery_id,
        body_sha256=one.body_sha256,
        event=one.event,
        received_at=one.received_at,
        size_bytes=len(one.body),
    )
