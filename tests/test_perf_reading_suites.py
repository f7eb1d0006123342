"""Performance numbers of test files: which test of a file printed them, in which try, and how that ended."""

from __future__ import annotations

from tests.build_suite_logs import begin, end, summary
from tests.perf_logs import measured, serving_block, step, unittest_result, values
from trackside.records.measurements import Measurement, TestOutcome

PASSED, FAILED, UNKNOWN = TestOutcome.PASSED, TestOutcome.FAILED, TestOutcome.UNKNOWN
A, B = "registered/perf/test_a.py", "registered/perf/test_b.py"
IN_A = "test/registered/perf/test_a.py"
RUN = step("python3 test/run_suite.py --suite perf")


def method(name: str, group: str = "TestA") -> str:
    return f"[CI Test Method] {group}.{name}"


def retry(file: str, tries: int = 2) -> list[str]:
    return [
        f"[CI Retry] {file} failed with retriable pattern: throughput",
        "[CI Retry] Waiting 60s before retry...",
        "",
        f"[CI Retry] Attempt {tries}/3 for {file}",
    ]


def tries(found: tuple[Measurement, ...], metric: str = "output_throughput_token_s") -> list[tuple[object, ...]]:
    return [
        (one.test, one.value, one.try_number, one.is_final, one.test_outcome) for one in found if one.metric == metric
    ]


def test_a_file_and_its_methods_name_the_tests() -> None:
    found = measured(
        RUN, begin(A, 0, 1), method("test_x"), serving_block("1.5"), method("test_y"), serving_block("2.5"),
        end(A, 0, 1), begin(B, 1, 1), serving_block("3.5"), end(B, 1, 1), summary([A, B]),
    )  # fmt: skip

    assert values(found) == {
        f"{IN_A}::TestA::test_x": 1.5,
        f"{IN_A}::TestA::test_y": 2.5,
        "test/registered/perf/test_b.py": 3.5,
    }
    assert {one.test_outcome for one in found} == {PASSED}


def test_the_tries_of_a_file_are_kept_apart() -> None:
    found = measured(
        RUN, begin(A), method("test_x"), serving_block("1.5"), end(A), retry(A),
        begin(A), method("test_x"), serving_block("2.5"), end(A), f"✓ PASSED on retry (attempt 2): {A}",
        summary([A], retried=[f"{A} (2 attempts, passed)"]),
    )  # fmt: skip

    name = f"{IN_A}::TestA::test_x"
    assert tries(found) == [(name, 1.5, 1, False, FAILED), (name, 2.5, 2, True, PASSED)]


def test_a_file_that_failed_every_try_is_failed_at_the_end_too() -> None:
    found = measured(
        RUN, begin(A), serving_block("1.5"), end(A), retry(A), begin(A), serving_block("2.5"), end(A), retry(A, 3),
        begin(A), serving_block("3.5"), end(A), f"✗ FAILED: {A} returned exit code 1",
        summary(failed=[f"{A} (exit code 1)"], retried=[f"{A} (3 attempts, failed)"]), conclusion="failure",
    )  # fmt: skip

    assert tries(found) == [(IN_A, 1.5, 1, False, FAILED), (IN_A, 2.5, 2, False, FAILED), (IN_A, 3.5, 3, True, FAILED)]


def test_where_it_is_told_which_test_failed_the_others_passed() -> None:
    found = measured(
        RUN, begin(A), method("test_x"), serving_block("1.5"), method("test_y"), serving_block("2.5"),
        unittest_result(False, "test_y"), end(A), f"✗ FAILED: {A} returned exit code 1",
        summary(failed=[f"{A} (exit code 1)"]), conclusion="failure",
    )  # fmt: skip

    assert {one.test: one.test_outcome for one in found} == {
        f"{IN_A}::TestA::test_x": PASSED,
        f"{IN_A}::TestA::test_y": FAILED,
    }


def test_a_test_of_the_same_name_in_another_class_is_another_test() -> None:
    found = measured(
        RUN, begin(A), method("test_x", "TestA"), "GSM8K Accuracy: 0.579", method("test_x", "TestB"),
        "GSM8K Accuracy: 0.817", end(A), summary([A]),
    )  # fmt: skip

    assert values(found, "gsm8k_accuracy") == {f"{IN_A}::TestA::test_x": 0.579, f"{IN_A}::TestB::test_x": 0.817}


def test_a_test_that_is_run_again_at_once_has_its_tries_too() -> None:
    again = (
        "[2026-04-11 00:30:09] retry() failed once (0th try, maximum 1 retries). Will delay 1.69s and retry. "
        "Error: 0.817 not greater than or equal to 0.82"
    )
    found = measured(
        RUN, begin(A), method("test_x"), "Accuracy: 0.817", again, "Accuracy: 0.825", end(A), summary([A])
    )  # fmt: skip

    name = f"{IN_A}::TestA::test_x"
    assert tries(found, "accuracy") == [(name, 0.817, 1, False, FAILED), (name, 0.825, 2, True, PASSED)]


def test_a_download_that_is_tried_again_is_no_try_of_the_test() -> None:
    again = "retry() failed once (0th try, maximum 2 retries). Will delay 0.78s and retry. Error: The read timed out"
    found = measured(RUN, begin(A), serving_block("1.5"), again, serving_block("2.5"), end(A), summary([A]))

    assert tries(found) == [(f"{IN_A}#1", 1.5, 1, True, PASSED), (IN_A, 2.5, 1, True, PASSED)]


def test_a_try_that_printed_nothing_is_a_try_all_the_same() -> None:
    found = measured(
        RUN, begin(A), method("test_x"), serving_block("1.5"), end(A), retry(A), begin(A), "CUDA error", end(A),
        f"✗ FAILED: {A} returned exit code 1", conclusion="failure",
    )  # fmt: skip
    assert tries(found) == [(f"{IN_A}::TestA::test_x", 1.5, 1, False, FAILED)]

    found = measured(
        RUN, begin(A), "CUDA error", end(A), retry(A), begin(A), method("test_x"), serving_block("2.5"), end(A),
        f"✓ PASSED on retry (attempt 2): {A}", summary([A]),
    )  # fmt: skip
    assert tries(found) == [(f"{IN_A}::TestA::test_x", 2.5, 2, True, PASSED)]


def test_of_a_suite_that_was_cut_off_the_outcome_is_not_known() -> None:
    found = measured(RUN, begin(A), method("test_x"), serving_block("1.5"), conclusion="cancelled")

    assert tries(found) == [(f"{IN_A}::TestA::test_x", 1.5, 1, True, UNKNOWN)]


def test_a_file_that_ran_out_of_time_failed() -> None:
    found = measured(
        RUN, begin(A), serving_block("1.5"), f"✗ TIMEOUT: {A} after 1200 seconds", summary(failed=[A]),
        conclusion="failure",
    )  # fmt: skip

    assert tries(found) == [(IN_A, 1.5, 1, True, FAILED)]


def test_what_is_printed_after_the_suite_is_the_steps() -> None:
    found = measured(
        RUN, begin(A), serving_block("1.5"), end(A), "Success. Time elapsed: 99.00s", summary([A]),
        serving_block("9.5"), steps=(),
    )  # fmt: skip

    assert values(found) == {IN_A: 1.5, "test/run_suite.py": 9.5}


def test_unittest_and_pytest_name_the_tests_that_run() -> None:
    found = measured(
        step("python3 test/srt/test_moe.py -v"),
        "test_fast (__main__.TestMoe.test_fast) ... command=python3 -m server", serving_block("1.5"), "ok",
        "test_slow (__main__.TestMoe) ...", serving_block("2.5"), "ok", unittest_result(),
        step("pytest -s test/e2e/test_perf.py"),
        "============================= test session starts ==============================",
        "test/e2e/test_perf.py::TestP::test_p[8-fp8.5] ", serving_block("3.5"), "PASSED",
        "test/e2e/test_perf.py::test_q ", serving_block("4.5"), "FAILED",
        "=========================== short test summary info ============================",
        "FAILED test/e2e/test_perf.py::test_q - AssertionError", "==== 1 failed, 1 passed in 99.12s ====",
        conclusion="failure",
    )  # fmt: skip

    assert values(found) == {
        "test/srt/test_moe.py::TestMoe::test_fast": 1.5,
        "test/srt/test_moe.py::TestMoe::test_slow": 2.5,
        "test/e2e/test_perf.py::TestP::test_p[8-fp8.5]": 3.5,
        "test/e2e/test_perf.py::test_q": 4.5,
    }
    outcomes = {one.test.rsplit("::", 1)[-1]: one.test_outcome for one in found}
    assert outcomes == {"test_fast": PASSED, "test_slow": PASSED, "test_p[8-fp8.5]": PASSED, "test_q": FAILED}


def test_results_below_a_heading_with_the_tests_name_are_that_tests() -> None:
    found = measured(
        RUN, begin(A), "### test_bs1_default (llama-3.1-8b)", "output_throughput: 153.22 token/s",
        "### test_online_latency_default", "median_e2e_latency_ms: 9981.25 ms", end(A), summary([A]),
    )  # fmt: skip

    assert values(found) == {f"{IN_A}::test_bs1_default": 153.22}
    assert values(found, "median_e2e_latency_ms") == {f"{IN_A}::test_online_latency_default": 9981.25}
    assert all(one.is_established for one in found)


def test_no_test_metric_and_try_is_told_twice() -> None:
    same = [*begin(A).splitlines(), method("test_x"), *serving_block("1.5"), *end(A).splitlines()]
    found = measured(RUN, same, RUN, same, RUN, same, retry(A), same, summary([A]))

    keys = [(one.test, one.metric, one.try_number) for one in found]
    assert len(keys) == len(set(keys))
    assert [one.is_final for one in found if one.metric == "output_throughput_token_s"] == [False, False, False, True]


def test_what_a_server_tells_at_its_start_is_the_files_whichever_test_ran_before() -> None:
    def start(memory: float) -> str:
        return f"[2026-06-09 22:05:31 TP0] Load weight end. type=LlamaForCausalLM, mem usage={memory} GB."

    found = measured(
        RUN, begin(A), start(14.5), method("test_x", "TestA"), serving_block("1.5"), start(63.5),
        method("test_y", "TestB"), serving_block("2.5"), end(A), summary([A]),
    )  # fmt: skip

    assert values(found, "weight_memory_gb") == {IN_A: 63.5}
    assert values(found) == {f"{IN_A}::TestA::test_x": 1.5, f"{IN_A}::TestB::test_y": 2.5}


def test_a_server_that_was_started_for_each_try_of_a_test_is_told_once_with_the_last_try() -> None:
    again = (
        "retry() failed once (0th try, maximum 1 retries). Will delay 1.87s and retry. Error: 1.5 not greater than 2"
    )
    memory = "Load weight end. type=LlamaForCausalLM, mem usage=14.5 GB."
    found = measured(
        step("python3 -m unittest test_bench_serving.TestBenchServing.test_x"),
        memory, serving_block("1.5"), again, memory, serving_block("2.5"), unittest_result(),
    )  # fmt: skip

    assert tries(found, "weight_memory_gb") == [("test_x", 14.5, 2, True, PASSED)]
    assert tries(found) == [("test_x", 1.5, 1, False, FAILED), ("test_x", 2.5, 2, True, PASSED)]


def test_of_a_name_that_two_files_tell_the_last_value_is_the_final_one() -> None:
    def told(value: float) -> str:
        return f'[{{"name": "decode", "unit": "ms", "value": {value}}}]'

    found = measured(
        RUN, begin(A, 0, 1), end(A, 0, 1), retry(A), begin(A, 0, 1), told(1.5), end(A, 0, 1), begin(B, 1, 1), told(2.5),
        end(B, 1, 1), summary([A, B]),
    )  # fmt: skip

    assert [(one.test, one.value) for one in found if one.is_final] == [("decode", 2.5)]
