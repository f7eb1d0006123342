"""The artifacts of runs as the store knows them: their names and sizes, and the engines that they name."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from trackside.agents.engines import AW_INFO, ENGINE_FILES, engine_in
from trackside.agents.frames import ARTIFACT_COLUMNS
from trackside.evidence.history import among, once
from trackside.evidence.selection import same_repository
from trackside.github.log_text import unpack_log
from trackside.store.store import Store


def artifacts_frame(store: Store, repo: str, runs: pl.Series) -> pl.DataFrame:
    """The artifacts of the runs with these ids, with the columns ``ARTIFACT_COLUMNS``, by run and id."""
    mine = store.newest("artifacts").filter(same_repository(repo), among(runs))
    rows = once(mine.select("repo", *ARTIFACT_COLUMNS.keys()).collect(engine="streaming"), ["artifact_id"])
    return rows.cast(ARTIFACT_COLUMNS).sort("run_id", "artifact_id")


def engines_of(store: Store, repo: str, artifacts: pl.DataFrame) -> Mapping[int, tuple[str, ...]]:
    """The engines that ``aw_info.json`` in the artifacts names, by run, each once, the newest artifact first."""
    names = [name for name in artifacts["name"].unique() if any(rule.matches(name) for rule in ENGINE_FILES)]
    wanted = artifacts.filter(pl.col("name").is_in(names))
    if wanted.is_empty():
        return {}
    mine = pl.col("artifact_id").is_in(wanted["artifact_id"].implode())
    own = pl.col("path").str.split("/").list.last() == AW_INFO
    files = store.newest("artifact_files").filter(same_repository(repo), mine, own)
    rows = files.select("artifact_id", "run_id", "content").collect(engine="streaming")
    found: dict[int, tuple[str, ...]] = {}
    for _, run_id, content in rows.sort("artifact_id", descending=True).iter_rows():
        engine = engine_in(unpack_log(content))
        if engine is not None and engine not in found.get(run_id, ()):
            found[run_id] = (*found.get(run_id, ()), engine)
    return found
