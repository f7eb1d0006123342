"""The table of the server: which deliveries of webhooks were taken."""

from __future__ import annotations

from typing import Final

import polars as pl

from trackside.store.columns import REPO, TIME, Column, Table

DELIVERIES: Final = Table(
    "deliveries",
    1,
    "a delivery of a webhook that was taken; kept for a week, so that none is taken twice",
    key=("repo", "delivery_id"),
    order=("repo", "delivery_id"),
    about="received_at",
    columns=(
        REPO,
        Column("delivery_id", pl.String, "", "id of the delivery; the digest of its body where the sender told none"),
        Column("body_sha256", pl.String, "", "digest of its body"),
        Column("event", pl.String, "", "workflow_run or workflow_job"),
        Column("received_at", TIME, "", "when it came"),
        Column("size_bytes", pl.Int64, "bytes", "length of its body"),
    ),
)
