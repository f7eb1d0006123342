"""Numbers that other benchmarks, engines and files print: rules only, no code."""

from __future__ import annotations

import json

import pytest

from tests.build_github import job
from tests.perf_logs import bench, measured, step, values
from trackside.perf.reading import read_document
from trackside.presets.grammar_files import load_grammars
from trackside.records.measurements import Better, Measurement

RUN = step(bench("test_x"))


def told(found: tuple[Measurement, ...]) -> dict[tuple[str, str], float]:
    return {(one.test, one.metric): one.value for one in found}


def directions(found: tuple[Measurement, ...]) -> dict[str, Better]:
    return {one.metric: one.better for one in found}


def document(content: object, grammar: str) -> tuple[Measurement, ...]:
    return read_document(json.dumps(content).encode(), job(name="bench"), load_grammars([grammar])[0])


def test_a_latency_benchmark_has_its_phases_and_the_warm_up_apart() -> None:
    def block(decode: str) -> list[str]:
        return [
            "Prefill. latency: 0.04113 s, throughput:   6224.31 token/s",
            "Decode 0. Batch size: 1, latency: 0.00655 s, throughput:    152.71 token/s",
            f"Decode.  median latency: 0.00650 s, median throughput:    {decode} token/s",
            "Total. latency:  1.656 s, throughput:    309.18 token/s",
        ]

    found = measured(RUN, "Warmup ...", block("99.50"), "Benchmark ...", block("153.85"))

    assert values(found, "median_decode_throughput_token_s") == {"test_x#1": 99.5, "test_x": 153.85}
    assert directions(found) == {
        "prefill_latency_s": Better.LOWER,
        "prefill_throughput_token_s": Better.HIGHER,
        "median_decode_latency_s": Better.LOWER,
        "median_decode_throughput_token_s": Better.HIGHER,
        "total_latency_s": Better.LOWER,
        "overall_throughput_token_s": Better.HIGHER,
    }


def test_a_benchmark_of_several_batch_sizes_is_told_apart_by_them() -> None:
    def block(size: int, output: float) -> list[str]:
        return [f"batch size: {size}", "input_len: 1024", "latency: 0.50 s", f"output throughput: {output} tok/s"]

    found = measured(RUN, block(1, 150.5), "last_ttft: 0.33 s", block(16, 1340.25), "acc_length: 2.5 ")

    assert values(found) == {"test_x[1]": 150.5, "test_x[16]": 1340.25}
    assert values(found, "accept_length") == {"test_x[16]": 2.5}
    assert values(found, "ttft_s") == {"test_x[1]": 0.33}


def test_a_table_has_a_result_for_each_model_and_batch_size() -> None:
    head = (
        "| batch size | input len | latency (s) | input throughput (tok/s)  | output throughput (tok/s) | acc length | "
    )
    head += "ITL (ms) | input cost ($/1M) | output cost ($/1M) |"
    found = measured(
        RUN, "### meta-llama/Llama-3.1-8B-Instruct (mtp)", head, "| ------ | ------ | ---- |",
        "| 1 | 4096 | 3.45 | 25123.50 | 153.25 | n/a | 6.53 | 0.03 | 3.63 |",
        "| 16 | 4096 | 5.25 | 30123.50 | 1840.75 | 2.5 | 8.69 | 0.03 | 0.30 |",
        "### Qwen/Qwen2-57B", head.replace("acc length | ", ""), "| 1 | 4096 | 2.45 | 15123.50 | 99.25 | 7.53 |",
    )  # fmt: skip

    llama = "test_x[meta-llama/Llama-3.1-8B-Instruct (mtp), "
    assert values(found) == {f"{llama}1]": 153.25, f"{llama}16]": 1840.75, "test_x[Qwen/Qwen2-57B, 1]": 99.25}
    assert values(found, "accept_length") == {f"{llama}16]": 2.5}
    assert values(found, "itl_ms") == {f"{llama}1]": 6.53, f"{llama}16]": 8.69, "test_x[Qwen/Qwen2-57B, 1]": 7.53}


@pytest.mark.parametrize(
    ("line", "metric", "value"),
    [
        ("Accuracy: 0.760", "accuracy", 0.76),
        ("GSM8K Accuracy: 0.817", "gsm8k_accuracy", 0.817),
        ("GSM8K Score: 0.5", "gsm8k_score", 0.5),
        ("MMLU-Pro Score: 65.5%", "mmlu_pro_score", 65.5),
        ("Score: 0.645", "score", 0.645),
        ("Average accuracy: 0.703", "average_accuracy", 0.703),
    ],
)
def test_scores_are_better_higher(line: str, metric: str, value: float) -> None:
    (one,) = measured(RUN, line)

    assert (one.test, one.metric, one.value, one.better) == ("test_x", metric, value, Better.HIGHER)


def test_how_fast_an_evaluation_ran_is_kept_beside_its_score() -> None:
    found = measured(
        RUN, "Accuracy: 0.760", "Invalid: 0.005", "Latency: 12.345 s", "Output throughput: 1234.500 token/s"
    )

    assert (
        told(found)
        == {
            ("test_x", "accuracy"): 0.76,
            ("test_x", "invalid_rate"): 0.005,
            ("test_x", "eval_latency_s"): 12.345,
            ("test_x", "output_throughput_token_s"): 1234.5,
        }
        or told(found)[("test_x", "eval_output_throughput_token_s")] == 1234.5
    )


@pytest.mark.parametrize(
    "line", ["accuracy_test: 0.5", "the Accuracy: was 0.5", "best Accuracy so far: 0.5", "Score: 5/10"]
)
def test_what_only_speaks_of_scores_is_none(line: str) -> None:
    assert measured(RUN, line, "Accuracy: none") == ()


def test_of_what_each_rank_tells_at_the_start_the_largest_counts() -> None:
    at = "[2026-06-09 22:05:31 TP0 EP0]"
    found = measured(
        RUN,
        f"{at} Load weight end. elapsed=74.02 s, type=LlamaForCausalLM, avail mem=211.34 GB, mem usage=63.38 GB.",
        f"{at} Load weight end. elapsed=74.40 s, type=LlamaForCausalLM, avail mem=211.34 GB, mem usage=63.25 GB.",
        f"{at} KV Cache is allocated. dtype: torch.bfloat16, #tokens: 2878016, K size: 85.09 GB, V size: 85.09 GB",
        f"{at} Capture cuda graph end. Time elapsed: 21.39 s. mem usage=1.43 GB. avail mem=35.76 GB.",
        f"{at} max_total_num_tokens=2878016, chunked_prefill_size=16384",
    )

    assert told(found) == {
        ("test_x", "weight_memory_gb"): 63.38,
        ("test_x", "weight_load_time_s"): 74.4,
        ("test_x", "kv_cache_tokens"): 2878016.0,
        ("test_x", "kv_cache_k_gb"): 85.09,
        ("test_x", "kv_cache_v_gb"): 85.09,
        ("test_x", "cuda_graph_memory_gb"): 1.43,
        ("test_x", "cuda_graph_capture_time_s"): 21.39,
        ("test_x", "max_total_num_tokens"): 2878016.0,
    }
    assert directions(found)["weight_memory_gb"] is Better.LOWER


def test_vllm_is_read_by_rules() -> None:
    found = measured(
        step("vllm bench throughput --model /data/m"),
        "INFO 08-16 20:01:26 [model_runner.py:1115] Model loading took 0.5151 GiB and 5.839312 seconds",
        "Throughput: 34.14 requests/s, 17466.30 total tokens/s, 8739.16 output tokens/s",
        "Total num prompt tokens:  255648",
        step("vllm bench latency"), "Avg latency: 2.145327783127626 seconds",
        "90% percentile latency: 2.1607464250177144 seconds", steps=(),
    )  # fmt: skip

    throughput, latency = "vllm bench throughput", "vllm bench latency"
    assert told(found) == {
        (throughput, "weight_memory_gib"): 0.5151,
        (throughput, "weight_load_time_s"): 5.839312,
        (throughput, "request_throughput_req_s"): 34.14,
        (throughput, "total_throughput_token_s"): 17466.3,
        (throughput, "output_throughput_token_s"): 8739.16,
        (throughput, "total_input_tokens"): 255648.0,
        (latency, "avg_latency_s"): 2.145327783127626,
        (latency, "p90_latency_s"): 2.1607464250177144,
    }


def test_tensorrt_llm_is_read_by_rules() -> None:
    found = measured(
        step("trtllm-bench --model m throughput"),
        "Average request latency (ms): 1.0", "= PERFORMANCE OVERVIEW", "=" * 59,
        "Request Throughput (req/sec):                     43.2089",
        "Total Output Throughput (tokens/sec):             5530.7382",
        "Per User Output Throughput (tokens/sec/user):     2.0563",
        "Average time-to-first-token [TTFT] (ms):          52667.0339",
        "[TPOT] MINIMUM: 32.8005", "[TPOT] P99    : 206.5821", "[TPOT] MAXIMUM: 208.4667", "=" * 59,
        "= DATASET DETAILS", "Total Output Throughput (tokens/sec):             1.0", steps=(),
    )  # fmt: skip

    assert {one.metric: one.value for one in found} == {
        "request_throughput_req_s": 43.2089,
        "output_throughput_token_s": 5530.7382,
        "output_throughput_per_user_token_s": 2.0563,
        "mean_ttft_ms": 52667.0339,
        "p99_tpot_ms": 206.5821,
        "max_tpot_ms": 208.4667,
    }


ITEMS = [
    {"name": "Decode bs1", "unit": "tok/s", "value": 153.22, "range": "± 0.5", "extra": "H100\nTP1"},
    {"name": "Startup", "unit": "ms", "value": "1250.5"},
    {"name": "Size", "unit": "pages", "value": 3},
    {"name": "Broken", "unit": "ms", "value": None},
    {"name": "Torn", "unit": "ms", "value": float("nan")},
]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_list_of_results_in_a_log_is_read_in_a_line_or_a_block(indent: int | None) -> None:
    found = measured(RUN, "Result:", json.dumps(ITEMS, indent=indent), "done")

    assert told(found) == {
        ("Decode bs1", "value_tok_s"): 153.22,
        ("Startup", "value_ms"): 1250.5,
        ("Size", "value_pages"): 3.0,
    }
    assert {one.test: one.better for one in found} == {
        "Decode bs1": Better.HIGHER,
        "Startup": Better.LOWER,
        "Size": Better.NEITHER,
    }


def test_a_document_may_stand_behind_what_says_what_it_is() -> None:
    found = measured(RUN, f"Result [1]: {json.dumps(ITEMS[:1])} (saved)", 'see {"unit": of "value"}')

    assert told(found) == {("Decode bs1", "value_tok_s"): 153.22}


def test_the_direction_of_a_file_is_that_of_the_grammar_that_is_named_for_it() -> None:
    assert {one.better for one in document(ITEMS, "custom-bigger-is-better")} == {Better.HIGHER}
    assert {one.better for one in document(ITEMS, "custom-smaller-is-better")} == {Better.LOWER}


def test_a_report_of_pytest_benchmark_is_read() -> None:
    stats = {"min": 0.5, "max": 1.5, "mean": 0.75, "median": 0.7, "stddev": 0.1, "rounds": 5}
    report = {"machine_info": {"node": "x"}, "benchmarks": [{"name": "a", "fullname": "t.py::test_a", "stats": stats}]}

    expected = {"mean_s": 0.75, "median_s": 0.7, "min_s": 0.5, "max_s": 1.5, "std_s": 0.1, "rounds": 5.0}
    assert told(document(report, "pytest-benchmark")) == {
        ("t.py::test_a", name): value for name, value in expected.items()
    }
    assert len(measured(RUN, json.dumps(report, indent=4))) == len(expected)


def test_lines_of_json_are_results_one_after_the_other() -> None:
    def line(output: float) -> str:
        return json.dumps({"output_throughput": output, "median_ttft_ms": 48.5, "completed": 500, "backend": "sglang"})

    content = f"{line(1.5)}\n{line(2.5)}\n".encode()
    found = read_document(content, job(name="bench"), load_grammars(["serving-json"])[0])

    assert values(found) == {"bench#1": 1.5, "bench": 2.5}
    assert values(measured(RUN, line(1.5), "text", line(2.5))) == {"test_x#1": 1.5, "test_x": 2.5}


def test_a_list_of_batch_sizes_is_told_apart_by_its_cases() -> None:
    rows = [
        {"model_path": "a/b", "run_name": "default", "batch_size": size, "input_len": 4096, "output_len": 512}
        | {"output_throughput": 150.5 * size, "latency": 3.5}
        for size in (1, 8)
    ]
    found = document(rows, "batch-json")

    assert values(found) == {"a/b[default, 1, 4096, 512]": 150.5, "a/b[default, 8, 4096, 512]": 1204.0}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"[",
        b"{" * 100_000,
        b"[" * 100_000,
        b"null",
        b"[[[1]]]",
        b"\xff\xfe\x00",
        b'[{"name": "a"',
        b"1e999",
    ],
)
def test_a_file_that_is_no_document_tells_nothing(content: bytes) -> None:
    for grammar in load_grammars():
        assert read_document(content, job(), grammar) == ()


def test_a_torn_list_tells_what_is_whole_of_it() -> None:
    torn = json.dumps(ITEMS[:2], indent=1).rsplit("}", 1)[0]

    assert values(measured(RUN, torn, "##[error]The operation was canceled."), "value_tok_s") == {"Decode bs1": 153.22}


def test_a_text_file_is_read_as_a_log_is() -> None:
    content = b"Output token throughput (tok/s):         7.5\n"
    assert values(read_document(content, job(name="bench", steps=()), load_grammars(["serving"])[0])) == {"bench": 7.5}
