"""What stands before a message: every prefix form, quotations, and lines glued together."""

from __future__ import annotations

import pytest

from tests.engine_lines import DECODE, DECODE_VALUES, TAG, VLLM_V1, read
from trackside.bench.lines import Miss, read_line, split_glued

FULL = b"2026-01-04 00:44:47"
PREFIXES = {
    "P1 DP TP EP": (b"[2026-01-04 00:44:47 DP0 TP1 EP2] ", FULL, {"dp": 0, "tp": 1, "ep": 2}, b""),
    "P2 TP": (b"[2026-01-04 00:44:47 TP7] ", FULL, {"tp": 7}, b""),
    "P3 no tag": (b"[2026-01-04 00:44:47] ", FULL, {}, b""),
    "P4 TP EP": (b"[2026-01-04 00:44:47 TP0 EP0] ", FULL, {"tp": 0, "ep": 0}, b""),
    "P5 DP TP": (b"[2026-01-04 00:44:47 DP9 TP9] ", FULL, {"dp": 9, "tp": 9}, b""),
    "P6 PP": (b"[2026-01-04 00:44:47 PP0] ", FULL, {"pp": 0}, b""),
    "P6 DP": (b"[2026-01-04 00:44:47 DP3] ", FULL, {"dp": 3}, b""),
    "P6 DP PP TP EP": (b"[2026-01-04 00:44:47 DP0 PP1 TP2 EP3] ", FULL, {"dp": 0, "pp": 1, "tp": 2, "ep": 3}, b""),
    "P7 context parallel": (
        b"[2026-01-04 00:44:47 PP0 ATTN_CP1 TP1 EP1] ",
        FULL,
        {"pp": 0, "attn_cp": 1, "tp": 1, "ep": 1},
        b"",
    ),
    "P7 all six": (
        b"[2026-01-04 00:44:47 DP0 PP1 ATTN_CP2 MOE_DP3 TP4 EP5] ",
        FULL,
        {"dp": 0, "pp": 1, "attn_cp": 2, "moe_dp": 3, "tp": 4, "ep": 5},
        b"",
    ),
    "a tag nobody knows yet": (b"[2026-01-04 00:44:47 DP0 NEW_CP4 TP1] ", FULL, {"dp": 0, "tp": 1}, b""),
    "P8 milliseconds": (b"[2026-01-04 00:44:47.615 DP3 TP3] ", FULL, {"dp": 3, "tp": 3}, b""),
    "P9 time only": (b"[16:43:29 TP0] ", b"16:43:29", {"tp": 0}, b""),
    "P10 nothing": (b"", b"", {}, b""),
    "a format without times": (b"[DP1 TP2] ", b"", {"dp": 1, "tp": 2}, b""),
    "P11 level and source": (b"[2026-01-04 00:44:47] INFO scheduler.py:123: ", FULL, {}, b""),
    "P12 dynamo, colours left as text": (
        b"p0 [2m2026-01-04T00:44:47.880Z[0m [32m INFO[0m [2msglang[0m[2m:[0m ",
        b"2026-01-04T00:44:47",
        {},
        b"",
    ),
    "P13 dynamo": (
        b"2026-01-04T00:44:47.799938Z  INFO metrics_reporter.report_stats: ",
        b"2026-01-04T00:44:47",
        {},
        b"",
    ),
    "P13 dynamo, Rust target": (
        b"2026-01-04T00:44:47.799938Z  INFO sglang::scheduler: ",
        b"2026-01-04T00:44:47",
        {},
        b"",
    ),
    "P14 bracket eaten": (
        b"2026-01-04T00:44:47.500Z pod-5yl-rhk INFO TP0] ",
        b"2026-01-04T00:44:47",
        {"tp": 0},
        b"pod-5yl-rhk",
    ),
    "P15 Ray": (b"(SGLangEngine pid=41820) [2026-01-04 00:44:47 TP0] ", FULL, {"tp": 0}, b"SGLangEngine pid=41820"),
    "P15 Ray with address": (
        b"(SGLangEngine pid=5, ip=10.0.0.7) [2026-01-04 00:44:47 TP0] ",
        FULL,
        {"tp": 0},
        b"SGLangEngine pid=5, ip=10.0.0.7",
    ),
    "P16 compose": (b"sglang-1  | [2026-01-04 00:44:47 TP0] ", FULL, {"tp": 0}, b"sglang-1"),
    "P16 srun label": (b"12: [2026-01-04 00:44:47 TP0] ", FULL, {"tp": 0}, b"12"),
    "P16 srun label, padded": (b" 0: [2026-01-04 00:44:47 TP0] ", FULL, {"tp": 0}, b"0"),
    "kubectl --prefix": (b"[pod/sgl-0/main] [2026-01-04 00:44:47 TP0] ", FULL, {"tp": 0}, b"sgl-0/main"),
    "CI runner": (b"2026-01-04T00:44:48.1234567Z [2026-01-04 00:44:47 TP0] ", FULL, {"tp": 0}, b""),
    "journal": (b"Jan 04 00:44:47 host python3[1]: [2026-01-04 00:44:47] ", FULL, {}, b""),
    "logging config": (b"2026-01-04 00:44:47,123 - INFO - sglang.srt.scheduler - ", FULL, {}, b""),
    "logging config, source in brackets": (b"INFO 2026-01-04 00:44:47,123 scheduler.py:33] ", FULL, {}, b""),
    "after a progress bar": (b"  0%|   | 0/23 [00:00<?, ?it/s][2026-01-04 00:44:47 TP0] ", FULL, {"tp": 0}, b""),
}


@pytest.mark.parametrize("form", PREFIXES)
def test_prefix(form: str) -> None:
    lead, stamp, ranks, label = PREFIXES[form]
    row = read(lead + DECODE)
    assert (row.prefix.stamp, row.prefix.ranks, row.prefix.label) == (stamp, ranks, label)
    assert row.values == DECODE_VALUES
    assert not row.torn


def test_milliseconds_and_zones_are_read() -> None:
    assert read(b"[2026-01-04 00:44:47.615 TP0] " + DECODE).prefix.frac == b"615"
    assert read(b"2026-01-04T00:44:47.5Z  INFO a: " + DECODE).prefix.zone == b"Z"
    assert read(b"[2026-01-04 00:44:47+0800 TP0] " + DECODE).prefix.zone == b"+0800"


def test_a_tag_without_its_bracket_and_time_is_flagged() -> None:
    row = read(b"TP0] " + DECODE)
    assert row.torn
    assert row.prefix.ranks == {"tp": 0}


@pytest.mark.parametrize(
    "line",
    [
        b"[2026-01-04 00:44:47] Receive: text='[2026-01-04 00:44:47 TP0] " + DECODE + b"'",
        b'[2026-01-04 00:44:47] INFO: prompt: "why does it say ' + DECODE + b'?"',
        b"[2026-01-04 00:44:47] text='a\\n" + TAG + DECODE + b"\\n" + TAG + DECODE + b"\\n'",
        b"tell me what this means: " + DECODE,
    ],
)
def test_a_quoted_line_is_no_row_and_is_counted(line: bytes) -> None:
    for start, end in split_glued(line):
        assert read_line(line[start:end]) == Miss(quoted=True)


def test_lines_glued_together_are_parted() -> None:
    first, second = TAG + DECODE, b"[2026-01-04 00:44:48 TP1] " + DECODE
    spans = split_glued(first + second)
    assert [(first + second)[start:end] for start, end in spans] == [first, second]
    engine = b"(APIServer pid=1) INFO 03-19 07:08:57 [loggers.py:259] Engine 000: " + VLLM_V1
    assert split_glued(engine[:150] + engine) == [(0, 150), (150, 150 + len(engine))]
    weights = TAG + b"Load weight begin. avail mem=94.30 GB"
    assert split_glued(weights[:60] + weights) == [(0, 60), (60, 60 + len(weights))]
