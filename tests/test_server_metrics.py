"""Whether the server is well, and its figures: what Prometheus reads, with no label from outside."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import time
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.build_github import attempt, ledger
from tests.serving import FILES, python, server_here
from trackside.server.backend import Figures
from trackside.server.metrics import CONCLUSIONS, Metrics

NOW = dt.datetime.now(dt.UTC)


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_the_figures_are_read_back_as_prometheus_reads_them(tmp_path: Path) -> None:
    with server_here(tmp_path) as served:
        served.store.add_sync(ledger(ended_at=NOW - dt.timedelta(seconds=100), status="partial"))
        served.store.add_runs([attempt(1, created_at=NOW), attempt(2, created_at=NOW, conclusion="failure")], NOW)
        served.until_ready()
        answer = served.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=1.0.0")
        told = samples(answer.body.decode())
        assert told["trackside_runs", (("conclusion", "failure"),)] == 1
        assert told["trackside_runs", (("conclusion", "timed_out"),)] == 0
        assert told["trackside_last_sync_status", (("status", "partial"),)] == 1
        assert told["trackside_last_sync_status", (("status", "ok"),)] == 0
        assert 100 <= told["trackside_sync_age_seconds", ()] < 200 + (dt.datetime.now(dt.UTC) - NOW).total_seconds()
        assert told["trackside_broken_jobs", ()] == 1
        assert told["trackside_regressions", ()] == 1
        assert told["trackside_site_builds_total", (("result", "ok"),)] >= 1
        assert told["trackside_site_generated_timestamp_seconds", ()] == 1795327200.0
        assert told["trackside_info", (("version", "0.0"),)] == 1


def test_what_is_not_known_is_no_zero(tmp_path: Path) -> None:
    with server_here(tmp_path, files={"index.html": "x"}) as served:
        served.until_ready()
        told = samples(served.get("/metrics").body.decode())
        for name in ("trackside_broken_jobs", "trackside_regressions", "trackside_sync_age_seconds"):
            assert told[name, ()] != told[name, ()], name


def test_requests_are_counted_by_route_and_status_and_by_nothing_that_came_from_outside(tmp_path: Path) -> None:
    with server_here(tmp_path) as served:
        served.until_ready()
        for number in range(30):
            served.get(f"/no-{number}.html")
            served.get(f"/api/v1/runs/{number}?x={number}")
            served.get("/healthz", host=f"evil-{number}.example")
        told = samples(served.get("/metrics").body.decode())
        counted = {labels: value for (name, labels), value in told.items() if name == "trackside_http_requests_total"}
        assert counted[("route", "/{path:path}"), ("status", "404")] == 30
        assert counted[("route", "/api/v1/runs/{run_id}"), ("status", "400")] == 30
        assert counted[("route", "refused"), ("status", "421")] == 30
        assert len(counted) < 10


def test_each_request_is_counted_at_the_address_that_answered_it(tmp_path: Path) -> None:
    with server_here(tmp_path) as served:
        served.until_ready()
        for path in ("/webhooks/github", "/api/v1/runs/1/analysis", "/api/nothing", "/webhooks/nothing"):
            served.get(path)
        told = samples(served.get("/metrics").body.decode())
        counted = {labels: value for (name, labels), value in told.items() if name == "trackside_http_requests_total"}
        assert counted[("route", "/webhooks/github"), ("status", "405")] == 1
        assert counted[("route", "/api/v1/runs/{run_id}/analysis"), ("status", "405")] == 1
        assert counted[("route", "/api/{path:path}"), ("status", "404")] == 1
        assert counted[("route", "/webhooks/{path:path}"), ("status", "404")] == 1


def test_figures_of_a_store_that_cannot_be_read_are_unknown(tmp_path: Path) -> None:
    with server_here(tmp_path) as served:
        served.store.add_sync(ledger(ended_at=NOW))
        served.store.add_runs([attempt(1, created_at=NOW)], NOW)
        served.until_ready()
        assert served.metric("trackside_sync_age_seconds") >= 0
        shutil.rmtree(tmp_path / "store" / "syncs")
        (tmp_path / "store" / "syncs" / "_delta_log").mkdir(parents=True)
        (tmp_path / "store" / "syncs" / "_delta_log" / f"{0:020}.json").write_text("torn")
        told = samples(served.get("/metrics").body.decode())
        assert told["trackside_store_unread_total", ()] >= 1
        for name, labels in (
            ("trackside_sync_age_seconds", ()),
            ("trackside_runs", (("conclusion", "success"),)),
            ("trackside_last_sync_status", (("status", "ok"),)),
        ):
            assert told[name, labels] != told[name, labels], name


def test_conclusions_that_nobody_knows_are_counted_together() -> None:
    metrics = Metrics("1")
    hostile = {f'x"}}\n{number}': 1 for number in range(100)}
    metrics.tell_store(Figures(runs={**hostile, "": 3, "success": 2}), NOW)
    told = samples(metrics.text().decode())
    runs = {dict(labels)["conclusion"]: value for (name, labels), value in told.items() if name == "trackside_runs"}
    assert set(runs) == {*CONCLUSIONS, "unfinished", "other"}
    assert (runs["other"], runs["unfinished"], runs["success"]) == (100, 3, 2)


def test_two_servers_in_a_process_count_apart() -> None:
    one, other = Metrics("1"), Metrics("1")
    one.commits.inc()
    assert b"trackside_webhook_commits_total 1.0" in one.text()
    assert b"trackside_webhook_commits_total 0.0" in other.text()


def test_a_site_that_cannot_be_built_is_no_health_and_the_old_one_stays(tmp_path: Path) -> None:
    flag = tmp_path / "broken"
    code = (
        "import pathlib, sys\n"
        f"if pathlib.Path({str(flag)!r}).exists(): sys.exit('Error: the disk is full.')\n"
        f"folder = pathlib.Path({str(tmp_path / 'built')!r})\n"
        "(folder / 'data').mkdir(parents=True, exist_ok=True)\n"
        "(folder / 'index.html').write_text('old')\n"
        """(folder / 'data/site.json').write_text('{"generated_at": "2026-11-22T06:00:00Z"}')"""
    )
    with server_here(tmp_path, build=python(code), pause_s=60.0) as served:
        served.until_ready()
        served.until(lambda: served.get("/healthz").status == 200)
        assert served.get("/healthz").json == {"status": "ok", "reasons": []}
        flag.touch()
        served.store.add_runs([attempt(1)], NOW)
        served.until(lambda: served.get("/healthz").status == 503)
        told = served.get("/healthz").json
        assert told["status"] == "failing"
        [reason] = told["reasons"]
        assert re.fullmatch(r"The site was not built: once since [-0-9 :]+ UTC\. The server's log says why\.", reason)
        assert served.get("/").body == b"old"
        assert served.metric("trackside_site_build_failures") == 1
        assert served.metric('trackside_site_builds_total{result="failed"}') == 1
        assert served.get("/api/v1/status").json["build_error"] == reason
        assert [sentence for sentence in served.said if "the disk is full" in sentence]


def test_after_a_failure_nobody_tries_again_at_once(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    code = f"import sys\nopen({str(runs)!r}, 'a').write('x')\nsys.exit(1)"
    with server_here(tmp_path, build=python(code), pause_s=60.0) as served:
        served.until(lambda: served.metric("trackside_site_build_failures") == 1)
        for number in range(5):
            served.store.add_runs([attempt(number + 1)], NOW)
            time.sleep(0.1)
        assert len(runs.read_text()) == 1


def test_a_store_that_changed_is_built_again_however_often_that_failed_before(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, shutil, sys\n"
        f"if not os.path.exists({str(tmp_path / 'store' / 'runs')!r}): sys.exit('Error: The store holds no run.')\n"
        f"shutil.copytree({str(tmp_path / 'source')!r}, {str(tmp_path / 'built')!r}, dirs_exist_ok=True)\n"
    )
    with server_here(tmp_path, build=python(code), pause_s=0.2) as served:
        served.until(lambda: served.metric("trackside_site_build_failures") >= 3)
        served.store.add_runs([attempt(1)], NOW)
        served.until_ready()
        served.until(lambda: served.get("/healthz").status == 200)


def test_a_sync_that_failed_is_no_health(tmp_path: Path) -> None:
    sync = python("import sys; sys.exit('Error: GitHub refused.')")
    with server_here(tmp_path, sync=sync, sync_every_s=3600.0) as served:
        served.until_ready()
        served.until(lambda: "The sync failed: GitHub refused." in served.said)
        [reason] = served.get("/healthz").json["reasons"]
        assert re.fullmatch(r"The sync failed at [-0-9 :]+ UTC\. The server's log says why\.", reason)
        assert served.metric('trackside_syncs_total{result="failed"}') == 1
        assert served.get("/api/v1/status").json["sync_error"] == reason


def test_figures_of_a_torn_document_are_unknown(tmp_path: Path) -> None:
    with server_here(tmp_path, files={**FILES, "data/ci-streaks.json": '{"streaks": 1}'}) as served:
        served.until_ready()
        told = samples(served.get("/metrics").body.decode())
        assert told["trackside_broken_jobs", ()] != told["trackside_broken_jobs", ()]
        assert told["trackside_regressions", ()] == 1
