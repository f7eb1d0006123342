"""One error is one fingerprint over runs and machines; two errors are two."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackside.joblogs.fingerprints import fingerprint, masked
from trackside.records.failures import Cause

SAME = [
    ("took 1.25 s at 0x7f3a11c0", "took 318.0 s at 0x55d1c0ab"),
    ("capacity of 79.11 GiB of which 620.00 MiB is free", "capacity of 139.8 GiB of which 1.2 GiB is free"),
    (
        "/__w/app/app/src/core/pool.cc:12:3: error: no member",
        "/r/_work/app/app/src/core/pool.cc:90:14: error: no member",
    ),
    ("no such file: /tmp/tmp9x1k2/report.json", "no such file: /tmp/pip-build-77ab/report.json"),
    ("connect to 10.0.0.17:30000 refused", "connect to 192.168.4.2:8080 refused"),
    ("commit 0a1b2c3d4e5f6 is gone", "commit f0e1d2c3b4a59 is gone"),
    ("request 1b4e28ba-2fa1-11d2-883f-0016d3cca427 failed", "request 6fa459ea-ee8a-3ca4-894e-db77e160355e failed"),
    ("[2026-03-02 08:11:02] lost rank 3", "[2027-01-01 00:00:59] lost rank 0"),
    ("host i-0fc893cd09f13bc2a died", "host i-00726d0d1e8699347 died"),
    ("in /opt/venv/lib/python3.12/site-packages/torch/x.py", "in /usr/lib/python3.10/site-packages/torch/x.py"),
    ("AssertionError: 0.612 not greater than 0.65", "AssertionError: 0.59 not greater than 0.65"),
    (
        'API Error: 529 {"type":"error","request_id":"req_011CSHoEeqs5C35K2UUqR7Fy"}',
        'API Error: 529 {"type":"error","request_id":"req_011CTJpQ9wKxUe4mBvZrNs2A"}',
    ),
    ("tool toolu_01A09q90qw90lq917835lq9 failed", "tool toolu_018xKqTn4v7WpYz2mBcRdEfG failed"),
    ("Request ID: 7F2A:1B3C:99", "Request ID: 01AA:9C4D:17"),
    ("open file:///srv/alice/app/a.py failed", "open file:///srv/bob/app/a.py failed"),
    ("==== short ====", "======================== short ======================="),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_differs_from_run_to_run_does_not_count(one: str, other: str) -> None:
    assert masked(one) == masked(other)
    assert fingerprint(Cause.TEST, one) == fingerprint(Cause.TEST, other)


DIFFERENT = [
    ("KeyError: 'input_ids'", "KeyError: 'position_ids'"),
    ("FAILED tests/test_a.py::test_x", "FAILED tests/test_b.py::test_x"),
    ("fp8 kernel is missing", "fp16 kernel is missing"),
    ("undefined reference to `f()'", "undefined reference to `g()'"),
    ("AssertionError: 1 not greater than 2", "AssertionError: 1 not less than 2"),
    ("unable to access 'https://github.com/octo/engine/'", "unable to access 'https://gitlab.example/octo/engine/'"),
    ("GET https://api.openai.com/v1/models failed", "GET https://api.anthropic.com/v1/models failed"),
    ("call_shape_function is undefined", "call_other_function is undefined"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_other_words_are_another_error(one: str, other: str) -> None:
    assert fingerprint(Cause.TEST, one) != fingerprint(Cause.TEST, other)


def test_cause_and_test_are_part_of_it() -> None:
    line = "AssertionError: Lists differ"
    names = [fingerprint(Cause.TEST, line), fingerprint(Cause.CRASH, line), fingerprint(Cause.TEST, line, "a.py")]
    names += [fingerprint(Cause.TEST, line, "b.py")]
    assert len(set(names)) == 4
    assert all(re.fullmatch("[0-9a-f]{16}", name) for name in names)


def test_parameters_of_a_test_that_are_numbers_are_one_error() -> None:
    one, other = (f"tests/a.py::test_moe[{shape}]" for shape in ("1-128-8", "64-256-2"))
    assert fingerprint(Cause.TEST, f"FAILED {one}", one) == fingerprint(Cause.TEST, f"FAILED {other}", other)


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.floats(0.001, 1e9), st.floats(0.001, 1e9))
def test_numbers_never_count(one: int, other: int, first: float, second: float) -> None:
    line = "worker lost after {} tokens, {:.3f} s waited"
    assert masked(line.format(one, first)) == masked(line.format(other, second))


SECONDS = st.integers(10**8, 4 * 10**9)


@given(st.integers(0, 2**64), st.integers(0, 2**64), SECONDS, SECONDS)
def test_addresses_and_times_never_count(one: int, other: int, then: int, now: int) -> None:
    lines = [
        f"{dt.datetime.fromtimestamp(at, dt.UTC):%Y-%m-%d %H:%M:%S} fault at 0x{address:x}"
        for at, address in ((then, one), (now, other))
    ]
    assert masked(lines[0]) == masked(lines[1])


@given(st.text(max_size=300))
def test_any_text_has_a_stable_fingerprint(text: str) -> None:
    assert fingerprint(Cause.OTHER, text) == fingerprint(Cause.OTHER, text)
    assert len(masked(text)) <= max(3 * len(text), 40)
