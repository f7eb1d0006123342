"""Which files are logs of which worker, told by their names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.build_logs import prefill_text, write_log
from trackside.engine.files import Layout, find_logs
from trackside.errors import PathNotFoundError, UnreadableInputError
from trackside.records.engine_run import Role


def layout(folder: Path, *names: str) -> Layout:
    """What is found among empty files with these names."""
    for name in names:
        (folder / name).touch()
    return find_logs(folder)


@pytest.mark.parametrize(
    ("name", "node", "role", "worker_id", "dp"),
    [
        ("node01_prefill_w0.out", "node01", Role.PREFILL, "w0", None),
        ("node01_decode_w12.err", "node01", Role.DECODE, "w12", None),
        ("cn_a-3.site_agg_w0.log", "cn_a-3.site", Role.AGG, "w0", None),
        ("node01_decode_w1_DP3.out", "node01", Role.DECODE, "w1", 3),
        ("node01_prefill_w0.out.2", "node01", Role.PREFILL, "w0", None),
        ("node01_prefill_w0.out-20260131.gz", "node01", Role.PREFILL, "w0", None),
        ("node01_prefill_w0.log.zst", "node01", Role.PREFILL, "w0", None),
        ("a_prefill_decode_w0.out", "a", Role.PREFILL, "decode_w0", None),
    ],
)
def test_a_name_says_node_role_and_worker(
    tmp_path: Path, name: str, node: str, role: Role, worker_id: str, dp: int | None
) -> None:
    [source] = layout(tmp_path, name).sources
    assert (source.node, source.role, source.worker_id, source.dp) == (node, role, worker_id, dp)


@pytest.mark.parametrize("name", ["engine.log", "server.txt", "worker.out.1", "vllm.log.gz", "prefillish_1.log"])
def test_other_logs_are_read_for_what_is_in_them(tmp_path: Path, name: str) -> None:
    [source] = layout(tmp_path, name).sources
    assert (source.role, source.worker_id) == (None, None)


@pytest.mark.parametrize(
    "name", ["notes.md", "results.json", "prefill_w0", "x.outer", "sglang-request-metrics-1.log", "requirements.txt"]
)
def test_what_is_no_log_is_not_read(tmp_path: Path, name: str) -> None:
    assert layout(tmp_path, name).sources == ()


def test_a_role_that_a_name_only_mentions_is_a_hint(tmp_path: Path) -> None:
    assert [s.hint for s in layout(tmp_path, "my-decode-1.log", "prefill.log", "undecoded.log").sources] == [
        Role.DECODE,
        Role.PREFILL,
        None,
    ]


def test_frontends_are_listed_and_not_read(tmp_path: Path) -> None:
    found = layout(tmp_path, "n1_frontend_0.out", "n1_prefill_w0.out")
    assert [source.name for source in found.sources] == ["n1_prefill_w0.out"]
    assert found.skipped == (("n1_frontend_0.out", "a frontend's log: no batch lines"),)


def test_beside_workers_other_logs_are_skipped_and_that_is_said(tmp_path: Path) -> None:
    found = layout(tmp_path, "n1_prefill_w0.out", "benchmark.out", "log.out")
    assert [source.name for source in found.sources] == ["n1_prefill_w0.out"]
    assert found.skipped == (
        ("benchmark.out", "not named after a worker"),
        ("log.out", "not named after a worker"),
    )


def test_of_a_log_and_its_packed_twin_one_is_read(tmp_path: Path) -> None:
    found = layout(tmp_path, "n1_prefill_w0.out", "n1_prefill_w0.out.gz", "n1_prefill_w0.out.1.gz")
    assert [source.name for source in found.sources] == ["n1_prefill_w0.out", "n1_prefill_w0.out.1.gz"]
    assert found.skipped == (("n1_prefill_w0.out.gz", "the same log stands there unpacked"),)


def test_rotated_parts_come_before_the_live_log_oldest_first(tmp_path: Path) -> None:
    numbered = [f"n1_prefill_w0.out{end}" for end in ("", ".1", ".2.gz", ".10")]
    dated = [f"n1_decode_w0.out{end}" for end in ("", "-20260130", "-20260131")]
    found = sorted(layout(tmp_path, *numbered, *dated).sources, key=lambda source: (source.node, source.order))
    of = {role: [s.name.removeprefix(f"n1_{role}_w0.out") for s in found if s.role is role] for role in Role}
    assert of[Role.PREFILL] == [".10", ".2.gz", ".1", ""]
    assert of[Role.DECODE] == ["-20260130", "-20260131", ""]


@pytest.mark.parametrize("inside", ["", "logs"])
def test_the_name_is_the_job_with_or_without_logs(tmp_path: Path, inside: str) -> None:
    write_log(tmp_path / "77" / "logs" / "n1_prefill_w0.out", prefill_text(1))
    found = find_logs(tmp_path / "77" / inside)
    assert (found.name, found.logs_dir) == ("77", tmp_path / "77" / "logs")


def test_the_name_of_a_dot_is_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_log(tmp_path / "77" / "n1_prefill_w0.out", prefill_text(1))
    monkeypatch.chdir(tmp_path / "77")
    assert find_logs(Path()).name == "77"


def test_one_file_is_read_whatever_its_name(tmp_path: Path) -> None:
    for name in ("n1_frontend_0.out", "notes", "benchmark.out"):
        [source] = find_logs(write_log(tmp_path / name, prefill_text(1))).sources
        assert (source.name, source.role) == (name, None)


def test_a_path_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(PathNotFoundError, match=r"^Path does not exist: "):
        find_logs(tmp_path / "nowhere")


def test_only_files_are_logs(tmp_path: Path) -> None:
    (tmp_path / "n1_prefill_w0.out").mkdir()
    (tmp_path / "n1_prefill_w1.out").symlink_to(tmp_path / "gone")
    os.mkfifo(tmp_path / "n1_prefill_w2.out")
    write_log(tmp_path / "elsewhere" / "a", prefill_text(1))
    (tmp_path / "n1_prefill_w3.out").symlink_to(tmp_path / "elsewhere" / "a")
    found = find_logs(tmp_path)
    assert [source.name for source in found.sources] == ["n1_prefill_w3.out"]
    assert [name for name, _ in found.skipped] == ["n1_prefill_w1.out", "n1_prefill_w2.out"]
    with pytest.raises(UnreadableInputError, match="is neither a directory nor a file"):
        find_logs(tmp_path / "n1_prefill_w2.out")


def test_a_name_with_a_newline_is_a_name(tmp_path: Path) -> None:
    write_log(tmp_path / "n\n1_prefill_w0.out", prefill_text(1))
    write_log(tmp_path / "n2_prefill_w0.out\n", prefill_text(1))
    [source] = find_logs(tmp_path).sources
    assert source.node == "n\n1"


def test_bytes_of_a_name_that_are_no_text_are_written_out(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/n\xff_prefill_w0.out"))
    try:
        path.touch()
    except OSError:
        pytest.skip("this file system takes no such name")
    [source] = find_logs(tmp_path).sources
    assert (source.name, source.node) == ("n\\xff_prefill_w0.out", "n\\xff")
