"""The vectorised way gives exactly what the line parser says, however lines come, and nothing is lost uncounted."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scanning import new_state, scan, seen
from trackside.bench.lines import Row, read_line

DECODE = (
    b"[2026-01-04 00:44:%02d DP0 TP%d] Decode batch, #running-req: %d, #token: %d, token usage: 0.%02d, "
    b"cuda graph: True, gen throughput (token/s): %d.%02d, #queue-req: %d"
)
PREFILL = (
    b"[2026-01-04 00:44:%02d DP0 TP%d] Prefill batch, #new-seq: 1, #new-token: %d, #cached-token: 0, "
    b"token usage: 0.01, #running-req: 0, #queue-req: 2, "
)


def decode_lines(count: int) -> list[bytes]:
    return [DECODE % (i % 60, i % 8, i, i * 97, i % 100, i * 13, i % 100, i % 7) for i in range(count)]


# --- generated lines ------------------------------------------------------------------------------------------------

NUMBERS = st.one_of(
    st.integers(0, 10**18 - 1).map(str),
    st.integers(0, 999).map(str),
    st.floats(0, 1e7).map(lambda x: f"{x:.2f}"),
    st.floats(1e-6, 1e20).map(lambda x: f"{x:.3e}"),
    st.tuples(st.integers(0, 10**18 - 1), st.integers(0, 10**17)).map(lambda p: f"{p[0]}.{p[1]}"),
    st.integers(-1000, -1).map(str),
    st.sampled_from(["nan", "inf", "1.2.3", ".", "5.", ".5", "1e", "1e400", "1e-400", "1e9999", "00012", "+7.5"]),
    st.sampled_from(["-0.0", "0x10", "N/A", "5%", "5ms", "None", "9" * 20]),
)
FIELDS = {
    "Prefill": [
        "#new-seq", "#new-token", "#cached-token", "token usage", "#running-req", "#queue-req", "cuda graph",
        "input throughput (token/s)", "#pending-token", "#future_field", "swa token usage",
    ],
    "Decode": [
        "#running-req", "#token", "token usage", "accept len", "pre-allocated usage", "cuda graph", "npu graph",
        "gen throughput (token/s)", "#queue-req", "fwd occupancy", "mamba num", "some new thing",
    ],
}  # fmt: skip
PREFIXES = [
    "[2026-{mo:02}-{d:02} {h:02}:{m:02}:{s:02} DP{a} TP{b}] ",
    "[2026-{mo:02}-{d:02} {h:02}:{m:02}:{s:02}] ",
    "[2026-{mo:02}-{d:02} {h:02}:{m:02}:{s:02}.{a}{b} PP{a} ATTN_CP{b} MOE_DP1 EP{a}] ",
    "2026-{mo:02}-{d:02}T{h:02}:{m:02}:{s:02}.{a}Z  INFO x.y: ",
    "[{h:02}:{m:02}:{s:02} TP{b}] ",
    "{b}: [2026-{mo:02}-{d:02} {h:02}:{m:02}:{s:02} TP{a}] ",
    "c{b} | [2026-{mo:02}-{d:02} {h:02}:{m:02}:{s:02} TP{a}] ",
    "INFO {mo:02}-{d:02} {h:02}:{m:02}:{s:02} [x.py:{a}] ",
    "",
]
JUNK = st.sampled_from(
    [
        "",
        "x" * 700,
        '[2026-01-01 00:00:00] INFO:     127.0.0.1:1 - "GET /health HTTP/1.1" 200 OK',
        "Prefill rank batch, #new-token: 3",
        "prompt='[2026-01-01 00:00:00] Decode batch, #running-req: 3, #queue-req: 2'",
        "  0%|   | 0/3 [00:00<?]\r[2026-01-01 00:00:00] Decode batch, #running-req: 3",
        "[2026-01-01 00:00:00 TP3] Load weight begin. avail mem=-3.50 GB",
        "ServerArgs(tp_size=4, model_path='a')",
        "2026-02-30 26:61:61 not a date",
    ]
)


@st.composite
def logs(draw: st.DrawFn) -> list[bytes]:
    """Lines of a few shapes with random numbers, some cut, with other lines between."""
    shapes = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["Prefill", "Decode"]))
        keys = draw(st.lists(st.sampled_from(FIELDS[kind]), min_size=3, max_size=8, unique=True))
        shapes.append((kind, keys, draw(st.sampled_from([", ", ". "])), draw(st.sampled_from(["", ", ", ","]))))
    rng = random.Random(draw(st.integers(0, 10**9)))
    numbers = draw(st.lists(NUMBERS, min_size=5, max_size=30))
    prefixes = draw(st.lists(st.sampled_from(PREFIXES), min_size=1, max_size=3))
    junk = draw(st.lists(JUNK, min_size=1, max_size=3))
    lines = []
    for _ in range(draw(st.integers(1, 120))):
        if rng.random() < 0.1:
            lines.append(rng.choice(junk))
            continue
        kind, keys, separator, tail = rng.choice(shapes)
        body = ", ".join(
            f"{key}: {rng.choice(['True', 'False']) if 'graph' in key else _number(rng, numbers)}" for key in keys
        )
        lead = rng.choice(prefixes).format(
            mo=rng.randint(1, 12), d=rng.randint(1, 31), h=rng.randint(0, 24), m=rng.randint(0, 59),
            s=rng.randint(0, 59), a=rng.randint(0, 99), b=rng.randint(0, 9),
        )  # fmt: skip
        line = f"{lead}{kind} batch{separator}{body}{tail}"
        lines.append(line[: rng.randrange(len(line))] if rng.random() < 0.03 else line)
    return [line.encode() for line in lines]


def _number(rng: random.Random, numbers: list[str]) -> str:
    return rng.choice(numbers) if rng.random() < 0.3 else f"{rng.randrange(10 ** rng.randint(1, 6))}"


@settings(max_examples=40, deadline=None)
@given(logs(), st.sampled_from([b"\n", b"\r\n"]))
def test_learned_shapes_say_what_the_line_parser_says(lines: list[bytes], end: bytes) -> None:
    data = end.join(lines) + end
    fast, fast_counts = scan(data)
    slow, slow_counts = scan(data, learn=False)
    assert fast == slow
    assert seen(fast_counts) == seen(slow_counts)
    assert fast_counts.slow_path <= slow_counts.slow_path


@settings(max_examples=40, deadline=None)
@given(logs(), st.randoms(use_true_random=False))
def test_pieces_of_whole_lines_of_any_size_give_the_same(lines: list[bytes], rng: random.Random) -> None:
    whole, counts = scan(b"\n".join(lines) + b"\n")
    pieces = []
    while lines:
        size = rng.randint(1, 40)
        pieces.append(b"\n".join(lines[:size]) + b"\n")
        lines = lines[size:]
    parts, part_counts = scan(pieces)
    assert parts == whole
    assert seen(part_counts) == seen(counts)


@settings(max_examples=40, deadline=None)
@given(st.lists(logs(), min_size=2, max_size=3), st.randoms(use_true_random=False))
def test_writers_that_interleave_line_by_line_lose_nothing(writers: list[list[bytes]], rng: random.Random) -> None:
    order = [index for index, lines in enumerate(writers) for _ in lines]
    rng.shuffle(order)
    queues = [iter(lines) for lines in writers]
    mixed = b"\n".join(next(queues[index]) for index in order) + b"\n"
    fast, counts = scan(mixed)
    slow, slow_counts = scan(mixed, learn=False)
    assert fast == slow
    assert seen(counts) == seen(slow_counts)
    assert counts.lines == len(order)


def values_of(row: Row) -> dict[str, Any]:
    values = dict(row.values) | row.prefix.ranks
    return {name: value for name, value in values.items() if value is not None}


@settings(max_examples=40, deadline=None)
@given(logs())
def test_each_row_has_the_values_that_its_line_has(lines: list[bytes]) -> None:
    """Rows that the rest of the file shows to be cut may lack the value at their end, no more."""
    lines = [line for line in lines if b"\r" not in line]
    rows, _ = scan(b"\n".join(lines) + b"\n")
    wanted = {number: found for number, line in enumerate(lines, 1) if isinstance(found := read_line(line), Row)}
    assert [row["line"] for row in rows] == sorted(wanted)
    for row in rows:
        want = values_of(wanted[row["line"]])
        got = {name: bool(row[name]) if name == "graph" else row[name] for name in want if name in row}
        missing = set(want) - set(got)
        assert got == {name: value for name, value in want.items() if name not in missing}
        assert len(missing) <= bool(row["torn"])


def test_most_lines_take_the_fast_way() -> None:
    rows, counts = scan(b"\n".join(decode_lines(2000)) + b"\n")
    assert len(rows) == 2000
    assert counts.slow_path <= 30
    assert rows[1234]["num_tokens"] == 1234 * 97
    assert rows[1234]["gen_throughput"] == pytest.approx(1234 * 13 + 0.34)


# --- bytes of any kind ----------------------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=200), st.sampled_from(decode_lines(5))), max_size=30))
def test_random_bytes_never_raise_and_lines_are_counted(parts: list[bytes]) -> None:
    data = b"\n".join(parts)
    _, counts = scan(data)
    assert counts.lines == data.count(b"\n") + (not data.endswith(b"\n"))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=4)), max_size=12))
def test_damaged_lines_never_raise(damage: list[tuple[int, bytes]]) -> None:
    data = bytearray(b"\n".join(decode_lines(30)) + b"\n")
    for at, new in damage:
        at %= len(data)
        data[at : at + len(new)] = new
    fast, counts = scan(bytes(data))
    slow, slow_counts = scan(bytes(data), learn=False)
    assert fast == slow
    assert seen(counts) == seen(slow_counts)


def test_line_ends_of_windows_and_progress_bars() -> None:
    lines = decode_lines(20)
    plain, counts = scan(b"\n".join(lines) + b"\n")
    windows, windows_counts = scan(b"\r\n".join(lines) + b"\r\n")
    assert windows == plain
    assert seen(windows_counts) == seen(counts)
    bars, bar_counts = scan(b"\n".join(b"  3%|#   | 1/30\r" + line for line in lines) + b"\n")
    assert bars == plain
    assert bar_counts.lines == 20


def test_a_lone_carriage_return_parts_lines_without_counting_them() -> None:
    rows, counts = scan(b"\r".join(decode_lines(3)) + b"\n" + decode_lines(1)[0] + b"\n")
    assert [row["line"] for row in rows] == [1, 1, 1, 2]
    assert counts.lines == 2


def test_colours_are_no_part_of_a_line() -> None:
    line = decode_lines(1)[0]
    coloured = line.replace(b"Decode", b"\x1b[32mDecode\x1b[0m").replace(b"[2026", b"\x1b[A\x1b[2m[2026")
    assert scan(coloured + b"\n")[0] == scan(line + b"\n")[0]


def test_bytes_that_are_no_utf8_are_counted_and_cost_no_row() -> None:
    lines = decode_lines(10)
    lines[3] = b"\xff\xfe caf\xc3\xa9 \xe2\x82 " + lines[3]
    rows, counts = scan(b"\n".join(lines) + b"\n")
    assert len(rows) == 10
    assert counts.invalid_utf8_bytes == 4


def test_nul_bytes_in_a_line_cost_no_other_line() -> None:
    lines = decode_lines(12)
    lines[5] = b"\0" * 4096 + lines[5]
    rows, counts = scan(b"\n".join(lines) + b"\n")
    assert [row["line"] for row in rows if row["line"] != 6] == [n for n in range(1, 13) if n != 6]
    assert counts.lines == 12


def test_a_line_of_many_megabytes_is_read_in_time() -> None:
    lines = decode_lines(20)
    lines[10] = b"[2026-01-04 00:44:47] prompt='" + b"Decode batch, a: 1, #running-req: [" * 200_000 + b"'"
    start = time.process_time()
    rows, counts = scan(b"\n".join(lines) + b"\n")
    assert time.process_time() - start < 5
    assert len(rows) == 19
    assert counts.lines == 20


# --- numbers ----------------------------------------------------------------------------------------------------------


def test_whole_numbers_are_exact_up_to_eighteen_digits() -> None:
    numbers = [10**n - 1 for n in range(1, 19)] + [10**n for n in range(18)]
    lines = [PREFILL % (0, 0, number) for number in numbers]
    rows, counts = scan(b"\n".join(lines) + b"\n")
    assert [row["new_token"] for row in rows] == numbers
    assert counts.not_a_number == 0


def test_numbers_beyond_the_type_are_null_and_counted() -> None:
    lines = [PREFILL % (0, 0, number) for number in [7] * 20 + [2**63, 10**18, 10**30]]
    rows, counts = scan(b"\n".join(lines) + b"\n")
    assert [row.get("new_token") for row in rows[20:]] == [None, None, None]
    assert counts.not_a_number == 3


@settings(max_examples=60, deadline=None)
@given(st.lists(st.decimals(0, 10**12, places=2), min_size=20, max_size=40))
def test_decimals_are_the_nearest_double_as_python_reads_them(numbers: list[Any]) -> None:
    lines = [b"[2026-01-04 00:44:47] Decode batch, #running-req: 1, gen throughput (token/s): %s, #queue-req: 0" % (
        str(number).encode(),) for number in numbers]  # fmt: skip
    rows, _ = scan(b"\n".join(lines) + b"\n")
    assert [row["gen_throughput"] for row in rows] == [float(number) for number in numbers]


# --- cut lines --------------------------------------------------------------------------------------------------------

CUT = {
    "2024": b"[16:43:29 TP0] Decode batch. #running-req: 233, #token: 37095, token usage: 0.82, "
    b"gen throughput (token/s): 4594.01, #queue-req: 317",
    "trailing comma": b"[2026-01-04 00:44:47 TP0] Decode batch, #running-req: 12, #token: 645, token usage: 0.25, "
    b"pre-allocated usage: 0.13, #prealloc-req: 11, #transfer-req: 22, #retracted-req: 33, cuda graph: True, "
    b"gen throughput (token/s): 1234.56, #queue-req: 17, ",
    "2026 prefill": b"[2026-01-04 00:44:47] Prefill batch, #new-seq: 15, #new-token: 7123, #cached-token: 1280, "
    b"token usage: 0.56, #running-req: 78, #queue-req: 910, #pending-token: 111, #bootstrap-req: 22, "
    b"#inflight-req: 33, cuda graph: False, input throughput (token/s): 112.27",
    "fast prefill": b"[2026-01-04 00:44:47] Prefill batch, #new-seq: 15, #new-token: 7123, #cached-token: 1280, "
    b"token usage: 0.56, #running-req: 78, #queue-req: 910, cuda graph: False, input throughput (token/s): 1069730.27",
    "graph last": b"[2026-01-04 00:44:47] Prefill batch, #new-seq: 15, #new-token: 7123, #cached-token: 1280, "
    b"token usage: 0.56, #running-req: 78, #queue-req: 910, input throughput (token/s): 12.27, cuda graph: False",
    "estimates": b"[2026-01-04 00:44:47 TP3] Decode batch, #running-req: 12, #token: 330, token usage: 0.12, "
    b"cuda graph: True, gen throughput (token/s): 15.32, #queue-req: 19, est. decode TFLOPS/s (per GPU): 12.57, "
    b"est. read BW (GB/s per GPU): 345.67, est. write BW (GB/s per GPU): 44.17",
    "vLLM": b"(APIServer pid=1) INFO 03-19 07:08:57 [loggers.py:259] Engine 000: Avg prompt throughput: 212.3 "
    b"tokens/s, Avg generation throughput: 110.5 tokens/s, Running: 13 reqs, Waiting: 14 reqs, "
    b"GPU KV cache usage: 15.5%, Prefix cache hit rate: 44.0%",
    "TensorRT-LLM": b"[05/20/2026-23:24:41] [TRT-LLM] [I] iter = 123, global_rank = 0, rank = 0, "
    b"num_scheduled_requests = 12, kv_cache_util = 0.125, currank_total_requests = 10/11, host_step_time = 458.25ms, "
    b"prev_device_step_time = 123.45ms, timestamp = 2026-05-20 23:24:41, states = {'num_ctx_requests': 13, "
    b"'num_ctx_tokens': 13694, 'num_generation_tokens': 140}",
}
# A whole number that ends its line may have lost digits: nothing of the line tells.
UNSEEN = {"2024": {"queue_req"}}
NOT_VALUES = {"line", "torn", "logged_us", "stream", "utc", "dateless", "kind", "engine"}


@pytest.mark.parametrize("before", [3, 30])
@pytest.mark.parametrize("form", CUT)
def test_a_line_cut_anywhere_keeps_only_whole_values_and_says_so(form: str, before: int) -> None:
    line = CUT[form]
    full = scan(line + b"\n")[0][0]
    for cut in range(len(line)):
        data = b"\n".join([line] * before + [line[:cut]] + [line] * before) + b"\n"
        for row in (row for row in scan(data)[0] if row["line"] == before + 1):
            values = {name: value for name, value in row.items() if name not in NOT_VALUES}
            wrong = {name for name, value in values.items() if full[name] != value}
            assert wrong <= UNSEEN.get(form, set()), (cut, line[:cut], wrong)
            lost = set(full) - set(row) - NOT_VALUES
            assert row["torn"] or not lost, (cut, line[:cut], lost)


def test_a_cut_line_with_the_next_one_glued_to_it_gives_both() -> None:
    line = CUT["trailing comma"]
    data = b"\n".join([line] * 3 + [line[:150] + line] + [line] * 3) + b"\n"
    rows, counts = scan(data)
    assert [row["line"] for row in rows] == [1, 2, 3, 4, 4, 5, 6, 7]
    assert [row["torn"] for row in rows] == [0, 0, 0, 1, 0, 0, 0, 0]
    assert counts.torn == 1


def test_a_number_to_which_the_next_line_is_glued_is_no_value() -> None:
    line = CUT["2024"]
    rows, counts = scan(b"\n".join([line] * 20 + [line[:-1] + line] + [line]) + b"\n")
    assert [row.get("queue_req") for row in rows[19:]] == [317, None, 317, 317]
    assert counts.torn == 1


@pytest.mark.parametrize(
    "text",
    [b" " * 60_000, b"Decode batch, " + b"a: [, " * 10_000, b"Decode batch, " + b"a: {, " * 10_000, b"'a " * 20_000],
    ids=["spaces", "lists", "braces", "quotes"],
)
def test_no_line_takes_long(text: bytes) -> None:
    start = time.process_time()
    scan(text + b"Decode batch, #running-req: 3\n")
    assert time.process_time() - start < 2


def test_a_field_that_only_some_lines_have_makes_no_line_a_cut_one() -> None:
    short = decode_lines(40)
    lines = [line + b", fwd occupancy: 97.50%" if index % 3 else line for index, line in enumerate(short)]
    for order in (lines, lines[1:] + lines[:1]):
        rows, counts = scan(b"\n".join(order) + b"\n")
        assert counts.torn == 0
        assert all("queue_req" in row for row in rows)


# --- counts -----------------------------------------------------------------------------------------------------------


def test_lines_that_look_like_batch_lines_are_counted_with_five_samples() -> None:
    fork = [b"[2026-01-04 00:44:47 TP0] Prefill rank batch, #new-token: %d" % n for n in range(8)]
    _, counts = scan(b"\n".join(fork + decode_lines(3)) + b"\n")
    assert counts.unrecognised == 8
    assert counts.samples == [line.decode() for line in fork[:5]]
    assert counts.kinds == {"decode": 3}


def test_quoted_lines_are_counted_apart() -> None:
    quoted = [b'[2026-01-04 00:44:47] prompt="explain: ' + line + b'"' for line in decode_lines(20)]
    rows, counts = scan(b"\n".join(quoted) + b"\n")
    assert (rows, counts.quoted, counts.unrecognised) == ([], 20, 0)


def test_a_scan_goes_on_where_another_ended() -> None:
    lines = decode_lines(60)
    whole, _ = scan(b"\n".join(lines) + b"\n")
    state = new_state()
    first, _ = scan(b"\n".join(lines[:25]) + b"\n", state=state)
    second, _ = scan(b"\n".join(lines[25:]) + b"\n", state=state)
    assert first + second == whole
