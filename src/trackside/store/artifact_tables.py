"""The tables of artifacts: what became of each, its files of measurements, and which runs' lists were read."""

from __future__ import annotations

from typing import Final

import polars as pl

from trackside.store.columns import REPO, RUN, TEXTS, TIME, Column, Table

_ARTIFACT: Final = Column("artifact_id", pl.Int64, "", "id of the artifact")
_RUN_ID: Final = RUN[0]

ARTIFACTS: Final = Table(
    "artifacts",
    1,
    "an artifact of a run, downloaded or not",
    key=("repo", "artifact_id"),
    order=("repo", "run_id", "artifact_id"),
    about="created_at",
    columns=(
        REPO,
        _ARTIFACT,
        _RUN_ID,
        Column("name", pl.String, "", "name of the artifact"),
        Column("state", pl.String, "", "listed, ready, never, expired or unreadable"),
        Column("created_at", TIME, "", "when it was uploaded"),
        Column("size_bytes", pl.Int64, "bytes", "size of its ZIP"),
        Column("globs", TEXTS, "", "the globs that its files in `artifact_files` were chosen by"),
        Column("files", pl.Int64, "files", "how many were kept of the last download"),
        Column("note", pl.String, "", "why it, or some file of it, could not be read"),
    ),
)

ARTIFACT_FILES: Final = Table(
    "artifact_files",
    1,
    "one file of measurements in an artifact",
    key=("repo", "artifact_id", "path"),
    order=("repo", "run_id", "artifact_id", "path"),
    about="observed_at",
    columns=(
        REPO,
        _ARTIFACT,
        _RUN_ID,
        Column("path", pl.String, "", "path in the artifact"),
        Column("size_bytes", pl.Int64, "bytes", "size of the file, before compression"),
        Column("content", pl.Binary, "", "the file as it came, compressed with Zstandard"),
    ),
    part=200,
)

ARTIFACT_LISTS: Final = Table(
    "artifact_lists",
    1,
    "the marker that the artifacts of a run were listed after an attempt",
    key=("repo", "run_id", "run_attempt"),
    order=("repo", "run_id", "run_attempt"),
    about="observed_at",
    columns=(
        REPO,
        *RUN,
        Column("artifacts", pl.Int64, "artifacts", "how many there were"),
    ),
)
