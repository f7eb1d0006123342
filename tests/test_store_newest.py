"""The newest row of each key is the one that the rules in the documentation name, in whatever order rows came."""

from __future__ import annotations

import datetime as dt
import tempfile
from typing import NamedTuple

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.build_github import at, attempt
from trackside.records.runs import RunAttempt, Source
from trackside.store.rows import digest_of, precedence_of
from trackside.store.schema import STAMP_NAMES
from trackside.store.store import open_store

LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)
Key = tuple[str, int, int]


class Batch(NamedTuple):
    """What one writer adds at once, and whether the store is compacted afterwards."""

    minute: int
    attempts: list[RunAttempt]
    compacted: bool


ATTEMPTS = st.builds(
    attempt,
    st.integers(1, 3),
    st.integers(1, 2),
    status=st.sampled_from(["queued", "in_progress", "completed", "brand_new", None]),
    source=st.sampled_from(Source),
    updated_at=st.sampled_from([None, at(1), at(2)]),
    conclusion=st.sampled_from(["success", "failure"]),
)
BATCHES = st.lists(
    st.builds(Batch, st.integers(0, 2), st.lists(ATTEMPTS, min_size=1, max_size=6), st.booleans()), max_size=5
)


def newest_by_the_rules(batches: list[Batch]) -> dict[Key, RunAttempt]:
    rows = [(one, at(batch.minute)) for batch in batches for one in batch.attempts]
    rows.sort(key=lambda row: (precedence_of(row[0]), row[0].updated_at or LONG_AGO, row[1], digest_of(row[0])))
    return {(one.repo, one.run_id, one.run_attempt): one for one, _ in rows}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(BATCHES)
def test_the_newest_rows_are_those_the_rules_name(batches: list[Batch]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(folder)
        for batch in batches:
            store.add_runs(batch.attempts, at(batch.minute))
            if batch.compacted:
                store.compact()
        found = msgspec.convert(store.newest("runs").drop(STAMP_NAMES).collect().to_dicts(), list[RunAttempt])
        assert len(found) == len({(one.repo, one.run_id, one.run_attempt) for one in found})
        assert {(one.repo, one.run_id, one.run_attempt): one for one in found} == newest_by_the_rules(batches)
