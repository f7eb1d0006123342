"""The document of benchmark runs: their figures and curves, without where their logs are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from trackside.records.bench_runs import BenchCurve, BenchFigures, BenchRun
from trackside.report.html_page import short_number

BENCHMARKS_VERSION: Final = 1
MOST_BYTES: Final = 4_500_000
"""Of the whole document; older runs come without their curves where it would be longer."""
_FIGURES: Final = 5
"""Those of a value of a curve."""


class BenchmarksDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The benchmark runs that the site shows, registered or found in folders, the newest first.

    ``curves_left_out`` counts runs that have curves which are not here: the document would be too long.
    """

    schema_version: int
    runs: tuple[BenchFigures, ...]
    curves_left_out: int = 0


def benchmarks_json(runs: Iterable[BenchRun], most_bytes: int = MOST_BYTES) -> bytes:
    """A BenchmarksDocument in UTF-8, the runs in the order in which they are given."""
    told: list[BenchFigures] = []
    size = left_out = 0
    for run in runs:
        curves = tuple(map(_short, run.curves))
        length = len(msgspec.json.encode(curves))
        if size + length > most_bytes:
            left_out, curves = left_out + bool(curves), ()
        size += length if curves else 0
        figures = msgspec.convert(run, BenchFigures, from_attributes=True)
        # A directory may have a name that is no text.
        name = run.name.encode(errors="backslashreplace").decode()
        told.append(msgspec.structs.replace(figures, name=name, curves=curves))
    document = BenchmarksDocument(schema_version=BENCHMARKS_VERSION, runs=tuple(told), curves_left_out=left_out)
    return msgspec.json.encode(document) + b"\n"


def _short(curve: BenchCurve) -> BenchCurve:
    values = tuple(None if one is None else short_number(one, _FIGURES) for one in curve.y)
    seconds = tuple(short_number(one, _FIGURES) for one in curve.x_s)
    return msgspec.structs.replace(curve, x_s=seconds, y=values)
