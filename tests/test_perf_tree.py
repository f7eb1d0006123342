"""The directory of a report: nothing of an earlier report misleads, and what others put there stays."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from trackside.errors import OutputError
from trackside.report.perf_tree import LIST_NAME, ReportTree


def made(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != LIST_NAME}


def write(folder: Path, *names: str) -> None:
    with ReportTree(folder) as tree:
        for name in names:
            assert tree.write(name, name.encode()) == folder / name


def test_files_of_an_earlier_report_go_and_those_of_others_stay(tmp_path: Path) -> None:
    write(tmp_path, "a_summary/x.csv", "a_summary/x_m.png", "b_summary/y.csv")
    (tmp_path / "a_summary" / "notes.csv").write_text("mine")
    (tmp_path / "README.md").write_text("mine")
    write(tmp_path, "a_summary/x.csv")
    assert made(tmp_path) == {"a_summary/x.csv", "a_summary/notes.csv", "README.md"}
    assert not (tmp_path / "b_summary").exists()


def test_a_report_that_breaks_off_loses_nothing(tmp_path: Path) -> None:
    write(tmp_path, "a_summary/x.csv")
    with contextlib.suppress(KeyboardInterrupt), ReportTree(tmp_path) as tree:
        tree.write("a_summary/z.csv", b"")
        raise KeyboardInterrupt
    assert made(tmp_path) == {"a_summary/x.csv", "a_summary/z.csv"}
    write(tmp_path, "b_summary/y.csv")
    assert made(tmp_path) == {"b_summary/y.csv"}


@pytest.mark.parametrize(
    "name", ["../outside.csv", "../a_summary/x.csv", "/tmp/x_summary/x.csv", "a_summary/../../outside.csv", "README.md"]
)
def test_a_list_that_was_tampered_with_removes_nothing_else(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "tables"
    write(folder, "a_summary/x.csv")
    for path in (tmp_path / "outside.csv", folder / "README.md"):
        path.write_text("mine")
    (folder / LIST_NAME).write_text(json.dumps({"schema_version": 1, "files": [name]}))
    write(folder, "a_summary/x.csv")
    assert (tmp_path / "outside.csv").exists()
    assert (folder / "README.md").exists()


def test_nothing_is_removed_through_a_link(tmp_path: Path) -> None:
    folder, other = tmp_path / "tables", tmp_path / "other"
    write(folder, "a_summary/x.csv")
    other.mkdir()
    (other / "x.csv").write_text("mine")
    (folder / "a_summary" / "x.csv").unlink()
    (folder / "a_summary").rmdir()
    (folder / "a_summary").symlink_to(other)
    write(folder, "b_summary/y.csv")
    assert (other / "x.csv").exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"schema_version": 1, "files": 3}', b"\xff\xfe"])
def test_a_list_that_cannot_be_read_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / LIST_NAME).write_bytes(content)
    write(tmp_path, "a_summary/x.csv")
    assert made(tmp_path) == {"a_summary/x.csv"}


def test_where_a_file_stands_in_the_way_one_sentence_says_so(tmp_path: Path) -> None:
    (tmp_path / "tables").write_text("a file")
    with pytest.raises(OutputError, match=r"could not be written to .*tables"), ReportTree(tmp_path / "tables"):
        pass


def test_an_empty_report_leaves_nothing_of_the_earlier_one(tmp_path: Path) -> None:
    write(tmp_path, "a_summary/x.csv")
    write(tmp_path)
    assert made(tmp_path) == set()
