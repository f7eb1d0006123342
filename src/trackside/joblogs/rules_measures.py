"""Rules for results that missed a threshold: a model's quality, speed, counted work."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from trackside.joblogs.rule_table import Rule, rule
from trackside.records.failures import Cause

_QUALITY: Final = (
    r"accurac(?:y|ies)|\bacc\b|scores?\b|gsm8k|mmlu|humaneval|mmmu|gpqa|\baime|hellaswag|mgsm|\bifeval"
    r"|livecodebench|truthfulqa|winogrande|"
    r"perplexity|\bppl\b|exact_match|\bf1\b|bleu|rouge|\bwer\b|pass@|\bmetrics?\b|logprob.{0,10}diff"
    r"|\beval(?:uation)?\b|ground_truth|correctness rate"
)
_SPEED: Final = (
    r"throughput|latenc(?:y|ies)|\bttft|\bitl\b|\btpot\b|\btps\b|\bqps\b|tok(?:ens?)?/s|tokens?[ _]per[ _]sec"
    r"|speed ?up|speed\b|\bbench|bandwidth|"
    r"tflops|gb/s|\bfps\b|elapsed|duration|\bslower\b|instruction_count|_ms\b|\bms\b|startup time|time_s\b"
    r"|accept_length|acc_length|wall.?time|perf(?:ormance)?\b|memory_usage|req/s"
)
_QUALITY_WORD: Final = re.compile(rf"(?i){_QUALITY}")
_SPEED_WORD: Final = re.compile(rf"(?i){_SPEED}")
# A number as it prints itself, and within its type: np.float64(0.58), tensor(0.58, device='cuda:0'), Decimal('0.58').
_BARE: Final = r"-?\d[\d.,]{0,40}(?:e[+-]?\d+)?"
_NUMBER: Final = rf"(?:{_BARE}%?|[A-Za-z_][\w.]{{0,40}}\('?{_BARE}'?(?:, [^()]{{1,60}})?\))"
COMPARISON: Final = re.compile(
    rf"{_NUMBER} not (?:greater|less) than |(?i:too (?:low|high|slow)|below|not (?:within|meet)"
    r"|exceed|regress|under (?:the )?(?:threshold|minimum)"
    r"|lower than|higher than|slower than|less than|greater than|threshold|dropped|tolerance|expected at least"
    r"|out of (?:range|bounds))"
    rf"|assert {_NUMBER} ?(?:[<>]=?|==) ?|-?\d[\d.]{{0,40}}%? ?[<>]=? ?-?\d"
)
NUMBERS: Final = re.compile(
    rf"^(?:E\s+)?(?:AssertionError: )?(?:assert )?{_NUMBER}\s(?:not (?:greater|less) than|[<>]=?)"
)


def measured_cause(lines: Iterable[str]) -> Cause | None:
    """Accuracy or performance as the nearest line says that speaks of only one of them, None where none does."""
    for line in lines:
        quality, speed = _QUALITY_WORD.search(line), _SPEED_WORD.search(line)
        if bool(quality) != bool(speed):
            return Cause.ACCURACY if quality else Cause.PERFORMANCE
    return None


RULES: Final[tuple[Rule, ...]] = (
    rule(
        "graph-breaks",
        Cause.PERFORMANCE,
        72,
        r"\b(?:FAIL|FAILED|IMPROVED):\s{1,40}\w{3,40}=\S{1,40}, expected=\S",
        "fail",
    ),
    rule(
        "model-accuracy",
        Cause.ACCURACY,
        73,
        r"^\S{1,80}\s{2,40}(?:FAIL|FAILED):\s{1,40}(?:accuracy|fail_accuracy)|\bfail_accuracy\b",
        "fail",
    ),
    rule(
        "benchmark-regression",
        Cause.PERFORMANCE,
        75,
        r"^(?:\S{0,8} )?REGRESSION(?: detected| found)?\b[: ]|(?i:performance (?:regression|alert)s? (?:detected"
        r"|found|in)|# :warning: \*\*Performance Alert"
        r"|(?:throughput|latency|ttft|itl|tpot|speed|performance|benchmark|runtime)\b.{0,200}\bregress(?:ed|ion"
        r"|es)\b(?! tests? (?:enabled|pass)))",
        "regression",
        "fail",
        "exceed",
    ),
    rule("regression-unchecked", Cause.PERFORMANCE, 66, r"^MISSING REGRESSION TEST\b", "regression", last=True),
    rule(
        "accuracy-threshold",
        Cause.ACCURACY,
        75,
        rf"(?i)^(?!\s)(?:.{{0,200}}\b(?:error|fail(?:ed|ure)?|assert(?:ion)?(?:error)?|✗"
        rf"|❌)\b.{{0,200}})?(?:{_QUALITY}).{{0,160}}"
        r"\b(?:(?:is |was |are )?(?:too low|below|under|lower than|less than|not (?:greater|met|above|reach))"
        r"|does(?: not|n't) (?:meet|reach)|did not (?:meet|reach)|dropped|regress(?:ed|ion)"
        r"|fails? (?:the )?threshold)\b",
        "fail",
        "error",
        "below",
        "regression",
    ),
    rule(
        "performance-threshold",
        Cause.PERFORMANCE,
        75,
        rf"(?i)^(?!\s)(?:.{{0,200}}\b(?:error|fail(?:ed|ure)?|assert(?:ion)?(?:error)?|✗"
        rf"|❌)\b.{{0,200}})?(?:{_SPEED}).{{0,160}}"
        r"\b(?:(?:is |was |are )?(?:too (?:low|high|slow|long)|below|above|under|lower than|higher than"
        r"|slower than|less than|greater than)|exceed(?:s|ed)?|does(?: not|n't) meet|did not meet|dropped|degraded"
        r"|out of (?:bounds|range))\b"
        r"(?=.{0,200}(?:\d|threshold|limit|baseline))(?<!maximum execution time exceeded)",
        "fail",
        "error",
        "below",
        "exceed",
        "regression",
    ),
)
