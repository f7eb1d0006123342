"""Bytes of logs: unpacked, recoded, from any place on, and never an exception for what is in them."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tests.build_logs import prefill_text
from trackside.engine.reading import open_reading

TEXT = "".join(f"{prefill_text(n)}é\n" for n in range(2000)).encode()


def zstd_stream(content: bytes) -> bytes:
    """As ``zstd`` packs what it reads from a pipe: the size is not in the header."""
    packer = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    return packer.compress(content) + packer.flush()


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "zst": zstandard.compress,
    "zst-stream": zstd_stream,
}


def read(path: Path, content: bytes) -> tuple[bytes, bool]:
    """The text of a file with this content, and whether it ended too early."""
    path.write_bytes(content)
    reading = open_reading(path)
    return b"".join(reading.blocks()), reading.truncated


@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)
def test_a_packed_log_is_unpacked_whatever_it_is_called(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    assert read(tmp_path / "engine.log", pack(TEXT)) == (TEXT, False)


@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)
def test_a_packed_log_may_have_several_parts(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    half = len(TEXT) // 2
    assert read(tmp_path / "log.gz", pack(TEXT[:half]) + pack(b"") + pack(TEXT[half:])) == (TEXT, False)


@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.999])
def test_of_a_cut_archive_the_beginning_is_read(tmp_path: Path, pack: Callable[[bytes], bytes], share: float) -> None:
    packed = pack(TEXT)
    text, truncated = read(tmp_path / "log.gz", packed[: int(len(packed) * share)])
    assert truncated
    assert TEXT.startswith(text)


@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)
def test_a_damaged_archive_raises_nothing(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    packed = bytearray(pack(TEXT))
    packed[len(packed) // 2 : len(packed) // 2 + 20] = b"\xff" * 20
    assert read(tmp_path / "log.gz", bytes(packed))[1]


@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)
def test_a_cut_second_part_is_noticed(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    text, truncated = read(tmp_path / "log.gz", pack(TEXT) + pack(TEXT)[:-9])
    assert truncated
    assert (TEXT + TEXT).startswith(text)
    assert len(text) >= len(TEXT)


def test_a_frame_to_be_skipped_is_skipped(tmp_path: Path) -> None:
    skipped = b"\x53\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"index"
    assert read(tmp_path / "log.zst", zstandard.compress(TEXT) + skipped) == (TEXT, False)


@pytest.mark.parametrize("packed", [gzip.compress(b"", mtime=0), zstandard.compress(b"")], ids=["gzip", "zstd"])
def test_an_empty_archive_is_empty_and_whole(tmp_path: Path, packed: bytes) -> None:
    assert read(tmp_path / "log.gz", packed) == (b"", False)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_utf_16_is_read_in_both_orders_with_and_without_a_mark(tmp_path: Path, encoding: str, mark: str) -> None:
    marked = mark if encoding != "utf-16" else ""
    assert read(tmp_path / "engine.log", (marked + TEXT.decode()).encode(encoding)) == (TEXT, False)


def test_a_cut_character_of_utf_16_is_marked(tmp_path: Path) -> None:
    text, _ = read(tmp_path / "engine.log", TEXT.decode().encode("utf-16-le")[:-1])
    assert text == TEXT[:-1] + "\ufffd".encode()


def test_nuls_do_not_make_a_log_utf_16(tmp_path: Path) -> None:
    content = b"\0" * 500 + TEXT
    assert read(tmp_path / "engine.log", content) == (content, False)


def test_a_plain_log_is_read_from_any_byte_to_any_byte(tmp_path: Path) -> None:
    path = tmp_path / "engine.log"
    path.write_bytes(TEXT)
    reading = open_reading(path)
    assert reading.resumable
    assert b"".join(reading.blocks(10, 500)) == TEXT[10:500]
    assert b"".join(reading.blocks(len(TEXT))) == b""


@given(content=st.binary(max_size=300) | st.binary(max_size=60).map(lambda tail: gzip.compress(TEXT)[:400] + tail))
def test_any_bytes_are_read_without_an_exception(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    read(tmp_path_factory.getbasetemp() / "any.log", content)
    for magic in (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xff\xfe", b"\xfe\xff"):
        read(tmp_path_factory.getbasetemp() / "any.log", magic + content)
