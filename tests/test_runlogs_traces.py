"""First error lines and the blocks that show where a program failed, over logs of many programs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.agents_log_accuracy import HALVES, Outcome, figures, outcomes, real_outcomes, trace_logs
from trackside.runlogs.findings import Trace
from trackside.runlogs.lines import log_lines
from trackside.runlogs.traces import MOST, Traces, main_trace

SHAPES = [
    "Traceback (most recent call last):", '  File "a.py", line 3, in f', "    raise X", "ValueError: no", "",
    "panic: no", "goroutine 1 [running]:", "main.main()", "\t/a.go:3 +0x1", "exit status 2", "Error: no",
    "    at f (/a.js:3:4)", "\tat a.b.C.d(C.java:3)", "Caused by: x.Y: no", "thread 'main' panicked at a.rs:1:2:",
    "note: run", "error[E0308]: no", " --> a.rs:1:2", "____ test_a ____", "E   AssertionError", "==== x ====",
    "  ● a › b", "+ ./a.sh", "./a.sh: line 3: x: not found", "--- FAIL: TestA (0.00s)", "    a_test.go:3: no",
    "##[group]Run x", "##[endgroup]", "##[error]no",
]  # fmt: skip


def traces(*lines: str) -> tuple[Trace, ...]:
    taker = Traces("job")
    for line in log_lines("\n".join(lines).encode(), None):
        taker.take(line)
    taker.close()
    return taker.found


def all_outcomes() -> list[Outcome]:
    return [one for half in HALVES for one in outcomes(half)]


def test_the_corpus_is_large_and_has_every_kind() -> None:
    logs = [log for half in HALVES for log in trace_logs(half)]
    assert len(logs) >= 40
    assert {log.block.kind for log in logs if log.block} == {
        "python", "pytest", "node", "go", "java", "rust", "dotnet", "shell"
    }  # fmt: skip


@pytest.mark.parametrize("outcome", outcomes("develop"), ids=lambda one: one.log.name)
def test_the_first_error_and_the_block_of_each_log_are_found(outcome: Outcome) -> None:
    assert outcome.line_number == outcome.log.line_number, outcome.line
    assert outcome.is_block_found or outcome.log.block is None, outcome.traces
    assert outcome.log.block is not None or outcome.main is None


def test_precision_and_recall_hold_over_the_whole_corpus() -> None:
    told = figures(all_outcomes())
    for name in ("line recall", "line precision", "block recall", "block precision"):
        found, total = told[name]
        assert found / total >= 0.95, (name, found, total)


def test_real_logs_tell_a_first_error_nearly_always() -> None:
    told = real_outcomes()
    if not told:
        pytest.skip("no real logs at TRACKSIDE_REAL_DATA")
    assert sum(one.line is not None for one in told) >= len(told) - 1


def test_a_chained_error_says_first_what_came_first() -> None:
    (found,) = traces(
        "Traceback (most recent call last):",
        '  File "a.py", line 1, in f',
        "KeyError: 'a'",
        "",
        "During handling of the above exception, another exception occurred:",
        "",
        "Traceback (most recent call last):",
        '  File "b.py", line 2, in g',
        "ops.Missing: a",
        "done",
    )
    assert (found.first_message, found.first_message_number, found.message) == ("KeyError: 'a'", 3, "ops.Missing: a")
    assert (found.line_number, found.last_line_number) == (1, 9)


def test_a_long_block_keeps_its_ends_and_counts_the_middle() -> None:
    frames = [f'  File "a.py", line {number}, in f' for number in range(200)]
    (found,) = traces("Traceback (most recent call last):", *frames, "RecursionError: too deep")
    assert (len(found.lines), found.left_out) == (60, 142)
    assert found.lines[-1] == "RecursionError: too deep"


def test_a_block_without_end_is_cut() -> None:
    (found, *_) = traces("Traceback (most recent call last):", *['  File "a.py", line 1, in f'] * 1000)
    assert found.last_line_number == 400


def test_of_many_blocks_the_first_and_last_are_kept() -> None:
    taker = Traces("job")
    one = ["Traceback (most recent call last):", '  File "a.py", line 1, in f', "ValueError: {}", "x"]
    text = "\n".join(line.format(number) for number in range(50) for line in one)
    for line in log_lines(text.encode(), None):
        taker.take(line)
    assert (len(taker.found), taker.left_out) == (MOST, 50 - MOST)
    assert [found.message for found in (taker.found[0], taker.found[-1])] == ["ValueError: 0", "ValueError: 49"]


def test_words_that_only_look_like_a_block_are_none() -> None:
    assert traces("panic: at the disco", "they said", "error: nothing to do", "fatal error: no input", "x at y") == ()
    assert traces("Traceback (most recent call last):", "no frame at all") == ()
    assert traces("____ a heading ____", "and text", "==== end ====") == ()


def test_what_a_script_shows_is_no_block() -> None:
    assert (
        traces("##[group]Run x", "Traceback (most recent call last):", '  File "a"', "ValueError", "##[endgroup]") == ()
    )


def test_the_main_block_goes_with_the_line_that_tells_most() -> None:
    found = traces(
        "Traceback (most recent call last):", '  File "a.py", line 1, in f', "ValueError: first", "x",
        "Traceback (most recent call last):", '  File "b.py", line 1, in f', "OSError: second", "##[error]exit",
    )  # fmt: skip
    assert main_trace(found, 3, "ValueError: first") is found[0]
    assert main_trace(found, 8, "##[error]exit") is found[1]
    assert main_trace(found, 100, "ERROR OSError: second") is found[1]
    assert main_trace(found, None, None) is found[1]
    assert main_trace(found, 200, "something else") is None
    assert main_trace((), None, None) is None


def test_secrets_in_blocks_are_redacted() -> None:
    (found,) = traces(
        "Traceback (most recent call last):", '  File "a.py", line 1, in f', "    post(token='ghp_" + "aB3" * 12 + "')",
        "ValueError: password=hunter2hunter2",
    )  # fmt: skip
    assert "ghp_" not in "".join(found.lines)
    assert "hunter2" not in found.message


@given(st.lists(st.sampled_from(SHAPES), max_size=40))
def test_blocks_are_in_order_and_hold_their_lines(lines: list[str]) -> None:
    last = 0
    for found in traces(*lines):
        assert last < found.line_number <= found.first_message_number <= found.last_line_number <= len(lines)
        assert len(found.lines) + found.left_out == found.last_line_number - found.line_number + 1
        last = found.last_line_number
