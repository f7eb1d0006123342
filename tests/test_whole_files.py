"""Files that are whole or not there: through links, and where the writing is broken off."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest

from trackside.engine.whole_files import complete_or_absent, write_atomically
from trackside.report.agents_old_files import free_name
from trackside.report.knowledge_file import write_knowledge_file
from trackside.report.table_files import FileFormat, write_table


@pytest.mark.parametrize("there", [True, False], ids=["there", "dangling"])
def test_a_link_stays_a_link_and_what_it_leads_to_is_written(tmp_path: Path, there: bool) -> None:
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "file.json", tmp_path / "link.json"
    if there:
        real.write_text("old")
    link.symlink_to("real/file.json")
    write_atomically(link, b"new")
    assert (real.read_text(), link.is_symlink()) == ("new", True)
    assert [one.name for one in (tmp_path / "real").iterdir()] == ["file.json"]


def test_every_kind_of_file_is_written_through_its_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    for name in ("kb.json", "runs.csv"):
        (tmp_path / name).symlink_to(tmp_path / "real" / name)
    assert write_knowledge_file(tmp_path / "kb.json", "{}\n")
    frame = pl.DataFrame({"a": [1]})
    write_table("runs", dict(frame.schema), [frame], tmp_path, FileFormat.CSV, {})
    assert {one.name: one.read_text() for one in (tmp_path / "real").iterdir()} == {
        "kb.json": "{}\n",
        "runs.csv": "a\n1\n",
    }
    assert all((tmp_path / name).is_symlink() for name in ("kb.json", "runs.csv"))


def test_what_is_broken_off_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text("old")
    with suppress(KeyboardInterrupt), complete_or_absent(path) as out:
        out.write(b"half")
        raise KeyboardInterrupt
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("file.json", "old")]


def test_what_is_no_file_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(pipe, b"new")
    assert (os.read(reader, 10), pipe.is_fifo()) == (b"new", True)
    os.close(reader)


def test_links_that_lead_back_to_themselves_are_an_error_and_stay(tmp_path: Path) -> None:
    loop = tmp_path / "loop.json"
    loop.symlink_to(loop)
    with pytest.raises(OSError) as caught:  # noqa: PT011 - the number of the error tells which it is
        write_atomically(loop, b"new")
    assert (caught.value.errno, [one.name for one in tmp_path.iterdir()]) == (errno.ELOOP, ["loop.json"])


def test_a_link_that_leads_nowhere_is_no_free_name_for_a_segment(tmp_path: Path) -> None:
    (tmp_path / "x-runs-2026-10.json").symlink_to(tmp_path / "elsewhere")
    assert free_name(tmp_path, "x-runs", "2026-10", frozenset(), "octo/engine") == "x-runs-2026-10-2.json"
