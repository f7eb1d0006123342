"""One file in, rows and an account out; the file may be anything."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.build_logs import decode_text, prefill_text, varied_log, write_log
from trackside.bench.row_blocks import NULL_INT
from trackside.engine.parse_file import FileTask, Piece, Scanned, pack, parse_file, unpack, write_piece
from trackside.errors import OutputError


def scan(path: Path, known: Scanned | None = None) -> Scanned:
    """What the file holds, its rows as bytes."""
    return parse_file(FileTask(str(path), path.name, 0, None, known))


def new_tokens(scanned: Scanned) -> list[int]:
    return [int(n) for piece in scanned.pieces for n in unpack(piece.data or b"")["new_token"]]


def test_rows_and_counts_of_a_log(tmp_path: Path) -> None:
    scanned = scan(write_log(tmp_path / "a.log", prefill_text(1), "nothing to see", prefill_text(2)))
    assert (scanned.state, scanned.counts.lines, scanned.counts.kinds) == ("ok", 3, {"prefill": 2})
    assert new_tokens(scanned) == [1, 2]
    assert scanned.consumed == scanned.fingerprint.size_bytes == (tmp_path / "a.log").stat().st_size


def test_only_what_was_appended_is_read(tmp_path: Path) -> None:
    log = write_log(tmp_path / "a.log", prefill_text(1))
    before = scan(log)
    with log.open("a") as more:
        more.write(prefill_text(2) + "\n")
    read: list[int] = []
    after = parse_file(FileTask(str(log), log.name, 0, None, before), read.append)
    assert after.resumed
    assert sum(read) == len(prefill_text(2)) + 1
    assert after.counts.kinds == {"prefill": 2}
    assert new_tokens(after) == [1, 2]


def test_a_log_that_was_replaced_since_it_was_looked_at_is_read_whole(tmp_path: Path) -> None:
    log = write_log(tmp_path / "a.log", prefill_text(1))
    before = scan(log)
    write_log(log, prefill_text(7), prefill_text(8), prefill_text(9))
    after = scan(log, before)
    assert not after.resumed
    assert new_tokens(after) == [7, 8, 9]


def test_an_unfinished_last_line_is_provisional(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(prefill_text(1) + "\n" + prefill_text(2))
    scanned = scan(tmp_path / "a.log")
    assert [piece.provisional for piece in scanned.pieces] == [False, True]
    assert scanned.counts.lines == 1
    assert scanned.all_counts.lines == 2
    assert sum(group.rows for group in scanned.all_groups) == 2


@pytest.mark.parametrize(
    ("content", "state", "note"),
    [
        (b"", "empty", None),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n",
            "lfs_pointer",
            "a Git LFS pointer stands where the log should be: run git lfs pull",
        ),
        (
            gzip.compress(os.urandom(5000))[:3000],
            "truncated",
            "the packed file ends too early or is damaged; what came before was read",
        ),
    ],
)
def test_what_is_no_whole_log_says_so(tmp_path: Path, content: bytes, state: str, note: str | None) -> None:
    (tmp_path / "a.log").write_bytes(content)
    scanned = scan(tmp_path / "a.log")
    assert (scanned.state, scanned.note, scanned.pieces) == (state, note, [])


def test_a_file_that_is_gone_or_a_directory_is_unreadable(tmp_path: Path) -> None:
    assert scan(tmp_path / "gone.log").note == "cannot be read: No such file or directory"
    (tmp_path / "x.out").mkdir()
    assert scan(tmp_path / "x.out").state == "unreadable"


def test_a_date_of_change_that_no_calendar_has_is_no_obstacle(tmp_path: Path) -> None:
    log = write_log(tmp_path / "a.log", prefill_text(1))
    before = scan(log)
    for year in (-2, 200_000):
        fingerprint = msgspec.structs.replace(before.fingerprint, mtime_ns=year * 31_557_600 * 10**9)
        os.utime(log, ns=(0, max(fingerprint.mtime_ns, -(2**62)) if year < 0 else 2**62))
        assert new_tokens(scan(log)) == [1]


def test_rows_that_cannot_be_written_are_no_fault_of_the_log(tmp_path: Path) -> None:
    log = write_log(tmp_path / "a.log", prefill_text(1))
    with pytest.raises(OutputError, match=r"Rows could not be written to .*: No such file or directory"):
        parse_file(FileTask(str(log), log.name, 0, str(tmp_path / "gone" / "spool")))


def test_a_piece_has_its_place_in_its_name(tmp_path: Path) -> None:
    written = write_piece(Piece("a.npz", 1, data=b"rows"), tmp_path)
    assert written == Piece(f"{tmp_path.name}/a.npz", 1)
    assert (tmp_path / "a.npz").read_bytes() == b"rows"


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_packed_integers_come_back_whatever_their_size(numbers: list[int]) -> None:
    [column] = unpack(pack({"n": np.array(numbers, dtype=np.int64)})).values()
    null = np.iinfo(column.dtype).min
    assert [NULL_INT if n == null else int(n) for n in column] == numbers


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_bytes_raise_and_no_line_is_lost(tmp_path: Path, data: st.DataObject) -> None:
    log = varied_log() + decode_text(3).encode()
    at, size = data.draw(st.integers(0, len(log))), data.draw(st.integers(0, 60))
    damaged = log[:at] + data.draw(st.binary(max_size=200)) + log[at + size :]
    (tmp_path / "a.log").write_bytes(damaged)
    scanned = scan(tmp_path / "a.log")
    if scanned.state == "ok" and b"\0" not in damaged:
        assert scanned.all_counts.lines == damaged.count(b"\n") + (not damaged.endswith(b"\n"))
    assert sum(piece.rows for piece in scanned.pieces) == sum(scanned.all_counts.kinds.values())
