"""The generator of runs: deterministic, coherent, and its truth is what stands in the files."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import zstandard

from benchmarks.generate_run import generate_run
from benchmarks.plan import Options
from benchmarks.prefixes import PREFIXES

SMALL = Options(topology="2P1D", minutes=4.0)
BATCH_LINE = re.compile(rb"\[([\d-]+ [\d:]+)((?: [A-Z]+\d+)*)\] (Prefill|Decode) batch[.,] (.*)")
MEMORY_LINE = re.compile(
    rb"\] (Load weight|KV Cache is allocated|Memory pool end|Capture cuda graph|max_total_num_tokens)"
)


def read_parts(run: Path, name: str, truth: dict[str, Any]) -> bytes:
    content = b""
    for part in truth["files"][name].get("parts", [name]):
        data = (run / "logs" / part).read_bytes()
        if part.endswith(".gz"):
            data = gzip.decompress(data)
        elif part.endswith(".zst"):
            data = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)).read()
        content += data
    return content


def truth_of(run: Path) -> dict[str, Any]:
    truth: dict[str, Any] = json.loads((run / "truth.json").read_text())
    return truth


def worker_files(truth: dict[str, Any]) -> list[str]:
    return [name for name, file in truth["files"].items() if file.get("ranks")]


def field(text: bytes, name: str) -> float:
    found = re.search(re.escape(name.encode()) + rb": ([\d.]+)", text)
    assert found, (name, text)
    return float(found[1])


def test_the_same_options_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (generate_run(tmp_path / name, SMALL._replace(hostile=True)) for name in ("a", "b"))
    names = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())

    assert names == sorted(path.relative_to(second) for path in second.rglob("*") if path.is_file())
    assert [name for name in names if (first / name).read_bytes() != (second / name).read_bytes()] == []


def test_another_seed_gives_another_run(tmp_path: Path) -> None:
    first = truth_of(generate_run(tmp_path, SMALL))
    second = truth_of(generate_run(tmp_path, SMALL._replace(seed=1)))

    assert first["job_id"] != second["job_id"]
    assert first["input_tokens"] != second["input_tokens"]


@pytest.mark.parametrize("hostile", [False, True])
@pytest.mark.parametrize("topology", ["2P1D", "1A"])
def test_truth_is_what_plain_counting_finds(tmp_path: Path, topology: str, hostile: bool) -> None:
    run = generate_run(tmp_path, SMALL._replace(topology=topology, hostile=hostile))
    truth = truth_of(run)

    for name in worker_files(truth):
        content = read_parts(run, name, truth)
        lines = [line for line in content.split(b"\n") if b"GenerateReqInput" not in line]
        batch = [found for line in lines if (found := BATCH_LINE.search(line)) and b"queue-req" in line]
        ranks = Counter((found[2].decode().strip(), found[3].decode().lower()) for found in batch)
        expected = truth["files"][name]
        assert content.count(b"\n") == expected["lines"], name
        assert content.count(b"\r") == expected["carriage_returns"], name
        assert ranks == {
            (tag, kind): count for tag, kinds in expected["ranks"].items() for kind, count in kinds.items()
        }
        assert sum(bool(MEMORY_LINE.search(line)) for line in lines) == expected["memory"]
        assert sum(b"HTTP/1.1" in line for line in lines) == expected["access"]
        assert (
            sum(field(found[4], "#new-token") for found in batch if found[3] == b"Prefill") == (expected["new_token"])
        )
        assert batch[0][1].decode() == expected["first_batch_stamp"]
        assert batch[-1][1].decode() == expected["last_batch_stamp"]


@pytest.mark.parametrize("topology", ["2P1D", "1A"])
def test_prompt_tokens_are_conserved(tmp_path: Path, topology: str) -> None:
    truth = truth_of(generate_run(tmp_path, SMALL._replace(topology=topology)))
    files = [truth["files"][name] for name in worker_files(truth)]

    assert sum(file["new_token"] + file["cached_token"] for file in files) == truth["input_tokens"]
    assert sum(file["cached_token"] for file in files) == truth["cached_tokens"]


def test_generation_lines_integrate_to_the_output_tokens(tmp_path: Path) -> None:
    """A rank's tokens are its logged throughput times the time since its previous line; ms stamps show it."""
    run = generate_run(tmp_path, SMALL._replace(prefix="ms", minutes=8.0))
    truth = truth_of(run)
    line_form = re.compile(rb"(\d\d):(\d\d):([\d.]+)( DP\d+) .*Decode batch.*")
    previous: dict[bytes, float] = {}
    tokens = 0.0
    for line in (run / "logs" / "cn03_decode_w0.out").read_bytes().split(b"\n"):
        if found := line_form.search(line):
            at = int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3])
            if found[4] in previous:
                tokens += field(line, "gen throughput (token/s)") * (at - previous[found[4]])
            previous[found[4]] = at

    assert tokens == pytest.approx(truth["output_tokens"], rel=0.02)


def test_time_never_goes_back_within_a_file(tmp_path: Path) -> None:
    run = generate_run(tmp_path, SMALL)
    for name in worker_files(truth_of(run)):
        stamps = re.findall(rb"(?m)^\[([\d-]+ [\d:]+)", (run / "logs" / name).read_bytes())
        assert stamps == sorted(stamps), name


def test_a_rank_stays_within_its_limits(tmp_path: Path) -> None:
    run = generate_run(tmp_path, SMALL._replace(minutes=8.0))
    decode = (run / "logs" / "cn03_decode_w0.out").read_bytes()
    prefill = (run / "logs" / "cn01_prefill_w0.out").read_bytes()

    assert max(int(number) for number in re.findall(rb"Decode batch, #running-req: (\d+)", decode)) <= 48
    assert min(int(number) for number in re.findall(rb"Decode batch, #running-req: (\d+)", decode)) >= 1
    assert max(float(number) for number in re.findall(rb"token usage: ([\d.]+)", decode)) <= 1.0
    assert max(int(number) for number in re.findall(rb"#new-token: (\d+)", prefill)) <= 8192


def test_no_batch_lines_appear_in_the_idle_gap(tmp_path: Path) -> None:
    run = generate_run(tmp_path, Options(topology="1P1D", minutes=20.0))
    truth = truth_of(run)
    hours, minutes, seconds = (int(part) for part in truth["load_begin"][11:].split(":"))
    begin = hours * 3600 + minutes * 60 + seconds
    stamps = re.findall(rb"(\d\d):(\d\d):(\d\d)[^\n]*Decode batch", (run / "logs/cn02_decode_w0.out").read_bytes())
    times = [int(h) * 3600 + int(m) * 60 + int(s) - begin for h, m, s in stamps]
    idle_begin, idle_end = truth["idle_s"]

    assert [at for at in times if idle_begin + 0.75 * (idle_end - idle_begin) < at < idle_end - 1] == []
    assert any(at < idle_begin for at in times)
    assert any(at > idle_end for at in times)


def test_file_names_say_node_role_and_worker(tmp_path: Path) -> None:
    run = generate_run(tmp_path, SMALL._replace(topology="1P2D"))
    outs = sorted(path.name for path in (run / "logs").glob("*_w*.out"))

    assert outs == ["cn01_prefill_w0.out", "cn02_decode_w0.out", "cn03_decode_w1.out"]
    assert (run / f"{run.name}.json").exists()
    assert json.loads((run / f"{run.name}.json").read_text())["resources"]["decode_workers"] == 2
    assert len(list((run / "logs").glob("sglang-request-metrics-*.log"))) == 1


def test_request_segments_fit_into_the_request(tmp_path: Path) -> None:
    run = generate_run(tmp_path, SMALL)
    (metrics,) = (run / "logs").glob("sglang-request-metrics-*.log")
    records = [json.loads(line) for line in metrics.read_text().splitlines()]

    assert len(records) == min(2000, truth_of(run)["requests"])
    for record in records:
        assert record["queue_time"] >= 0
        assert record["prefill_launch_latency"] > 0
        assert record["queue_time"] + record["inference_time"] <= record["e2e_latency"]
        assert record["prefill_launch_delay"] + record["prefill_launch_latency"] < record["inference_time"]


@pytest.mark.parametrize("prefix", sorted(PREFIXES))
def test_every_prefix_form_carries_the_same_batches(tmp_path: Path, prefix: str) -> None:
    run = generate_run(tmp_path, Options(topology="1P1D", minutes=1.0, prefix=prefix))
    plain = generate_run(tmp_path / "plain", Options(topology="1P1D", minutes=1.0))
    name = "logs/cn02_decode_w0.out"
    messages = [re.findall(rb"Decode batch.*", (base / name).read_bytes()) for base in (run, plain)]

    assert messages[0] == messages[1]
    assert len(messages[0]) > 20


def test_a_hostile_run_holds_every_kind_of_damage(tmp_path: Path) -> None:
    truth = truth_of(generate_run(tmp_path, SMALL._replace(topology="3P2D", hostile=True)))
    planted = {what for file in truth["files"].values() for what in file["planted"]}

    assert planted == {
        "ansi_lines", "crlf", "empty", "fork_line", "invalid_utf8", "lfs_pointer", "long_line", "quoted_line",
        "rotated_gz", "rotated_zst", "torn_last_line",
    }  # fmt: skip
