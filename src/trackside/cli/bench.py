"""The engine-log commands. Each opens, calls one function of the library and renders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter, validators

from trackside.cli.bench_registering import register_runs, require_registrable
from trackside.cli.options import FLAG, Format, Output, Reading, Selection, whole_number
from trackside.cli.runs import read_run, require_everything_read, tables_of, tell_ledger
from trackside.cli.terminal import Terminal, open_terminal
from trackside.errors import NoDataError, PathNotFoundError, UnreadableInputError
from trackside.report.ledger import counted
from trackside.report.run_document import RunFigures, as_csv, as_json, as_markdown, parse_document
from trackside.report.safe_text import safe_text
from trackside.report.tables import cache_line, runs_table, worker_table
from trackside.report.workers import RunTables

if TYPE_CHECKING:
    from trackside.engine.run import Run


def parse(
    paths: Annotated[tuple[Path, ...], Parameter(json_list=False)],
    /,
    *,
    selection: Selection | None = None,
    reading: Reading | None = None,
    output: Output | None = None,
    strict: Annotated[bool, FLAG] = False,
    register: Annotated[bool, FLAG] = False,
    store: Annotated[str | None, Parameter(show_default=False)] = None,
    format: Format = "table",  # noqa: A002 - the name of the option
) -> int:
    """Print the workers of a run and write its node_metrics.parquet.

    Args:
        paths: Run directories, with or without logs/, or log files; of several, one row each.
        strict: End with 4 where a batch-like line was not recognised or a file not read whole.
        register: Keep the run's figures and curves in the store, from where the site shows them.
        store: With --register: a directory or an s3://, gs:// or abfss:// URL. .trackside if nothing is said.
        format: How to print; json, csv and markdown go to stdout alone.
    """
    selection, output = selection or Selection(), output or Output()
    require_registrable(selection, store, register=register)
    terminal = open_terminal(quiet=output.quiet, verbose=output.verbose)
    runs, failed = _read_all(paths, selection, reading or Reading(), terminal)
    tables = [tables_of(run, selection) for run in runs]
    figures = [_figures(run) for run in runs] if output.verbose else None
    if format == "table":
        _print_tables(runs, tables, terminal)
    elif format == "markdown":
        terminal.data(as_markdown(tables))
    else:
        document = parse_document(tables, figures)
        terminal.data(as_json(document) if format == "json" else as_csv(document))
    for run in tables:
        tell_ledger(run, terminal)
    if register:
        register_runs(runs, selection, store, terminal)
    if strict:
        require_everything_read(tables)
    return 1 if failed else 0


def viz(
    path: Path,
    /,
    *,
    report: Annotated[Path, Parameter(name=["--output", "-o"])] = Path("report.html"),
    group_by: Literal["node", "dp", "all"] = "node",
    open_: Annotated[bool, Parameter(name="--open"), FLAG] = False,
    selection: Selection | None = None,
    output: Output | None = None,
) -> int:
    """Draw a run in one HTML report that opens without a network.

    Args:
        path: Run directory, with or without logs/, or a log file.
        report: The file to write.
        group_by: One series a worker, one a role and DP rank, or one a role.
        open_: Open the report in a browser.
    """
    from trackside.bench.series import REPORT_COLUMNS
    from trackside.report.bench_report import write_bench_report

    selection, output = selection or Selection(), output or Output()
    terminal = open_terminal(quiet=output.quiet, verbose=output.verbose)
    run = read_run(path, selection, Reading(), terminal)
    rows = run.rows(REPORT_COLUMNS)
    written = write_bench_report(run.name, rows, run.workers, run.ledger, run.notes, report, group_by)
    tables = tables_of(run, selection)
    _print_tables([run], [tables], terminal)
    terminal.data(f"Report: {safe_text(str(written))}")
    tell_ledger(tables, terminal)
    if open_:
        import webbrowser

        webbrowser.open(written.as_uri())
    return 0


def time_breakdown(
    path: Path,
    /,
    *,
    report: Annotated[Path, Parameter(name=["--output", "-o"])] = Path("time_breakdown.html"),
    stats_only: Annotated[bool, FLAG] = False,
    limit: Annotated[
        int | None, Parameter(converter=whole_number, validator=validators.Number(gte=1), show_default=False)
    ] = None,
    output: Output | None = None,
) -> int:
    """Show where the time of requests goes: queue, prefill, decode.

    Args:
        path: Directory of sglang-request-metrics-*.log or *.jsonl files, or one of them.
        report: The file to write.
        stats_only: Print the table and write no report.
        limit: Stop after so many requests.
    """
    from trackside.bench.request_times import break_down, summarise
    from trackside.engine.request_metrics import read_request_metrics
    from trackside.report.request_report import write_request_report
    from trackside.report.request_tables import reading_notes, request_table

    output = output or Output()
    terminal = open_terminal(quiet=output.quiet, verbose=output.verbose)
    metrics = read_request_metrics(path, limit)
    segments = break_down(metrics.requests)
    here = path.resolve()
    title = here.parent.name if here.name == "logs" else here.name
    terminal.data(request_table(title, summarise(segments)))
    if not stats_only:
        terminal.data(f"\nReport: {safe_text(str(write_request_report(title, metrics, report)))}")
    read, *missed = reading_notes(metrics, segments)
    terminal.note(f"{read}.")
    for note in missed:
        terminal.warn(f"{note}.")
    return 0


def export(
    path: Path,
    /,
    *,
    folder: Annotated[Path, Parameter(name=["--output", "-o"])],
    format: Literal["parquet", "csv"] = "parquet",  # noqa: A002 - the name of the option
    selection: Selection | None = None,
    output: Output | None = None,
) -> int:
    """Write the rows, workers, ledger and launch configuration of a run as tidy tables.

    Args:
        path: Run directory, with or without logs/, or a log file.
        folder: The directory to write into; made if needed.
        format: The kind of file.
    """
    from trackside.bench.scan import PARSER_VERSION
    from trackside.report.exports import export_run
    from trackside.report.table_files import FileFormat

    selection, output = selection or Selection(), output or Output()
    terminal = open_terminal(quiet=output.quiet, verbose=output.verbose)
    run = read_run(path, selection, Reading(), terminal)
    run.refresh_table()
    written = export_run(run.row_batches(), run.workers, run.ledger, folder, FileFormat(format), PARSER_VERSION)
    for table in written:
        terminal.data(f"{safe_text(str(table.path))} ({counted(table.rows, 'row')})")
    tell_ledger(tables_of(run, selection), terminal)
    return 0


def _read_all(
    paths: tuple[Path, ...], selection: Selection, reading: Reading, terminal: Terminal
) -> tuple[list[Run], int]:
    """The runs that could be read and how many could not; a lone path that cannot be read is an error."""
    runs: list[Run] = []
    for path in paths:
        try:
            runs.append(read_run(path, selection, reading, terminal))
        except (NoDataError, PathNotFoundError, UnreadableInputError) as error:
            if len(paths) == 1:
                raise
            terminal.fail(safe_text(f"{path}: {error}"))
    return runs, len(paths) - len(runs)


def _print_tables(runs: list[Run], tables: list[RunTables], terminal: Terminal) -> None:
    if len(tables) == 1:
        terminal.data(worker_table(tables[0]))
    elif tables:
        terminal.data(runs_table(tables))
    if terminal.verbose:
        for run in runs:
            _print_figures(run, terminal)
    if len(tables) == 1 and (line := cache_line(tables[0])):
        terminal.data(f"\n{line}")


def _print_figures(run: Run, terminal: Terminal) -> None:
    from trackside.bench.summary import SUMMARY_COLUMNS, summarise_run, summarise_workers
    from trackside.report.figures import run_figure_lines, worker_figures_tables

    rows = run.rows(SUMMARY_COLUMNS)
    terminal.data("")
    figures = summarise_workers(rows, run.workers).to_dicts()
    for table in worker_figures_tables(figures, run.workers, terminal.out.width):
        terminal.data(table)
    terminal.data("\n".join(run_figure_lines(summarise_run(rows, run.workers))))


def _figures(run: Run) -> RunFigures:
    import msgspec

    from trackside.bench.summary import SUMMARY_COLUMNS, summarise_run, summarise_workers

    rows = run.rows(SUMMARY_COLUMNS)
    workers = summarise_workers(rows, run.workers).drop("role", "batch_rows", "gpus", "first_us", "last_us")
    return RunFigures(
        run=msgspec.structs.asdict(summarise_run(rows, run.workers)),
        workers={row.pop("name"): row for row in workers.to_dicts()},
    )
