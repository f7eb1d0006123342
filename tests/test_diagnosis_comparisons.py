"""A number that missed its threshold is of a model's quality or of its speed as the test says, not as a server logs."""

from __future__ import annotations

import pytest

from tests.test_diagnosis import EXIT, told
from trackside.records.failures import Cause

SERVER = (
    "[2026-11-20 10:00:01 TP0] Decode batch, #running-req: 1, token usage: 0.05, gen throughput (token/s): 3.0",
    "INFO 11-20 10:00:01 [loggers.py:127] Engine 000: Avg generation throughput: 3.0 tokens/s, Running: 8 reqs",
) * 6


def failed(test: str, source: str, message: str) -> tuple[str, ...]:
    return (
        "=" * 70,
        f"FAIL: {test} (test_x.TestX.{test})",
        "-" * 70,
        "Traceback (most recent call last):",
        f'  File "/w/test/test_x.py", line 12, in {test}',
        f"    {source}",
        message,
        "",
        "-" * 70,
        "Ran 1 test in 3.0s",
    )


@pytest.mark.parametrize(
    "number",
    [
        "0.58",
        "np.float64(0.58)",
        "np.float32(0.58)",
        "tensor(0.58)",
        "tensor(0.58, device='cuda:0')",
        "Decimal('0.58')",
    ],
)
def test_a_number_within_its_type_is_a_number(number: str) -> None:
    message = f"AssertionError: {number} not greater than 0.62"
    for head in (SERVER, ()):
        found = told(*head, *failed("test_gsm8k", "self.assertGreater(got, 0.62)", message), EXIT)
        assert (found.cause, found.line) == (Cause.ACCURACY, message)
    assert told(*failed("test_x", 'self.assertLess(res["ttft_ms"], 86)', message), EXIT).cause is Cause.PERFORMANCE
    summary = f"FAILED tests/test_eval.py::test_mmlu - assert {number} >= 0.65"
    assert told(summary, EXIT).cause is Cause.ACCURACY


@pytest.mark.parametrize(
    "message", ["AssertionError: 3 not greater than 5", "AssertionError: np.int64(3) not less than 1"]
)
def test_what_a_server_logged_does_not_say_what_was_tested(message: str) -> None:
    found = told(*SERVER, *failed("test_gen", "self.assertGreater(a, b)", message), EXIT)
    assert (found.cause, found.test) == (Cause.TEST, "test_x.TestX.test_gen")
    bare = told(
        *SERVER, "Traceback (most recent call last):", '  File "a.py", line 1, in f', "    check()", message, EXIT
    )
    assert bare.cause is Cause.TEST


@pytest.mark.parametrize(
    ("printed", "cause"),
    [
        ("Accuracy: 0.580", Cause.ACCURACY),
        ("Output token throughput (tok/s):        0.58", Cause.PERFORMANCE),
        ("Accuracy: 0.590", Cause.TEST),
        ("Latency: 40.1 s", Cause.TEST),
        ("Answers: 0.58", Cause.TEST),
    ],
)
def test_a_printed_result_says_what_was_compared_where_it_is_that_number(printed: str, cause: Cause) -> None:
    message = "AssertionError: np.float64(0.5801) not greater than 0.62"
    assert told(printed, *SERVER[:4], *failed("test_x", "self.assertGreater(a, b)", message), EXIT).cause is cause


def test_in_the_source_that_pytest_shows_the_nearest_line_says_it() -> None:
    found = told(
        "____________________ TestEval.test_mmlu ____________________",
        "",
        "self = <test_eval.TestEval testMethod=test_mmlu>",
        "",
        "    def test_mmlu(self):",
        "        latency = self.run_all()",
        "        acc = self.evaluate()",
        ">       assert acc >= 0.65",
        "E       assert 0.61 >= 0.65",
        EXIT,
    )
    assert (found.cause, found.line) == (Cause.ACCURACY, "E       assert 0.61 >= 0.65".strip())


@pytest.mark.parametrize("reason", ["latency 12.5 > 11.0", "latency 12.5% < 20", "TTFT was 91.2>=86"])
def test_two_numbers_beside_each_other_are_a_comparison(reason: str) -> None:
    assert told(f"FAILED tests/test_a.py::test_b - {reason}", EXIT).cause is Cause.PERFORMANCE


@pytest.mark.parametrize("number", ["9" * 1000, "1." * 900, "1e999", "nan", "np.float64(nan)", "a(" + "1," * 900])
def test_odd_numbers_are_read_too(number: str) -> None:
    message = f"AssertionError: {number} not greater than 1"
    assert (
        told("Accuracy: " + "9" * 400, *failed("test_x", "self.assertGreater(a, b)", message), EXIT).cause is Cause.TEST
    )
