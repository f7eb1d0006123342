"""The ledger of a sync: its lines for people, its document for programs."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import jsonschema
import msgspec
import pytest

from scripts.schemas import DOCUMENTS, schema_of, text_of
from trackside.records.syncs import EndpointCalls, FailedCall, Missing, RateLimit, SyncRecord
from trackside.report.sync_report import missing_line, sync_document, sync_lines

STOPPED = "Calls to GitHub have stopped: GitHub asks for a pause"
NOON = dt.datetime(2026, 11, 2, 12, 0, tzinfo=dt.UTC)
RECORD = SyncRecord(
    repo="octo/engine",
    sync_id="20261102T120000Z-00000000",
    started_at=NOON,
    ended_at=NOON + dt.timedelta(seconds=9.5),
    status="ok",
    api="auto",
    window_start=NOON - dt.timedelta(days=7),
    window_stop=NOON,
    scope="",
    calls=13,
    billed=12,
    bytes=1_250_000,
    endpoints=(EndpointCalls(endpoint="runs", calls=2, billed=2), EndpointCalls(endpoint="jobs", calls=11, billed=10)),
    limits=(RateLimit(resource="core", limit=5000, remaining_start=4999, remaining_end=4987, reset_at=NOON),),
    runs_listed=120,
    runs_new=8,
    runs_changed=2,
    runs_unchanged=110,
    attempts_selected=121,
    attempts_fetched=10,
    attempts_complete=121,
    jobs_new=1_015,
    steps_new=9_000,
    completeness=1.0,
    phases_s={"runs": 1.25, "jobs": 8.0},
)


def test_a_complete_sync_says_so_in_a_few_lines() -> None:
    assert sync_lines(RECORD) == [
        "octo/engine: runs created 2026-10-26 12:00 UTC to 2026-11-02 12:00 UTC",
        "  runs      120 listed: 8 new, 2 changed, 110 unchanged",
        "  attempts  121 in the selection, 10 read now, 121 complete (100 %)",
        "  jobs      1,015 read, 9,000 steps",
        "  calls     13 (12 billed): runs 2, jobs 11",
        "  limit     core: 4,999 left at the start, 4,987 at the end of 5,000 an hour, "
        "full again at 2026-11-02 12:00 UTC",
        "  took      9.5 s (runs 1.2, jobs 8.0), 1.2 MB",
        "  missing   nothing",
    ]


def test_what_is_missing_is_told_with_reason_and_samples() -> None:
    missing = Missing(
        what="attempts", reason="not asked for", count=3, samples=("https://github.test/1", "2", "3", "4")
    )
    record = msgspec.structs.replace(RECORD, missing=(missing,), completeness=0.99999)
    assert sync_lines(record)[-1] == "  missing   3 attempts: not asked for, such as https://github.test/1, 2, 3"
    assert sync_lines(record)[2].endswith("(99.9 %)"), "what is missing is not rounded away"
    assert missing_line(record).startswith("Not complete: 3 attempts missing (not asked for). ")


def test_one_reason_is_told_once_for_all_that_it_keeps_away() -> None:
    stop = "Calls to GitHub have stopped: 0 left; what came is kept; run the same again later and it goes on from there"
    missing = (
        Missing(what="attempts", reason=f"not asked for: {stop}", count=3),
        Missing(what="jobs", reason="refused", count=1),
        Missing(what="stretches of the run list", reason=stop, count=1),
    )
    record = msgspec.structs.replace(RECORD, missing=missing)
    assert missing_line(record) == (
        "Not complete: 3 attempts, 1 stretch of the run list missing (Calls to GitHub have stopped: 0 left); 1 job "
        "missing (refused). What was read is kept; run the same again later and it goes on from there."
    )
    assert sync_lines(record)[-3:] == [
        "  missing   3 attempts: not asked for: Calls to GitHub have stopped: 0 left",
        "  missing   1 job: refused",
        "  missing   1 stretch of the run list: Calls to GitHub have stopped: 0 left",
    ]


def refused(number: int, says: str = "the token needs actions: read") -> Missing:
    url = f"https://api.github.test/repos/octo/engine/actions/jobs/{number}/logs"
    why = f"GET {url} was refused (403: Resource not accessible by personal access token): {says}"
    return Missing(what="logs", reason=why, count=1, samples=(f"https://github.test/runs/{number}",))


def test_reasons_that_differ_in_an_id_alone_are_one_with_an_example() -> None:
    record = msgspec.structs.replace(RECORD, missing=tuple(refused(number) for number in range(110)))
    assert missing_line(record) == (
        "Not complete: 110 logs missing (GET https://api.github.test/repos/octo/engine/actions/jobs/…/logs was refused "
        "(403: Resource not accessible by personal access token): the token needs actions: read; "
        "first: https://github.test/runs/0). What was read is kept."
    )


def test_what_a_sync_has_put_together_already_has_its_example_too() -> None:
    missing = Missing(what="logs", reason="GET … is gone (410)", count=7, samples=("https://github.test/runs/1",))
    record = msgspec.structs.replace(RECORD, missing=(missing,))
    assert "7 logs missing (GET … is gone (410); first: https://github.test/runs/1)." in missing_line(record)


def test_many_reasons_are_a_line_of_about_600_characters() -> None:
    record = msgspec.structs.replace(RECORD, missing=tuple(refused(n, f"the token needs {n}") for n in range(50)))
    line = missing_line(record)
    assert len(line) < 700
    assert line.endswith("; and 48 more reasons. What was read is kept.")


def test_a_reason_without_end_is_cut() -> None:
    endless = Missing(what="logs", reason="x" * 9_000, count=1, samples=("https://github.test/" + "y" * 9_000,))
    assert len(missing_line(msgspec.structs.replace(RECORD, missing=(endless, refused(1))))) < 700


@pytest.mark.parametrize(
    ("reasons", "again"),
    [
        (["GET … was refused (403: no): the token lacks a permission"], False),
        (["GET … is not there, or the token may not see it (404)", "GET … needs a token (401): set it"], False),
        (["GET … failed (502)"], True),
        (["GET … was refused (403: no)", "Calls to GitHub have stopped: 0 left"], True),
        ([f"{STOPPED} (403: a secondary limit)"], True),
    ],
)
def test_the_same_again_is_advised_only_where_it_can_help(reasons: list[str], again: bool) -> None:
    missing = tuple(Missing(what="logs", reason=reason, count=1) for reason in reasons)
    line = missing_line(msgspec.structs.replace(RECORD, missing=missing))
    assert ("run the same again later" in line) is again


@pytest.mark.parametrize("share", [None, 0.5])
def test_an_unknown_completeness_is_not_a_number(share: float | None) -> None:
    record = msgspec.structs.replace(RECORD, completeness=share)
    assert sync_lines(record)[2].endswith("(unknown)" if share is None else "(50.0 %)")


def test_hostile_names_reach_the_terminal_as_text() -> None:
    failed = FailedCall(endpoint="jobs", url="https://api.test/\x1b]0;x\x07", status=500, reason="\x1b[2J")
    record = msgspec.structs.replace(
        RECORD, failed_calls=(failed,), notes=("\x1b[31m",), parse_errors=1, parse_error_samples=("\r",)
    )
    assert "\x1b" not in "\n".join(sync_lines(record))
    assert "\r" not in "\n".join(sync_lines(record))


def test_the_document_follows_the_published_schema() -> None:
    document = json.loads(json.dumps(sync_document(RECORD)))
    validator = jsonschema.Draft202012Validator(schema_of("sync"), format_checker=jsonschema.FormatChecker())
    assert list(validator.iter_errors(document)) == []
    assert list(validator.iter_errors({**document, "sync": {**document["sync"], "calls": "many"}})) != []


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_the_published_schema_is_that_of_the_record(name: str) -> None:
    file = Path(__file__).parent.parent / "docs" / "schemas" / f"{name}.schema.json"
    assert file.read_text(encoding="utf-8") == text_of(name), "run make docs"
