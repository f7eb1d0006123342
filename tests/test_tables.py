"""The tables of ``parse``: what is printed for which records."""

from __future__ import annotations

import io
import json
from pathlib import Path

import jsonschema
import pytest
from rich.console import Console, RenderableType

from tests import build
from trackside.bench.topology import topology_of
from trackside.records.engine_run import FileLedger, Ranks, RankTotals, Role
from trackside.report.ledger import ledger_details, ledger_line, ledger_table
from trackside.report.run_document import (
    RunFigures,
    as_csv,
    as_json,
    as_markdown,
    parse_document,
    parse_schema,
)
from trackside.report.tables import cache_line, format_value, ranks_of, runs_table, worker_table
from trackside.report.workers import format_duration, format_span

HOSTILE = "job\x1b[31m\x1b]52;c;cGF5\x07\r[red]x[/red]\u202e:smile:"
SCHEMA = Path(__file__).parent.parent / "docs" / "schemas" / "parse.schema.json"

SIX_TWO = """\
                        4401463
╭─────────────┬───────┬───────────────────────────────╮
│ Worker Type │ Count │ Time Range                    │
├─────────────┼───────┼───────────────────────────────┤
│ Prefill     │     6 │ 16:10:37 → 17:18:27 (67m 50s) │
│ Decode      │     2 │ 16:10:46 → 17:18:35 (67m 49s) │
├─────────────┼───────┼───────────────────────────────┤
│ Total       │     8 │ 16:10:37 → 17:18:35 (67m 58s) │
╰─────────────┴───────┴───────────────────────────────╯
"""


def render(content: RenderableType, *, terminal: bool = False, width: int = 200) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, force_terminal=terminal, color_system="standard" if terminal else None).print(
        content
    )
    return "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())


def test_the_worker_table_of_six_prefill_and_two_decode_workers() -> None:
    assert render(worker_table(build.run_tables(*build.six_prefill_two_decode()))) == SIX_TWO


def test_the_worker_types_have_their_colours_and_the_total_is_bold() -> None:
    run = build.run_tables(build.worker(Role.PREFILL), build.worker(Role.DECODE), build.worker(Role.AGG))
    shown = render(worker_table(run), terminal=True)
    assert "\x1b[34mPrefill" in shown
    assert "\x1b[32mDecode" in shown
    assert "\x1b[35mAggregated" in shown
    assert "\x1b[1mTotal" in shown


def test_only_the_worker_types_that_are_there_have_a_row() -> None:
    shown = render(worker_table(build.run_tables(build.worker(Role.AGG))))
    assert "Aggregated" in shown
    assert "Prefill" not in shown
    assert "Decode" not in shown


def test_frontends_are_not_counted() -> None:
    run = build.run_tables(build.worker(Role.AGG), build.worker(Role.FRONTEND))
    assert "│ Total       │     1 │" in render(worker_table(run))


def test_a_worker_without_times_has_a_dash() -> None:
    run = build.run_tables(build.worker(Role.AGG, first_us=None, last_us=None))
    assert "│ Aggregated  │     1 │ -          │" in render(worker_table(run))


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0s"), (42, "42s"), (60, "1m 0s"), (4070, "67m 50s"), (90_000, "1500m 0s")]
)
def test_durations_count_minutes_beyond_the_hour(seconds: int, shown: str) -> None:
    assert format_duration(seconds * 1_000_000) == shown


def test_times_are_the_logged_ones_unless_a_zone_is_given() -> None:
    workers = [build.worker(first="16:10:37", last="16:10:40")]
    assert format_span(workers, None) == "16:10:37 → 16:10:40 (3s)"
    assert format_span(workers, "America/Los_Angeles") == "08:10:37 → 08:10:40 (3s)"


def test_the_topology_names_each_kind_of_worker_that_is_there() -> None:
    assert topology_of(build.six_prefill_two_decode()) == "6P/2D"
    assert topology_of([build.worker(Role.AGG, index) for index in range(8)]) == "8A"
    assert topology_of([build.worker(Role.FRONTEND)]) == ""


def test_several_runs_have_a_row_each() -> None:
    first = build.run_tables(*build.six_prefill_two_decode())
    second = build.run_tables(build.worker(Role.AGG), name="77", ledger=(FileLedger("a.out", unrecognised=3),))
    assert (
        render(runs_table([first, second]))
        == """\
╭─────────┬──────────┬─────────┬─────────────┬───────────────────────────────┬──────────────╮
│ Job     │ Topology │ Workers │ Batch Lines │ Time Range                    │ Unrecognised │
├─────────┼──────────┼─────────┼─────────────┼───────────────────────────────┼──────────────┤
│ 4401463 │ 6P/2D    │       8 │          80 │ 16:10:37 → 17:18:35 (67m 58s) │            0 │
│ 77      │ 1A       │       1 │          10 │ 16:10:37 → 17:18:27 (67m 50s) │            3 │
╰─────────┴──────────┴─────────┴─────────────┴───────────────────────────────┴──────────────╯
"""
    )


def test_the_cache_line_says_where_or_that_it_was_used() -> None:
    run = build.run_tables()
    assert cache_line(run) == "Cached to: /runs/4401463/logs/cached_assets/node_metrics.parquet"
    assert cache_line(build.run_tables(from_cache=True)) == "Loaded from cache"
    assert cache_line(build.run_tables(cache_path=None)) is None
    assert cache_line(build.run_tables(cache_path="/a\nb")) == "Cached to: /a\\nb"


def test_a_hostile_name_is_shown_and_not_sent() -> None:
    run = build.run_tables(build.worker(), name=HOSTILE)
    for shown in (
        render(worker_table(run)),
        render(runs_table([run, run])),
        as_json(parse_document([run])),
        as_csv(parse_document([run])),
        as_markdown([run]),
    ):
        assert not set(shown) & set("\x1b\x07\r\u202e")


def test_markup_in_a_name_stays_text() -> None:
    assert "[red]x[/red]" in render(worker_table(build.run_tables(build.worker(), name="[red]x[/red]")))


def test_a_clean_ledger_is_one_line() -> None:
    files = [
        FileLedger("a.out", lines=1_234_560, prefill=1_000_000),
        FileLedger("b.out", lines=7, decode=10_000),
    ]
    assert ledger_line(files) == "Read 2 files, 1,234,567 lines: 1,010,000 batch lines, none unrecognised."
    assert ledger_table(files) is None
    assert ledger_details(files) == []


def test_empty_and_skipped_files_are_counted_in_the_line() -> None:
    files = [
        FileLedger("a.out", state="empty"),
        FileLedger("b.out", state="skipped"),
        FileLedger("c.out", lines=1),
    ]
    assert ledger_line(files) == "Read 3 files (1 empty, 1 skipped), 1 line: 0 batch lines, none unrecognised."


def test_a_ledger_with_gaps_lists_the_files_that_have_them() -> None:
    files = [
        FileLedger("good.out", lines=5, decode=5),
        FileLedger("b\x1b[2J.out", lines=9, prefill=4, unrecognised=2, invalid_utf8_bytes=7),
        FileLedger("lfs.out", state="lfs_pointer", lines=3),
    ]
    table = ledger_table(files)
    assert table is not None
    assert (
        render(table)
        == """\
Not everything could be read
╭──────────────┬─────────────┬───────┬───────┬──────────────┬─────────────────╮
│ File         │ State       │ Lines │ Batch │ Unrecognised │ Non-UTF-8 bytes │
├──────────────┼─────────────┼───────┼───────┼──────────────┼─────────────────┤
│ b\\x1b[2J.out │ ok          │     9 │     4 │            2 │               7 │
│ lfs.out      │ LFS pointer │     3 │     0 │            0 │               0 │
╰──────────────┴─────────────┴───────┴───────┴──────────────┴─────────────────╯
"""
    )


def test_samples_and_unknown_fields_are_told_safely() -> None:
    file = FileLedger("a.out", unrecognised=9, samples=("Decode batch\x07\r",), unknown_fields={"#new\x1b": 3})
    assert ledger_details([file]) == [
        "a.out: not recognised: Decode batch\\x07\\r",
        "a.out: fields without a column: #new\\x1b (3)",
    ]


def test_ranks_are_shown_as_ranges() -> None:
    totals = tuple(RankTotals(Ranks(dp=dp, tp=0), "decode", 1, 0, 0) for dp in (0, 1, 2, 3))
    assert ranks_of(build.worker(rank_totals=totals)) == "DP0-3 TP0"
    assert ranks_of(build.worker(rank_totals=(totals[0], totals[2]))) == "DP0,2 TP0"
    assert ranks_of(build.worker(rank_totals=())) == "-"


def test_values_read_as_text() -> None:
    assert [format_value(value) for value in (None, True, 1234567, 0.123456, 12345.6, "a\x07")] == [
        "-", "yes", "1,234,567", "0.1235", "12,346", "a\\x07",
    ]  # fmt: skip


def test_the_document_fits_the_published_schema() -> None:
    run = build.run_tables(*build.six_prefill_two_decode(), notes=("A note.",))
    figures = RunFigures(run={"output_tps": 12.5}, workers={"n1_decode_w0": {"output_tps": 6.25}})
    document = json.loads(as_json(parse_document([run], [figures])))
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema, jsonschema.Draft202012Validator)
    document["runs"][0]["topology"] = 3
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema, jsonschema.Draft202012Validator)


def test_the_published_schema_is_the_one_of_the_records() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == json.loads(json.dumps(parse_schema()))


def test_the_document_keeps_unknown_apart_from_zero() -> None:
    run = build.run_tables(build.worker(Role.AGG, first_us=None, last_us=None), cache_path=None)
    [worker] = json.loads(as_json(parse_document([run])))["runs"][0]["workers"]
    assert worker["first"] is None
    assert worker["gpus"] is None
    assert worker["batch_rows"] == 10


def test_csv_has_a_row_a_worker_and_no_cell_that_a_spreadsheet_runs() -> None:
    run = build.run_tables(build.worker(Role.DECODE, tp_size=8, gpus=16), name="=HYPERLINK(1)")
    figures = RunFigures(run={}, workers={"n1_decode_w0": {"output_tps": 6.25}})
    header, row = as_csv(parse_document([run], [figures])).splitlines()
    assert header == (
        "job,name,node,role,worker_id,engine,files,batch_rows,memory_rows,first,last,launches,"
        "tp_size,dp_size,ep_size,pp_size,gpus,output_tps"
    )
    assert row == (
        "'=HYPERLINK(1),n1_decode_w0,n1,decode,w0,sglang,n1_decode_w0.out,10,2,"
        "2026-01-31T16:10:37,2026-01-31T17:18:27,1,8,,,,16,6.25"
    )


def test_markdown_neutralises_what_a_comment_would_act_on() -> None:
    shown = as_markdown([build.run_tables(build.worker(), name="@all #1 <b>|`x`")])
    assert shown.splitlines()[0] == "### &#64;all &#35;1 &#60;b&#62;&#124;&#96;x&#96;"
    assert "| Prefill | 1 | 16:10:37 → 17:18:27 (67m 50s) |" in shown
