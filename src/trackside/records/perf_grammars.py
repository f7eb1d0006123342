"""How performance numbers are printed: rules of a benchmark's output, as data."""

from __future__ import annotations

import enum

import msgspec

from trackside.records.measurements import Better


class Take(enum.StrEnum):
    """Which of a metric's values within a test counts where it is printed several times."""

    EACH = "each"
    """Each is one of another block of results: the last has the test's name, those before it ``test#1``, ``test#2``."""
    LAST = "last"
    FIRST = "first"
    LARGEST = "largest"
    """Of what each of several workers prints."""


class Says(enum.StrEnum):
    """What a line that a TestRule matches says of the tests that run."""

    COMMAND = "command"
    """A command that runs one test: the test's section, until the next command or the next step of the job."""
    TEST = "test"
    """A test begins, within the file or the step that is running."""
    PASSED = "passed"
    FAILED = "failed"
    """The named test failed; without a name the one that is running."""
    AGAIN = "again"
    """The test that is running failed and is run again at once."""


class Format(enum.StrEnum):
    """What the numbers are printed as."""

    TEXT = "text"
    JSON = "json"


class MetricRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A metric: a regular expression searched in cleaned lines; ``{number}`` in it is the value.

    Without ``{number}`` its group ``value`` (else its only one) is. ``name`` may name other groups, as in
    ``{stat}_ttft_ms``: they are written in lower case with ``_`` for what is no letter or digit. A group ``case`` tells
    apart what one test measures several times (a batch size): it goes to the name of the test, in brackets, after that
    of the block.
    In a JSON grammar ``path`` leads to the value instead, and ``{unit}`` in the name is the unit of the item.
    ``words`` are those of which a line must hold one to be looked at; without them the longest text that every match
    must hold is taken.
    ``established`` marks the metrics whose charts are drawn unless all are asked for.
    """

    name: str
    match: str | None = None
    path: str | None = None
    unit: str | None = None
    better: Better = Better.NEITHER
    take: Take = Take.EACH
    scale: float = 1.0
    words: tuple[str, ...] = ()
    established: bool = False


class TestRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line that says which test runs, or how it ended.

    Groups of ``match``: ``test`` is its name, ``class`` that of its class and ``file`` its file, where they are told.
    """

    __test__ = False

    says: Says
    match: str
    words: tuple[str, ...] = ()


class JsonItems(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the results are in a JSON document; paths are keys with dots between them.

    ``items`` leads to the list of results (none: the document is one, or a list of them). In an item ``test`` leads to
    the name of what was measured, ``unit`` to its unit, and ``case`` to what tells apart several results of one test;
    ``requires`` are paths that an item must have to be one.
    ``higher`` and ``lower`` are the units in which more, or less, is better where the metric does not say.
    """

    items: str = ""
    test: str | None = None
    case: tuple[str, ...] = ()
    unit: str | None = None
    requires: tuple[str, ...] = ()
    higher: tuple[str, ...] = ()
    lower: tuple[str, ...] = ()


class EstablishedTests(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tests of jobs whose name contains ``job``, and those of their metrics whose charts are drawn."""

    job: str
    metrics: tuple[str, ...]
    tests: tuple[str, ...]


class Grammar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way of printing results.

    ``begin`` is searched in the lines that begin a block of results: with it metrics count within a block only, until
    ``end`` or the next ``begin``; its group ``case`` is that of the block's metrics. ``words`` are those of which a log
    must hold one to be read with the grammar; none: those of its metrics. ``logs`` says whether it is looked for in
    logs; otherwise only in files that are read with it by name. ``shared`` numbers are of what the tests of a file have
    in common (a server), and named after the file. Rules of ``tests`` hold for the numbers of all
    grammars. ``established`` is the table of tests and their metrics; of tests that are not in it the metrics that are
    marked count.
    """

    name: str
    format: Format = Format.TEXT
    begin: str | None = None
    end: str | None = None
    words: tuple[str, ...] = ()
    metrics: tuple[MetricRule, ...] = ()
    tests: tuple[TestRule, ...] = ()
    json: JsonItems = JsonItems()
    logs: bool = True
    shared: bool = False
    established: tuple[EstablishedTests, ...] = ()
