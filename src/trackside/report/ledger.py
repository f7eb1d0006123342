"""What was read and what was not: one line when all is well, a table of the files with gaps when not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.table import Table

from trackside.records.engine_run import FileLedger
from trackside.report.safe_text import safe_text
from trackside.report.tables import plain_table

_BROKEN_STATES: Final = ("lfs_pointer", "unreadable", "truncated")
_QUIET_STATES: Final = ("empty", "skipped")
_SAMPLES: Final = 5
_SAMPLE_CHARS: Final = 200
_GAPS: Final = {
    "unrecognised": "Unrecognised",
    "torn": "Torn",
    "overlong": "Overlong",
    "not_a_number": "Not a number",
    "invalid_utf8_bytes": "Non-UTF-8 bytes",
}


def has_broken_state(file: FileLedger) -> bool:
    """True where the file was not read to its end, or is not the log it should be."""
    return file.state in _BROKEN_STATES


def has_gap(file: FileLedger) -> bool:
    """True where something of the file could not be read as what it is."""
    return has_broken_state(file) or any(getattr(file, gap) for gap in _GAPS)


def ledger_line(ledger: Sequence[FileLedger]) -> str:
    """``Read 8 files, 1,234,567 lines: 1,010,000 batch lines, none unrecognised.``"""
    lines = sum(file.lines for file in ledger)
    batches = sum(file.batch_lines for file in ledger)
    unrecognised = sum(file.unrecognised for file in ledger)
    states = [f"{count} {state}" for state in _QUIET_STATES if (count := sum(f.state == state for f in ledger))]
    aside = f" ({', '.join(states)})" if states else ""
    missed = f"{unrecognised:,}" if unrecognised else "none"
    read = f"{counted(len(ledger), 'file')}{aside}, {counted(lines, 'line')}"
    return f"Read {read}: {counted(batches, 'batch line')}, {missed} unrecognised."


def counted(number: int, noun: str) -> str:
    """``1 file``, ``1,234 files``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def ledger_table(ledger: Sequence[FileLedger]) -> Table | None:
    """The files with gaps and only the columns that say something; None where nothing is amiss."""
    files = [file for file in ledger if has_gap(file)]
    if not files:
        return None
    gaps = [gap for gap in _GAPS if any(getattr(file, gap) for file in files)]
    rows = [
        (file.file, _state(file), file.lines, file.batch_lines, *(getattr(file, gap) for gap in gaps)) for file in files
    ]
    headings = ("File", "State", "Lines", "Batch", *(_GAPS[gap] for gap in gaps))
    return plain_table("Not everything could be read", headings, rows)


def ledger_details(ledger: Sequence[FileLedger]) -> list[str]:
    """Samples of the lines that were not recognised and the fields that have no column, a line each."""
    details = [
        f"{safe_text(file.file)}: not recognised: {safe_text(sample[:_SAMPLE_CHARS])}"
        for file in ledger
        for sample in file.samples[:_SAMPLES]
    ]
    for file in ledger:
        if file.unknown_fields:
            fields = ", ".join(f"{safe_text(name)} ({count:,})" for name, count in file.unknown_fields.items())
            details.append(f"{safe_text(file.file)}: fields without a column: {fields}")
    return details


def _state(file: FileLedger) -> str:
    state = file.state.replace("_", " ").replace("lfs", "LFS")
    return f"{state}: {file.note}" if file.note else state
