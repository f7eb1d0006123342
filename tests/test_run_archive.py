from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tests.recorded import GITHUB_DATA
from trackside.errors import UnreadableInputError
from trackside.github import zip_guard
from trackside.github.log_text import LogText, pack_log
from trackside.github.run_archive import RunArchive, directory_names
from trackside.records.jobs import Job
from trackside.records.runs import Source

REAL_ZIP = GITHUB_DATA.parent / "ci-logs" / "run_logs.zip"
LONG = "x" * 89


def job(job_id: int, name: str, conclusion: str = "success") -> Job:
    fields: dict[str, Any] = {"repo": "octo/inference", "run_id": 7, "run_attempt": 1, "source": Source.REST}
    return Job(job_id=job_id, name=name, status="completed", conclusion=conclusion, **fields)


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as writer:
        for name, content in members:
            writer.writestr(name, content)
    return file


def archive(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> RunArchive:
    return RunArchive(zipped(*members, method=method), "run.zip")


def text(log: LogText) -> bytes:
    unpacked = zstandard.ZstdDecompressor().decompressobj().decompress(log.content)
    assert log.truncated or len(unpacked) == log.size_bytes
    return unpacked


def test_the_file_of_the_whole_job_is_its_log_as_it_came() -> None:
    found = archive(
        ("0_build.txt", b"\xef\xbb\xbf2026-03-02T10:00:15.1234567Z \x1b[31mred\x1b[0m\r\n\0\xff"),
        ("build/1_Set up job.txt", b"step"),
        ("build/system.txt", b"runner"),
    )
    assert found.names == ("build",)
    assert text(found.read("build")) == b"\xef\xbb\xbf2026-03-02T10:00:15.1234567Z \x1b[31mred\x1b[0m\r\n\0\xff"


def test_steps_are_joined_in_the_order_of_their_numbers() -> None:
    found = archive(
        ("build/10_last.txt", b"c\n"),
        ("build/1_first.txt", b"a\n"),
        ("build/2_second_1.txt", b"b\n"),
        ("build/system.txt", b"runner\n"),
    )
    assert text(found.read("build")) == b"a\nb\nc\n"


def test_a_job_with_a_system_file_alone_has_no_log() -> None:
    assert archive(("build/system.txt", b"runner\n")).names == ()


def test_jobs_are_found_by_their_names_without_what_file_names_cannot_hold() -> None:
    found = archive(
        ("0_call  unit.txt", b"1"), ("1_a b.txt", b"2"), ("2_gpu (mi300, 7).txt", b"3"), ("3_quoted name.txt", b"4")
    )
    jobs = [job(1, "call / unit"), job(2, "a: b"), job(3, "gpu (mi300, 7)"), job(4, 'quoted "name"'), job(5, "absent")]
    assert found.match(jobs) == {1: "call  unit", 2: "a b", 3: "gpu (mi300, 7)", 4: "quoted name"}


def test_two_jobs_that_may_share_a_name_are_both_asked_elsewhere() -> None:
    found = archive(("0_a b.txt", b"1"), ("1_c.txt", b"2"))
    assert found.match([job(1, "a/ b"), job(2, "a :b"), job(3, "c")]) == {3: "c"}


def test_a_skipped_job_claims_no_file() -> None:
    assert archive(("0_a b.txt", b"1")).match([job(1, "a/ b"), job(2, "a: b", "skipped")]) == {1: "a b"}


def test_two_files_for_one_place_are_nobodys_log() -> None:
    found = archive(
        ("0_twin.txt", b"1"), ("1_twin.txt", b"2"), ("both/1_a.txt", b"3"), ("both/1_b.txt", b"4"), ("c/1_d.txt", b"5")
    )
    assert found.names == ("c",)


def test_logs_of_jobs_with_one_name_are_told_apart_by_their_numbers() -> None:
    both = archive(("0_job.txt", b"one"), ("1_job.txt", b"two"), ("2_other.txt", b"three"))
    assert both.names == ("other",)
    told = {log.name: (log.job, text(both.read_log(log))) for log in both.logs}
    assert told == {"0_job": ("job", b"one"), "1_job": ("job", b"two"), "other": ("other", b"three")}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_two_logs() -> None:
    both = archive(("0_job.txt", b"one"), ("0_job.txt", b"two"), ("1_0_job.txt", b"three"))
    told = [(log.name, text(both.read_log(log))) for log in both.logs]
    assert told == [("0_job", b"one"), ("0_job #2", b"two"), ("0_job #3", b"three")]


def test_steps_of_two_jobs_in_one_folder_are_one_log_that_nobody_can_read() -> None:
    mixed = archive(("job/1_Set up job.txt", b"one"), ("job/1_Set up job 2.txt", b"two"), ("job/2_x.txt", b"x"))
    (only,) = mixed.logs
    assert (only.name, only.job, only.is_shared) == ("job", "job", True)
    with pytest.raises(UnreadableInputError, match="two jobs share the folder 'job'"):
        mixed.read_log(only)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_nobodys_log() -> None:
    assert archive(("0_twin.txt", b"1"), ("0_twin.txt", b"2")).names == ()


@pytest.mark.parametrize(
    ("name", "directories"),
    [
        (LONG + "yz", {LONG + "y"}),
        ("a/" + LONG + ":yz", {"a" + LONG}),
        (LONG + "\U0001f605", {LONG, LONG + "\ufffd", LONG + "?"}),
        ("x" * 88 + "\U0001f605z", {"x" * 88 + "\U0001f605"}),
        ("plain", {"plain"}),
    ],
)
def test_directory_names_end_after_ninety_utf_16_units(name: str, directories: set[str]) -> None:
    assert directory_names(name) == directories


def test_a_name_cut_through_a_surrogate_pair_is_found() -> None:
    found = archive((f"0_{LONG}\ufffd.txt", b"1"))
    assert found.match([job(1, LONG + "\U0001f605")]) == {1: LONG + "\ufffd"}


@pytest.mark.parametrize(
    "name",
    ["../0_up.txt", "/0_root.txt", "..\\..\\0_up.txt", "C:\\0_c.txt", "a/b/1_deep.txt", "__MACOSX/a/1_x.txt", "0_.txt"],
)
def test_members_that_are_elsewhere_are_no_logs(name: str) -> None:
    assert archive((name, b"x"), ("0_ok.txt", b"1")).names == ("ok",)


def test_reading_writes_nothing_by_the_names_of_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    found = archive(("../1_x.txt", b"x"), ("../../0_y.txt", b"y"), ("0_a.txt", b"a"))
    assert {name: text(found.read(name)) for name in found.names} == {"a": b"a"}
    assert list(tmp_path.rglob("*")) == [inside]


def test_windows_separators_are_separators() -> None:
    assert text(archive(("build\\2_b.txt", b"b"), ("build\\1_a.txt", b"a")).read("build")) == b"ab"


def test_a_name_in_utf_8_without_the_mark_is_read_as_utf_8() -> None:
    file = zipped(("0_caf\xe9.txt", b"1"))
    content = bytearray(file.getvalue())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.index(signature) + offset
        content[at : at + 2] = struct.pack("<H", struct.unpack_from("<H", content, at)[0] & ~0x800)
    assert RunArchive(io.BytesIO(bytes(content)), "run.zip").names == ("caf\xe9",)


def test_a_name_that_is_no_utf_8_is_said_so() -> None:
    content = zipped(("0_caf\xe9.txt", b"1")).getvalue().replace("\xe9".encode(), b"\xff\xfe")
    with pytest.raises(UnreadableInputError, match=r"run\.zip cannot be read as a run-log ZIP: the name of a member"):
        RunArchive(io.BytesIO(content), "run.zip")


def test_an_empty_archive_has_no_logs() -> None:
    assert archive().names == ()


def test_an_empty_log_is_a_log_of_nothing() -> None:
    assert archive(("0_a.txt", b"")).read("a").size_bytes == 0


@pytest.mark.parametrize("cut", [0, 3, 21, 40, 90])
def test_an_archive_that_was_cut_off_is_said_to_be_no_whole_zip(cut: int) -> None:
    content = zipped(("0_build.txt", b"hello " * 50)).getvalue()[:cut]
    with pytest.raises(UnreadableInputError, match="it is no whole ZIP"):
        RunArchive(io.BytesIO(content), "run.zip")


def test_what_is_no_zip_is_said_to_be_none() -> None:
    with pytest.raises(UnreadableInputError, match="it is no whole ZIP"):
        RunArchive(io.BytesIO(b"<Error><Code>BlobNotFound</Code></Error>" * 9), "run.zip")


def test_a_damaged_member_costs_only_itself() -> None:
    file = zipped(("0_a.txt", b"aaaa"), ("1_b.txt", b"bbbb"), method=zipfile.ZIP_STORED)
    found = RunArchive(io.BytesIO(file.getvalue().replace(b"aaaa", b"aXaa")), "run.zip")
    with pytest.raises(UnreadableInputError, match=r"'0_a\.txt' in the run-log ZIP cannot be read: it is damaged"):
        found.read("a")
    assert text(found.read("b")) == b"bbbb"


def test_an_encrypted_member_costs_only_itself() -> None:
    content = bytearray(zipped(("0_a.txt", b"aaaa")).getvalue())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    with pytest.raises(UnreadableInputError, match="it is encrypted"):
        RunArchive(io.BytesIO(bytes(content)), "run.zip").read("a")


def test_a_member_packed_by_a_method_that_takes_memory_is_not_opened() -> None:
    with pytest.raises(UnreadableInputError, match="it is packed by method 14"):
        archive(("0_a.txt", b"aaaa"), method=zipfile.ZIP_LZMA).read("a")


def test_a_bomb_is_defused_after_a_few_bytes() -> None:
    bomb = archive(("0_a.txt", b"\0" * 40_000_000))
    with pytest.raises(UnreadableInputError, match="it unpacks to more than 400 times its size"):
        bomb.read("a")


def test_a_log_of_one_repeated_line_is_no_bomb() -> None:
    line = b"2026-03-02T10:00:15.1234567Z [1234/5678] Building CUDA object flashinfer/attention.cu.o\n"
    assert archive(("0_a.txt", line * 200_000)).read("a").size_bytes == len(line) * 200_000


def test_all_members_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_guard, "MOST_UNPACKED", 1_000)
    found = archive(("0_a.txt", b"a" * 800), ("1_b.txt", b"b" * 800))
    assert found.read("a").size_bytes == 800
    with pytest.raises(UnreadableInputError, match="the archive unpacks to more than 1,000 bytes"):
        found.read("b")


def test_a_table_of_contents_that_fills_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    file = zipped(*((f"{number}_x.txt", b"") for number in range(100)))
    monkeypatch.setattr(zip_guard, "MOST_MEMBERS", 99)
    with pytest.raises(UnreadableInputError, match="it has 100 members, more than 99"):
        RunArchive(file, "run.zip")
    monkeypatch.setattr(zip_guard, "MOST_DIRECTORY", 1_000)
    with pytest.raises(UnreadableInputError, match="its table of contents is larger than 1,000 bytes"):
        RunArchive(file, "run.zip")


def test_a_table_of_contents_that_hides_its_size_is_refused() -> None:
    content = zipped(("0_a.txt", b"a")).getvalue()
    at = content.rindex(b"PK\x05\x06")
    hidden = content[:at] + b"PK\x06\x07" + b"\0" * 16 + content[at:]
    with pytest.raises(UnreadableInputError, match="its table of contents is larger"):
        RunArchive(io.BytesIO(hidden), "run.zip")


def test_of_a_long_log_beginning_and_end_are_kept() -> None:
    whole = b"".join(b"line %04d\n" % number for number in range(1_000))
    log = archive(("0_a.txt", whole)).read("a", most=1_000)
    assert text(log) == whole[:500] + b"[trackside: 9000 bytes were left out here]\n" + whole[-500:]
    assert (log.size_bytes, log.truncated) == (1_000, True)


@given(st.lists(st.binary(max_size=9), max_size=30), st.integers(0, 60))
def test_what_is_kept_does_not_hang_on_how_it_came(chunks: list[bytes], most: int) -> None:
    whole = b"".join(chunks)
    log = pack_log(chunks, most)
    if len(whole) <= most:
        assert (text(log), log.size_bytes, log.truncated) == (whole, len(whole), False)
        return
    head, tail = whole[: most - most // 2], whole[len(whole) - most // 2 :]
    line = b"[trackside: %d bytes were left out here]\n" % (len(whole) - most)
    between = b"\n" if head and not head.endswith(b"\n") else b""
    assert (text(log), log.size_bytes, log.truncated) == (head + between + line + tail, most, True)


@pytest.mark.parametrize("size", [16, 1_000, 100_000])
def test_no_more_than_the_end_of_a_long_log_is_held(size: int) -> None:
    whole = bytes(range(256)) * 12_000
    pieces = (whole[at : at + size] for at in range(0, len(whole), size))
    tracemalloc.start()
    try:
        log = pack_log(pieces, most=1_000_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert text(log).endswith(whole[-500_000:])
    assert peak < 1_500_000


def test_a_log_of_exactly_the_cap_is_whole() -> None:
    assert not pack_log([b"a" * 500, b"b" * 500], most=1_000).truncated
    assert pack_log([b"a" * 500, b"b" * 501], most=1_000).truncated
    assert pack_log(iter([]), most=0) == LogText(content=pack_log([]).content, size_bytes=0, truncated=False)


@given(st.binary(max_size=400), st.integers(0, 300), st.integers(0, 255))
def test_any_bytes_end_in_an_archive_or_in_one_error(junk: bytes, at: int, value: int) -> None:
    whole = bytearray(zipped(("0_build.txt", b"hello " * 20), ("b/1_x.txt", b"x")).getvalue())
    whole[at % len(whole)] = value
    for content in (junk, bytes(whole), bytes(whole) + junk):
        try:
            found = RunArchive(io.BytesIO(content), "run.zip")
            for name in found.names:
                found.read(name)
        except UnreadableInputError:
            continue


@pytest.mark.skipif(not REAL_ZIP.is_file(), reason=f"no real run-log ZIP at {REAL_ZIP} (set TRACKSIDE_REAL_DATA)")
def test_a_real_run_log_zip_is_read() -> None:
    long = "thisisnineteenchars_" * 5
    emoji = "Emoji Test " + "\U0001f605" * 60
    names = ["ad job", "cool job", "cool job / with slash", "cool job : with colon", "sad job", long, emoji, "lost"]
    jobs = [job(number, name) for number, name in enumerate(names, 1)]
    with REAL_ZIP.open("rb") as file:
        found = RunArchive(file, REAL_ZIP.name)
        matched = found.match(jobs)
        assert sorted(matched) == [1, 2, 3, 4, 5, 6, 7]
        assert text(found.read(matched[2])) == b"log line 1\nlog line 2\nlog line 3\n" * 2
        assert text(found.read(matched[5])).count(b"log line") == 6
