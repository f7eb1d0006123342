"""Performance numbers of jobs that run one test a command."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.build_github import NOON
from tests.build_github import step as a_step
from tests.build_suite_logs import begin, end, log
from tests.perf_logs import PART_1, bench, measured, measured_bytes, serving_block, step, unittest_result, values
from trackside.perf.steps import program_of
from trackside.records.measurements import Better, TestOutcome

PASSED, FAILED, UNKNOWN = TestOutcome.PASSED, TestOutcome.FAILED, TestOutcome.UNKNOWN


def test_a_test_has_the_numbers_of_its_section_by_their_established_names() -> None:
    block = serving_block(
        "153.22",
        **{
            "Input_token_throughput_(tok/s)": "1,208.37",
            "Median_E2E_Latency_(ms)": "9981.25",
            "Median_TTFT_(ms)": "48.17",
            "Accept_length": "2.34",
        },
    )
    found = measured(step("cd test/srt", bench("test_online_latency_eagle")), block, unittest_result())

    assert {(one.metric, one.value) for one in found if one.metric != "duration_s"} == {
        ("successful_requests", 500.0),
        ("output_throughput_token_s", 153.22),
        ("peak_output_throughput_token_s", 9576.0),
        ("input_throughput_token_s", 1208.37),
        ("median_e2e_latency_ms", 9981.25),
        ("median_ttft_ms", 48.17),
        ("accept_length", 2.34),
    }
    assert {one.test for one in found} == {"test_online_latency_eagle"}
    assert {one.test_outcome for one in found} == {PASSED}
    drawn = {one.metric for one in found if one.is_established}
    assert drawn == {"median_e2e_latency_ms", "accept_length"}


def test_every_metric_has_its_unit_its_direction_and_its_line() -> None:
    found = measured(step(bench("test_bs1_default")), serving_block("153.22", **{"P99_ITL_(ms)": "12.5"}))
    told = {one.metric: one for one in found}

    output = told["output_throughput_token_s"]
    assert (output.unit, output.better, output.line_number, output.grammar) == ("tok/s", Better.HIGHER, 10, "serving")
    assert (told["p99_itl_ms"].unit, told["p99_itl_ms"].better) == ("ms", Better.LOWER)
    assert (told["successful_requests"].unit, told["successful_requests"].better) == (None, Better.NEITHER)
    assert (output.repo, output.job_id, output.run_id) == ("octo/engine", 10, 1)


@pytest.mark.parametrize("stat", ["Mean", "Median", "P90", "P95", "P99", "Max"])
@pytest.mark.parametrize("what", ["E2E Latency", "TTFT", "TPOT", "ITL"])
def test_each_statistic_of_each_latency_is_a_metric(stat: str, what: str) -> None:
    found = measured(step(bench("test_x")), f"{stat} {what} (ms):".ljust(41) + "7.25", serving_block())

    assert values(found, f"{stat} {what} ms".lower().replace(" ", "_")) == {"test_x": 7.25}


@pytest.mark.parametrize(
    ("line", "metric"),
    [
        ("Std TTFT (ms):                           5.50", "std_ttft_ms"),
        ("Request throughput (req/s):              5.50", "request_throughput_req_s"),
        ("Total token throughput (tok/s):          5.50", "total_throughput_token_s"),
        ("Total Token throughput (tok/s):          5.50", "total_throughput_token_s"),
        ("Last generation throughput (tok/s):      5.50", "last_generation_throughput_token_s"),
        ("Concurrency:                             5.50", "concurrency"),
        ("Peak concurrent requests:                5.50", "peak_concurrent_requests"),
        ("Mean E2EL (ms):                          5.50", "mean_e2e_latency_ms"),
        ("Total generated tokens (retokenized):    5.50", "total_generated_tokens_retokenized"),
        ("ACCEPT LENGTH: 5.50, accept length:      5.50", "accept_length"),
        ("avg_spec_accept_length=5.50", "avg_spec_accept_length"),
    ],
)
def test_the_other_lines_of_the_block_are_metrics(line: str, metric: str) -> None:
    assert values(measured(step(bench("test_x")), serving_block(), line), metric) == {"test_x": 5.5}


def test_the_last_block_has_the_name_of_the_test_and_the_ones_before_it_a_number() -> None:
    found = measured(step(bench("test_x")), serving_block("1.5"), serving_block("2.5"), serving_block("3.5"))

    assert values(found) == {"test_x#1": 1.5, "test_x#2": 2.5, "test_x": 3.5}
    assert [one.test for one in found if one.is_established] == ["test_x"]


def test_a_value_that_only_an_earlier_block_has_is_the_last_of_its_metric_and_so_the_tests() -> None:
    found = measured(step(bench("test_x")), serving_block("1.5", Accept_length="2.25"), serving_block("2.5"))

    assert values(found, "accept_length") == {"test_x": 2.25}
    assert values(found) == {"test_x#1": 1.5, "test_x": 2.5}


def test_a_section_ends_at_the_next_command_and_at_the_next_step() -> None:
    found = measured(
        step(bench("test_a")), serving_block("1.5"), step(bench("test_b")), serving_block("2.5"),
        "##[group]Cleaning up", serving_block("3.5"), steps=(),
    )  # fmt: skip

    assert values(found) == {"test_a": 1.5, "test_b": 2.5, "unittest": 3.5}


def test_commands_of_one_step_have_each_their_own_numbers() -> None:
    found = measured(
        step("cd test/srt", bench("test_a"), bench("test_b"), bench("test_c")),
        serving_block("1.5"), unittest_result(),
        serving_block("2.5"), unittest_result(),
        serving_block("3.5"), unittest_result(ok=False), "##[error]Process completed with exit code 1.",
        conclusion="failure",
    )  # fmt: skip

    assert values(found) == {"test_a": 1.5, "test_b": 2.5, "test_c": 3.5}
    outcomes = {one.test: one.test_outcome for one in found}
    assert outcomes == {"test_a": PASSED, "test_b": PASSED, "test_c": FAILED}


def test_output_that_was_held_back_until_the_end_of_its_command_is_still_its_own() -> None:
    found = measured(
        step(bench("test_a"), bench("test_b")),
        unittest_result(), serving_block("1.5"),
        unittest_result(), serving_block("2.5"),
    )  # fmt: skip

    assert values(found) == {"test_a": 1.5, "test_b": 2.5}


def test_a_command_that_tells_no_numbers_leaves_those_of_the_next_to_it() -> None:
    def at(second: int, *lines: str) -> list[str]:
        return [f"2026-11-01T12:00:{second:02}.5Z {line}" for line in lines]

    lines = [
        *at(1, *step(bench("test_quiet"), bench("test_held_back"), bench("test_b"))),
        *at(10, *unittest_result()),
        *at(30, *unittest_result(), *serving_block("1.5")),
        *at(50, *serving_block("2.5"), *unittest_result()),
    ]

    assert values(measured_bytes("\n".join(lines).encode())) == {"test_held_back": 1.5, "test_b": 2.5}


def test_a_command_that_the_shell_traces_begins_there() -> None:
    found = measured(
        step("set -x", bench("test_a"), bench("test_b")),
        f"+ {bench('test_a')}", "no numbers",
        f"+ {bench('test_b')}", serving_block("2.5"),
    )  # fmt: skip

    assert values(found) == {"test_b": 2.5}


def test_a_failed_test_counts_and_is_marked() -> None:
    found = measured(
        step(bench("test_x")),
        serving_block("88.5"),
        "AssertionError: 88.5 not greater than 135",
        unittest_result(False, "test_x"),
        "##[error]Process completed with exit code 1.",
        conclusion="failure",
    )

    assert values(found) == {"test_x": 88.5}
    assert {one.test_outcome for one in found} == {FAILED}


def test_of_a_log_that_was_cut_off_the_outcome_is_not_known() -> None:
    found = measured(step(bench("test_x")), serving_block("88.5"), conclusion="cancelled")

    assert {one.test_outcome for one in found} == {UNKNOWN}


def test_a_command_that_broke_off_failed() -> None:
    broken = "##[error]Process completed with exit code 137."
    found = measured(step(bench("test_x")), serving_block("88.5"), broken, conclusion="failure")

    assert {one.test_outcome for one in found} == {FAILED}


@pytest.mark.parametrize(
    "value", ["nan", "inf", "-inf", "N/A", "", "1.2.3", "7,5", "3k", "1e999", "10:30", "0x1F", "12ab34"]
)
def test_what_is_no_number_is_no_measurement(value: str) -> None:
    assert values(measured(step(bench("test_x")), serving_block(value))) == {}


@pytest.mark.parametrize(
    ("printed", "value"),
    [("1,234,567.5", 1234567.5), ("1.5e3", 1500.0), ("2E-2", 0.02), ("0", 0.0), ("153.", 153.0), ("12.3tok/s", 12.3)],
)
def test_numbers_are_read_as_they_are_meant(printed: str, value: float) -> None:
    assert values(measured(step(bench("test_x")), serving_block(printed))) == {"test_x": value}


def test_a_block_of_nan_leaves_the_one_before_it_as_the_last() -> None:
    assert values(measured(step(bench("test_x")), serving_block("1.5"), serving_block("nan"))) == {"test_x": 1.5}


def test_numbers_outside_of_tests_are_named_after_what_the_step_runs() -> None:
    command = "python -m sglang.bench_serving --backend sglang --port 30012 --output-file /tmp/tmp8f3a/out.jsonl"
    assert values(measured(step(command), serving_block("7.5"), steps=())) == {"sglang.bench_serving": 7.5}


def test_they_are_named_after_the_step_that_has_a_name_of_its_own() -> None:
    steps = (
        a_step(1, name="Set up job", started_at=NOON - dt.timedelta(minutes=9)),
        a_step(2, name="Benchmark MoE of 2026-11-01", started_at=NOON - dt.timedelta(minutes=1)),
        a_step(3, name="Post checkout", started_at=NOON + dt.timedelta(minutes=5)),
    )
    found = measured(step("python -m sglang.bench_serving --port 30012"), serving_block("7.5"), steps=steps)

    assert values(found) == {"Benchmark MoE of": 7.5}


def test_a_step_that_is_called_after_its_command_is_named_after_what_that_runs() -> None:
    command = "vllm bench serve --model /data/models/x --port 8000"
    steps = (a_step(1, name=f"Run {command}", started_at=NOON),)

    assert values(measured(step(command), serving_block("7.5"), steps=steps)) == {"vllm bench serve": 7.5}


def test_without_a_step_they_are_named_after_the_job() -> None:
    assert values(measured(serving_block("7.5"), steps=())) == {PART_1: 7.5}


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("python3 -m sglang.bench_serving --port 1", "sglang.bench_serving"),
        (
            "CUDA_VISIBLE_DEVICES=0 timeout 600 python3 /opt/runner/_work/e/e/benchmark/x/bench.py -n 3",
            "benchmark/x/bench.py",
        ),
        ("/usr/bin/python3.12 -u -m a.b", "a.b"),
        ("vllm bench serve --model x", "vllm bench serve"),
        ("trtllm-bench --model x throughput", "trtllm-bench"),
        ("bash scripts/perf.sh 8f3a9c1d2e", "scripts/perf.sh"),
        ("nick-fields/retry@v3.0.2", "nick-fields/retry"),
        ("", ""),
        ("python3", ""),
    ],
)
def test_a_command_is_called_the_same_on_every_machine(command: str, name: str) -> None:
    assert program_of(command) == name


def test_stamps_colours_and_line_ends_do_not_matter() -> None:
    told = log(step(bench("test_x")), serving_block("7.5"))
    plain = b"\n".join(line[29:] for line in told.split(b"\n"))
    coloured = told.replace(b"Output token", b"\x1b[1;32mOutput token").replace(b"7.5", b"\x1b[0m7.5")

    for content in (plain, coloured, b"\xef\xbb\xbf" + told, told.replace(b"\n", b"\r\n")):
        assert values(measured_bytes(content)) == {"test_x": 7.5}


def test_what_a_script_says_that_is_shown_is_no_result() -> None:
    sample = "echo 'Output token throughput (tok/s):         9.9'"
    found = measured(step(bench("test_x"), sample), f"+ {sample}", f"++ {sample}", serving_block("7.5"))

    assert values(found) == {"test_x": 7.5}


def test_source_code_and_help_texts_are_no_results() -> None:
    found = measured(
        step("cat bench.py"),
        '        print("{:<40} {:<10.2f}".format("Output token throughput (tok/s):", metrics.output_throughput))',
        "  --random-output-len RANDOM_OUTPUT_LEN  Output token throughput (tok/s): the number of tokens",
        '    "output_throughput_token_s": r"Output token throughput \\(tok/s\\):\\s*([\\d.]+)",',
        "| Output token throughput (tok/s) | 153.22 |",
    )
    assert found == ()


def test_a_log_without_numbers_has_none() -> None:
    assert measured(step("make"), "all is well") == ()
    assert measured_bytes(b"") == ()


def test_comments_and_shown_texts_name_no_command_and_one_line_may_hold_two() -> None:
    script = step(
        "# python3 -m unittest test_old", f"{bench('test_a')} && {bench('test_b')}", "echo python3 -m unittest test_c"
    )
    found = measured(
        script, serving_block("1.5"), unittest_result(), serving_block("2.5"), unittest_result(), serving_block("3.5")
    )

    assert values(found) == {"test_a": 1.5, "test_b#1": 2.5, "test_b": 3.5}


def test_a_step_is_known_by_when_it_began_not_by_when_its_numbers_came() -> None:
    steps = (
        a_step(1, name="Benchmark", started_at=NOON),
        a_step(2, name="Post checkout", started_at=NOON + dt.timedelta(minutes=5)),
    )
    late = b"2026-11-01T12:05:00.9Z Output token throughput (tok/s):         7.5\n"

    assert values(measured_bytes(log(step("make bench")) + late, steps=steps)) == {"Benchmark": 7.5}


def test_a_token_in_a_name_is_not_kept() -> None:
    found = measured('[{"name": "for ghp_0123456789abcdefghijABCDEFGHIJ012345", "unit": "ms", "value": 1}]')

    assert [one.test for one in found] == ["for ***"]


@pytest.mark.parametrize(("conclusion", "outcome"), [("success", PASSED), ("failure", FAILED), ("cancelled", UNKNOWN)])
def test_numbers_of_a_step_ended_as_the_step_did(conclusion: str, outcome: TestOutcome) -> None:
    steps = (a_step(1, name="Benchmark", started_at=NOON, conclusion=conclusion),)
    found = measured(step("make bench"), serving_block("7.5"), steps=steps, conclusion="failure")

    assert {one.test_outcome for one in found} == {outcome}


def test_a_file_that_a_message_names_is_not_run_by_that() -> None:
    found = measured(
        step("python3 test/srt/test_a.py"),
        "Running command: python3 test/srt/test_b.py --fast", "launched: python3 /x/y/test_c.py", serving_block("1.5"),
        "+ timeout 600 python3 test/srt/test_d.py", serving_block("2.5"),
    )  # fmt: skip

    assert values(found) == {"test/srt/test_a.py": 1.5, "test/srt/test_d.py": 2.5}


def test_a_part_of_the_log_that_a_test_opens_does_not_end_it() -> None:
    found = measured(
        step("python3 run_suite.py"), begin("a/test_a.py"), "[CI Test Method] TestA.test_x", "##[group]Server log", "x",
        "##[endgroup]", serving_block("1.5"), end("a/test_a.py"),
    )  # fmt: skip

    assert values(found) == {"test/a/test_a.py::TestA::test_x": 1.5}
