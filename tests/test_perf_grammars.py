"""Grammars: those that come with the product, and what is said of one that cannot be used."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.build_github import job
from tests.build_suite_logs import log
from tests.perf_logs import bench, serving_block, step, values
from trackside.errors import UsageError
from trackside.perf.grammars import check_grammars, version_of
from trackside.perf.reading import read_measurements
from trackside.presets.grammar_files import grammar_names, load_grammars
from trackside.records.perf_grammars import Format, Grammar, MetricRule, Says, Take, TestRule
from trackside.records.perf_rules import PerfRules

DOC = Path("docs/perf-grammars.md")
OLD = "performance-test-1-gpu-part-1"
METRIC = r"tokens per second: {number}"


def grammar(**told: Any) -> Grammar:
    return Grammar(**{"name": "mine", "metrics": (MetricRule("speed", METRIC),)} | told)


def read(content: bytes, *grammars: Grammar, **told: Any) -> dict[tuple[str, str], float]:
    found = read_measurements(content, job(**{"name": "bench", "steps": ()} | told), grammars)
    return {(one.test, one.metric): one.value for one in found}


def test_all_grammars_of_the_product_can_be_used() -> None:
    loaded = load_grammars()

    check_grammars(loaded)
    assert [one.name for one in loaded] == grammar_names()
    assert {"serving", "python-tests", "accuracy", "vllm", "tensorrt-llm", "custom-json"} <= set(grammar_names())


def test_grammars_are_loaded_by_name_in_the_order_of_the_names() -> None:
    assert [one.name for one in load_grammars(["vllm", "serving", "vllm"])] == ["vllm", "serving"]


def test_an_unknown_name_is_told_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match=r"There is no grammar 'vlm'; there are accuracy, .*, vllm\."):
        load_grammars(["vlm"])


def test_the_table_of_tests_whose_charts_are_drawn_is_complete() -> None:
    (serving,) = load_grammars(["serving"])
    tests = {test: table.metrics for table in serving.established for test in table.tests}

    assert {table.job for table in serving.established} == {
        "performance-test-1-gpu-part-1",
        "performance-test-1-gpu-part-2",
        "performance-test-2-gpu",
    }
    assert len(tests) == 18
    assert tests["test_online_latency_eagle"] == ("median_e2e_latency_ms", "accept_length")
    assert tests["test_pp_long_context_prefill"] == ("input_throughput_token_s",)
    assert sorted({rule.name for rule in serving.metrics if rule.established}) == [
        "accept_length",
        "input_throughput_token_s",
        "median_e2e_latency_ms",
        "median_ttft_ms",
        "output_throughput_token_s",
        "{what}",
    ]


@pytest.mark.parametrize(
    ("name", "test", "drawn"),
    [
        (OLD, "test_bs1_default", ["output_throughput_token_s"]),
        (f"call / {OLD} (amd)", "test_lora_online_latency", ["median_e2e_latency_ms", "median_ttft_ms"]),
        (OLD, "test_new", ["accept_length", "median_e2e_latency_ms", "median_ttft_ms", "output_throughput_token_s"]),
        (
            "other",
            "test_bs1_default",
            ["accept_length", "median_e2e_latency_ms", "median_ttft_ms", "output_throughput_token_s"],
        ),
    ],
)
def test_of_a_test_in_the_table_its_metrics_are_established_of_another_the_marked_ones(
    name: str, test: str, drawn: list[str]
) -> None:
    labels = {
        "Median_E2E_Latency_(ms)": "2.5",
        "Median_TTFT_(ms)": "1.5",
        "Accept_length": "3.5",
        "P99_ITL_(ms)": "4.5",
    }
    content = log(step(bench(test)), serving_block("7.5", **labels))
    found = read_measurements(content, job(name=name), load_grammars())

    assert sorted(one.metric for one in found if one.is_established) == drawn


def test_the_version_changes_with_every_rule() -> None:
    one, other = grammar(), grammar(metrics=(MetricRule("speed", METRIC, unit="tok/s"),))

    assert version_of([one]) == version_of((grammar(),))
    assert len({version_of([]), version_of([one]), version_of([other]), version_of([one, other])}) == 4
    assert re.fullmatch(r"\d+\+[0-9a-f]{8}", version_of([one]))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"metrics": (MetricRule("speed", "(a+)+ {number}"),)}, "metric 'speed' .* 'mine' .* repeats a repetition"),
        ({"metrics": (MetricRule("speed", "speed: ("),)}, "metric 'speed' of the grammar .* is no regular expression"),
        ({"metrics": (MetricRule("speed", "a*"),)}, "matches an empty line and so every line"),
        ({"metrics": (MetricRule("speed", "x" * 3000),)}, "is longer than 2000 characters"),
        ({"metrics": (MetricRule("speed", r"\d+ {number}"),)}, r"has no text of 3 characters .* words = \[\.\.\.\]"),
        ({"metrics": (MetricRule("speed", "(?i)speed: {number}"),)}, "has no text of 3 characters"),
        ({"metrics": (MetricRule("speed", "speed: fast"),)}, "has no value: write {number}"),
        ({"metrics": (MetricRule("speed"),)}, "has no match"),
        ({"metrics": (MetricRule("speed", METRIC, words=(" ",)),)}, "has an empty word"),
        ({"metrics": (MetricRule("{who}_speed", METRIC),)}, "named after the group 'who', which its match"),
        ({"metrics": (MetricRule("speed of light", METRIC),)}, "has a name that is none"),
        ({"metrics": (MetricRule("speed", METRIC, scale=0.0),)}, "has a scale that is no number to multiply with"),
        ({"metrics": (MetricRule("speed", METRIC, scale=float("nan")),)}, "has a scale that is no number"),
        ({"metrics": (MetricRule("speed", METRIC),) * 501}, "has more than 500 metrics"),
        ({"begin": "(x+)+y"}, "begin of the grammar 'mine' of \\[perf\\] repeats a repetition"),
        ({"tests": (TestRule(Says.TEST, "(test"),)}, r"a rule of tests \(test\) of the grammar 'mine'"),
        ({"format": Format.JSON}, "has no path; in a JSON grammar it says where the value is"),
        ({"format": Format.JSON, "metrics": (MetricRule("a_{b}", path="c"),)}, r"only \{unit\} can be"),
        ({"format": Format.JSON, "metrics": (MetricRule("a", path="c", take=Take.LAST),)}, "says take"),
        ({"name": " "}, "has no name"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_used_is_named(told: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check_grammars([grammar(**told)])
    with pytest.raises(UsageError):
        read_measurements(b"tokens per second: 5", job(), [grammar(**told)])


def test_the_words_of_a_rule_are_found_in_its_expression() -> None:
    rule = MetricRule("speed", r"(?:fast|slow) (?P<who>\w+) tokens?(?: per)? second is {number}")

    assert read(b"fast engine token second is 5\n", grammar(metrics=(rule,))) == {("bench", "speed"): 5.0}


def test_a_name_may_hold_what_a_group_matched_and_a_value_may_be_scaled() -> None:
    rule = MetricRule("{who}_speed_token_s", r"^(?P<who>.{1,20}) speed: (\d+)k", scale=1000.0)
    with pytest.raises(UsageError, match="has several groups and does not tell which is the value"):
        check_grammars([grammar(metrics=(rule,))])
    rule = MetricRule("{who}_speed_token_s", r"^(?P<who>.{1,20}) speed: (?P<value>\d+)k", scale=1000.0)
    assert read(b"My Engine-2 speed: 5k\n", grammar(metrics=(rule,))) == {
        ("bench", "my_engine_2_speed_token_s"): 5000.0
    }


@pytest.mark.parametrize(
    ("take", "expected"),
    [
        (Take.EACH, {"bench#1": 3.0, "bench#2": 9.0, "bench": 5.0}),
        (Take.LAST, {"bench": 5.0}),
        (Take.FIRST, {"bench": 3.0}),
        (Take.LARGEST, {"bench": 9.0}),
    ],
)
def test_which_of_several_values_counts_is_the_rules_to_say(take: Take, expected: dict[str, float]) -> None:
    content = b"".join(b"tokens per second: %d\n" % value for value in (3, 9, 5))
    rule = MetricRule("speed", METRIC, take=take)

    assert read(content, grammar(metrics=(rule,))) == {(test, "speed"): value for test, value in expected.items()}


def test_a_repositorys_own_grammar_goes_first_and_of_one_name_the_first_counts() -> None:
    own = grammar(metrics=(MetricRule("mine", r"Output token throughput \(tok/s\):\s*{number}"),))
    content = b"Output token throughput (tok/s):         7.5\n"

    assert read(content, own, *load_grammars()) == {("bench", "mine"): 7.5}
    assert read(content, msgspec.structs.replace(own, name="serving"), *load_grammars()) == {("bench", "mine"): 7.5}


def test_with_a_begin_metrics_count_within_blocks_only() -> None:
    one = grammar(begin="^== results of (?P<case>.+) ==", end="^== end")
    content = b"tokens per second: 1\n== results of a ==\ntokens per second: 2\n== end\ntokens per second: 3\n"

    assert read(content, one) == {("bench[a]", "speed"): 2.0}


def test_a_grammar_for_files_only_is_not_looked_for_in_logs() -> None:
    assert read(b"tokens per second: 5\n", grammar(logs=False)) == {}


def test_the_example_of_the_documentation_works_as_it_stands() -> None:
    blocks = re.findall(r"```(\w+)\n(.*?)```", DOC.read_text(encoding="utf-8"), re.DOTALL)
    settings = next(text for kind, text in blocks if kind == "toml")
    printed = next(text for kind, text in blocks if kind == "text")
    results = next(text for kind, text in blocks if kind == "results")
    rules = msgspec.convert(tomllib.loads(settings)["perf"], PerfRules)
    found = read_measurements(printed.encode(), job(name="bench", steps=()), (*rules.grammar, *load_grammars()))

    shown = [f"{one.test}  {one.metric}  {one.value:g} {one.unit or ''}".rstrip() for one in found]
    assert shown == results.strip().splitlines()
    assert values(found, "tokens_per_second")


def test_the_documentation_names_every_grammar_and_every_field() -> None:
    text = DOC.read_text(encoding="utf-8")

    assert [name for name in grammar_names() if f"`{name}`" not in text] == []
    fields = {field for record in (Grammar, MetricRule, TestRule) for field in record.__struct_fields__}
    assert sorted(field for field in fields if f"`{field}`" not in text) == []
