"""What came of files and streams that were put into a store without a call."""

from __future__ import annotations

import msgspec


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many were not known, how many changed what was known, and how many told nothing new."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0


class IngestRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One ingest.

    ``documents`` are lines, or whole files that are one document. ``lost`` counts documents, runs and jobs that could
    not be read, ``ignored`` payloads of other events. ``runs`` counts each run once, whatever its attempts. Steps
    count as their job does. ``problems`` are fields, items and documents that could not be read, ``samples`` tells the
    first of them.
    """

    documents: int = 0
    lost: int = 0
    ignored: int = 0
    runs: int = 0
    attempts: Counts = Counts()
    jobs: Counts = Counts()
    steps: Counts = Counts()
    problems: int = 0
    samples: tuple[str, ...] = ()
