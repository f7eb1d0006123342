"""Which workers a run has: roles, labels, files that belong together, lines that several ranks log of one batch."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.build_logs import decode_text, prefill_text, write_log
from trackside.engine.run import Run, open_run
from trackside.records.engine_run import Role, Worker


def server_args(**more: object) -> str:
    arguments = ", ".join(f"{name}={value!r}" for name, value in more.items())
    return f"[2026-01-31 16:00:00] server_args=ServerArgs(model_path='m', {arguments})"


def read(path: Path, **options: Role) -> Run:
    return open_run(path, cache=False, role=options.get("role"))


def names(run: Run) -> list[str]:
    return [worker.name for worker in run.workers]


def only(run: Run) -> Worker:
    assert len(run.workers) == 1
    return run.workers[0]


def tokens(run: Run) -> int:
    return int(run.rows(["new_token", "duplicate"]).filter(~pl.col("duplicate"))["new_token"].sum())


@pytest.mark.parametrize("role", ["prefill", "decode", "agg"])
def test_the_role_in_a_file_name_is_the_worker_s(tmp_path: Path, role: str) -> None:
    write_log(tmp_path / f"node01_{role}_w3.out", decode_text(1))
    assert names(read(tmp_path)) == [f"node01_{role}_w3"]


@pytest.mark.parametrize(
    ("lines", "role"),
    [
        ([prefill_text(5)], Role.PREFILL),
        ([decode_text(5)], Role.DECODE),
        ([prefill_text(5), decode_text(5)], Role.AGG),
        ([server_args(disaggregation_mode="decode"), prefill_text(5), decode_text(5)], Role.DECODE),
        ([server_args(disaggregation_mode="prefill"), decode_text(5)], Role.PREFILL),
        ([server_args(disaggregation_mode="null"), decode_text(5)], Role.DECODE),
    ],
)
def test_the_role_comes_from_content_where_the_name_says_none(tmp_path: Path, lines: list[str], role: Role) -> None:
    write_log(tmp_path / "server.log", *lines)
    assert only(read(tmp_path)).role is role


def test_a_given_role_overrules_name_and_content(tmp_path: Path) -> None:
    write_log(tmp_path / "node01_prefill_w0.out", prefill_text(5))
    assert only(read(tmp_path, role=Role.AGG)).role is Role.AGG


def test_writers_with_a_label_are_workers_of_their_own(tmp_path: Path) -> None:
    lines = [f"{n % 3}: {prefill_text(n, f'16:10:{10 + n}')}" for n in range(12)]
    run = read(write_log(tmp_path / "slurm.out", *lines))
    assert [worker.worker_id for worker in run.workers] == ["0", "1", "2"]
    assert [worker.batch_rows for worker in run.workers] == [4, 4, 4]
    assert run.rows(["worker_id", "stream"]).filter(pl.col("worker_id") != pl.col("stream")).height == 0


def test_each_labelled_writer_has_its_own_launch_and_role(tmp_path: Path) -> None:
    run = read(
        write_log(
            tmp_path / "compose.log",
            f"prefill-1  | {server_args(tp_size=4, disaggregation_mode='prefill')}",
            f"decode-1   | {server_args(tp_size=8, disaggregation_mode='decode')}",
            *(f"prefill-1  | {prefill_text(n)}" for n in range(3)),
            *(f"decode-1   | {decode_text(n)}" for n in range(3)),
        )
    )
    assert [(w.worker_id, w.role, w.tp_size) for w in run.workers] == [
        ("decode-1", Role.DECODE, 8),
        ("prefill-1", Role.PREFILL, 4),
    ]


def test_a_prefill_and_a_decode_worker_in_one_unlabelled_file_are_two_workers(tmp_path: Path) -> None:
    run = read(
        write_log(
            tmp_path / "slurm.out",
            server_args(tp_size=4, disaggregation_mode="prefill"),
            server_args(tp_size=8, disaggregation_mode="decode"),
            *(prefill_text(n) for n in range(3)),
            *(decode_text(n) for n in range(5)),
        )
    )
    assert [(w.role, w.batch_rows, w.tp_size) for w in run.workers] == [(Role.DECODE, 5, 8), (Role.PREFILL, 3, 4)]
    assert any("share the file" in note for note in run.notes)


def test_out_and_err_of_one_worker_are_one_worker(tmp_path: Path) -> None:
    write_log(tmp_path / "n1_prefill_w0.out", prefill_text(5, "16:10:40"))
    write_log(tmp_path / "n1_prefill_w0.err", prefill_text(7, "16:10:39"), prefill_text(9, "16:10:41"))
    run = read(tmp_path)
    worker = only(run)
    assert (worker.files, worker.batch_rows) == (("n1_prefill_w0.err", "n1_prefill_w0.out"), 3)
    assert run.rows(["new_token"])["new_token"].to_list() == [7, 5, 9]


def test_rotated_parts_of_a_log_are_one_worker_in_their_order(tmp_path: Path) -> None:
    for number, name in enumerate(["n1_decode_w0.out.2", "n1_decode_w0.out.1", "n1_decode_w0.out"]):
        write_log(tmp_path / name, decode_text(number, f"16:10:4{number}"), decode_text(number + 10, "16:10:45"))
    run = read(tmp_path)
    assert only(run).batch_rows == 6
    assert run.rows(["running_req"])["running_req"].to_list() == [0, 1, 2, 10, 11, 12]


def test_files_of_one_data_parallel_rank_each_are_one_worker(tmp_path: Path) -> None:
    for rank in range(3):
        write_log(tmp_path / f"n1_decode_w0_DP{rank}.out", decode_text(rank, tag=" TP0"), decode_text(9, tag=" TP0"))
    run = read(tmp_path)
    assert only(run).worker_id == "w0"
    assert sorted(run.rows(["dp"])["dp"].to_list()) == [0, 0, 1, 1, 2, 2]
    assert {total.ranks.dp for total in only(run).rank_totals} == {0, 1, 2}


def test_a_rank_in_the_line_wins_over_the_one_in_the_file_name(tmp_path: Path) -> None:
    write_log(tmp_path / "n1_decode_w0_DP3.out", decode_text(1, tag=" DP5 TP5"))
    assert read(tmp_path).rows(["dp"])["dp"].to_list() == [5]


def test_pipeline_and_context_ranks_count_a_batch_once(tmp_path: Path) -> None:
    tags = [f" PP{p} ATTN_CP{c} TP{c} EP0" for p in range(2) for c in range(4)]
    write_log(tmp_path / "n1_prefill_w0.out", *(prefill_text(100, tag=tag) for tag in tags * 3))
    run = read(tmp_path)
    assert tokens(run) == 300
    assert run.rows(["new_token"])["new_token"].sum() == 2400


@pytest.mark.parametrize("batches", [2, 30])
def test_tensor_ranks_that_all_log_count_a_batch_once(tmp_path: Path, batches: int) -> None:
    lines = [prefill_text(10 + n, tag=f" TP{rank}") for n in range(batches) for rank in range(4)]
    write_log(tmp_path / "n1_prefill_w0.out", *lines)
    assert tokens(read(tmp_path)) == sum(10 + n for n in range(batches))


def test_data_parallel_ranks_are_never_double(tmp_path: Path) -> None:
    lines = [prefill_text(10, tag=f" DP{rank} TP{rank} EP{rank}") for _ in range(30) for rank in range(4)]
    write_log(tmp_path / "n1_prefill_w0.out", *lines)
    run = read(tmp_path)
    assert tokens(run) == 1200
    assert not run.rows(["duplicate"])["duplicate"].any()


def test_data_parallel_rank_and_tensor_rank_may_differ(tmp_path: Path) -> None:
    lines = [prefill_text(10, tag=f" DP{rank} TP{8 * rank} EP{8 * rank}") for _ in range(30) for rank in range(2)]
    write_log(tmp_path / "n1_prefill_w0.out", *lines)
    assert tokens(read(tmp_path)) == 600


@pytest.mark.parametrize(
    ("arguments", "gpus"),
    [
        ({"tp_size": 8}, 8),
        ({"tp_size": 8, "pp_size": 2}, 16),
        ({"tp_size": 16, "dp_size": 16, "ep_size": 16, "enable_dp_attention": True}, 16),
        ({}, None),
    ],
)
def test_gpus_of_a_worker(tmp_path: Path, arguments: dict[str, int], gpus: int | None) -> None:
    write_log(tmp_path / "n1_decode_w0.out", server_args(**arguments), decode_text(1))
    assert only(read(tmp_path)).gpus == gpus


def test_a_worker_over_two_nodes_with_a_log_each_counts_its_gpus_once(tmp_path: Path) -> None:
    for node in range(2):
        log = tmp_path / f"n{node}_decode_w0.out"
        write_log(log, server_args(tp_size=16, nnodes=2, node_rank=node), decode_text(1, tag=f" DP{node} TP{8 * node}"))
    assert [worker.gpus for worker in read(tmp_path).workers] == [8, 8]


def test_a_logged_launch_wins_over_an_echoed_command_line(tmp_path: Path) -> None:
    echo = "python3 -m sglang.launch_server --tp-size 2"
    write_log(tmp_path / "n1_decode_w0.out", server_args(tp_size=8), echo, decode_text(1))
    worker = only(read(tmp_path))
    assert (worker.tp_size, worker.launches) == (8, 1)
    write_log(tmp_path / "n1_decode_w0.out", echo, decode_text(1))
    assert only(read(tmp_path)).tp_size == 2


def test_a_router_s_log_beside_workers_is_no_worker(tmp_path: Path) -> None:
    write_log(tmp_path / "n1_decode_w0.out", decode_text(1))
    write_log(tmp_path / "n1_frontend_f0.out", "[2026-01-31 16:10:37] INFO started")
    assert names(read(tmp_path)) == ["n1_decode_w0"]
