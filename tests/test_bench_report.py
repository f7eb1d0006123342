"""The report as a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests import build, report_runs
from tests.html_pages import Page
from trackside.errors import NoDataError, OutputError
from trackside.report.html_page import write_page


def page_of(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("group_by", ["node", "dp", "all"])
def test_the_page_loads_nothing_and_allows_only_its_own_scripts(tmp_path: Path, group_by: str) -> None:
    page = page_of(report_runs.write(tmp_path / "r.html", group_by=group_by))

    for tag, attributes in page.tags:
        assert not {"src", "srcset", "onload", "onclick"} & set(attributes), tag
        if "href" in attributes:
            assert str(attributes["href"]).startswith("#")
        assert tag != "link"
    policy = next(a["content"] for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.split("style-src")[0]


def test_figures_and_statistics_stand_in_tables(tmp_path: Path) -> None:
    text = page_of(report_runs.write(tmp_path / "r.html")).text

    assert "1P/1D · 8 GPUs · 2026-01-31 10:00:00 → 10:04:57 (4m 57s), logged time" in text
    assert "50,000 tokens over 297 s" in text
    assert "Statistics of running requests in requests, window 2026-01-31 10:00:00" in text
    assert "n1_decode_w0" in text
    assert "Hot rank: n1_decode_w0 DP3 with 60 requests, 2.00 × its worker's mean." in text
    assert "Read completely: 1 file, 500 lines, 400 batch lines" in text


def test_group_labels_are_those_of_the_established_tool(tmp_path: Path) -> None:
    by_dp = page_of(report_runs.write(tmp_path / "dp.html", group_by="dp")).text
    all_of_them = page_of(report_runs.write(tmp_path / "all.html", group_by="all")).text

    assert "DP3 (1 worker)" in by_dp
    assert "All decode (1 worker)" in all_of_them


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    path = report_runs.write_hostile(tmp_path / "r.html")
    html, page = path.read_text(encoding="utf-8"), page_of(path)

    assert {tag for tag, _ in page.tags}.isdisjoint({"svg", "img"})
    assert "<svg/onload=window.pwned=1>" in page.text
    assert report_runs.HOSTILE_VALUE in page.text
    assert "\u202e" not in html
    assert "<svg" not in html.split("<body>")[1].split('type="application/json"')[0]


def test_what_was_not_read_is_said_first(tmp_path: Path) -> None:
    text = page_of(report_runs.write_hostile(tmp_path / "r.html")).text

    assert "Read with gaps: 1 file, 9 lines, 3 batch lines, 0 memory lines, 1 batch-like line not recognised" in text


def test_a_run_without_a_batch_line_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(NoDataError, match="No data to visualize"):
        report_runs.write(tmp_path / "r.html", build.engine_rows(build.memory_line("10:00:00", "weights_end")))

    assert not (tmp_path / "r.html").exists()


def test_the_smallest_run_is_reported(tmp_path: Path) -> None:
    report = report_runs.write(tmp_path / "r.html", build.engine_rows(build.decode_line("10:00:00")), ())

    assert "no serving worker" in page_of(report).text


def test_the_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "taken"
    target.mkdir()

    with pytest.raises(OutputError, match="could not be written"):
        report_runs.write(target)

    assert list(tmp_path.iterdir()) == [target]


def test_a_link_stays_a_link_and_a_pipe_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "link.html").symlink_to(tmp_path / "real.html")
    assert write_page("page", tmp_path / "link.html") == tmp_path / "link.html"
    assert (tmp_path / "link.html").is_symlink()
    assert (tmp_path / "real.html").read_text() == "page"
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_page("page", tmp_path / "pipe")
    assert os.read(reader, 10) == b"page"
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()


def test_a_file_in_place_of_a_directory_is_said(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(OutputError, match="a file stands where a directory is needed"):
        write_page("page", tmp_path / "taken" / "r.html")


def test_missing_directories_are_made_and_the_path_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    written = report_runs.write(Path("new/r.html"))

    assert written == tmp_path / "new" / "r.html"
    assert written.stat().st_size < 3_000_000
