"""Rules for failed tests, as the test runners of several languages report them."""

from __future__ import annotations

from typing import Final

from trackside.joblogs.rule_table import Rule, rule
from trackside.records.failures import Cause

_ID: Final = r"(?P<test>[\w./\\@+-]{1,300}\.py(?:::[^\s\[]{1,300}(?:\[.{0,300}?\](?= - |$|\s))?)?)"

_PYTEST: Final = (
    rule("pytest-consistent", Cause.TEST, 63, r"^FAILED CONSISTENTLY: (?P<test>\S{1,400})", "fail"),
    rule("pytest-failed", Cause.TEST, 64, r"^FAILED (?:\[[\d. %s]{1,20}\] )?" + _ID, "fail"),
    rule("pytest-error", Cause.TEST, 63, r"^ERROR (?:\[[\d. %s]{1,20}\] )?" + _ID + r"(?: - |$)", "error"),
    rule(
        "pytest-header",
        Cause.TEST,
        60,
        r"^_{2,} ?(?:ERROR (?:at (?:setup|teardown) of"
        r"|collecting) )?(?P<test>[\w./:-]{2,300}(?:\[.{0,300}\])?) ?_{2,}$",
        "____ ",
    ),
    rule(
        "pytest-live",
        Cause.TEST,
        56,
        r"^(?:\[gw\d+\] (?:\[ *\d+%\] )?FAILED )?"
        + _ID
        + r" FAILED\b|^\[gw\d+\] (?:\[ *\d+%\] )?FAILED (?P<test2>\S{1,400})",
        "fail",
    ),
    rule(
        "pytest-internal",
        Cause.TEST,
        68,
        r"^INTERNALERROR> (?:[\w.]+(?:Error|Exception)\b|E\s)|^ERROR: (?:usage: |not found: "
        r"|file or directory not found: |unknown hook|could not (?:load|import))"
        r"|^ImportError while loading conftest '",
        "internalerror",
        "error: ",
        "importerror",
    ),
    rule(
        "pytest-nothing",
        Cause.TEST,
        40,
        r"^(?:=+ )?no tests (?:ran|collected)\b|collected 0 items"
        r"|^(?:!+ )?Interrupted: \d+ errors? during collection",
        "error",
    ),
    rule(
        "pytest-interrupted",
        Cause.TIMEOUT,
        71,
        r"^!{3,} (?:[\w.]*KeyboardInterrupt|_pytest\.outcomes\.Exit: .{1,200}) !{3,}$",
        "interrupt",
    ),
    rule(
        "pytest-worker",
        Cause.TEST,
        66,
        r"worker '?gw\d+'? crashed while running '(?P<test>[^']{1,400})'",
        "error",
        "fail",
    ),
    rule(
        "pytest-detail",
        Cause.TEST,
        47,
        r"^E {1,12}(?:[\w.]{0,100}(?:Error|Exception|Failed|Timeout|Exit)\b|assert )",
        "error",
        "exception",
        "fail",
        "timeout",
    ),
    rule(
        "coverage",
        Cause.TEST,
        66,
        r"FAIL Required test coverage of|Coverage failure: total of"
        r"|ERROR: Coverage for \w+ \([\d.]+%\) does not meet|(?i:coverage .{0,60}(?:below|is less than"
        r"|does not meet))",
        "fail",
        "error",
        "below",
    ),
    rule(
        "doctest",
        Cause.TEST,
        62,
        r"^File \".{1,300}\", line \d+, in (?P<test>[\w.]{1,200})$|^\*\*\*Test Failed\*\*\*|^Doctest summary",
    ),
)

_UNITTEST: Final = (
    rule(
        "unittest-failed",
        Cause.TEST,
        62,
        r"^(?:FAIL|ERROR|UNEXPECTED SUCCESS)(?: \[[\d.]{1,12}s\])?: (?P<test>[\w.<>-]{1,200} \([\w.<>-]{1,300}\)?)",
        "fail",
        "error",
    ),
    rule("unittest-loader", Cause.TEST, 63, r"^ERROR: (?P<test>[\w.]{1,200}) \(unittest\.loader\._FailedTest", "error"),
    rule("unittest-doc", Cause.TEST, 40, r"^(?:FAIL|ERROR): test_?\w{1,200}\b", "fail", "error"),
    rule(
        "unittest-live",
        Cause.TEST,
        44,
        r"^(?P<test>test\w{0,200} \([\w.]{1,300}\)) (?:.{0,300} )?\.\.\. (?:FAIL|ERROR)\b",
        "fail",
        "error",
    ),
    rule("unittest-summary", Cause.TEST, 14, r"^FAILED \((?:failures|errors|unexpected successes|skipped)=\d+", "fail"),
    rule("assertion", Cause.TEST, 50, r"^AssertionError\b", "error"),
)

_SUITE: Final = (
    rule("file-timeout", Cause.TIMEOUT, 73, r"^(?:\S{0,4} )?TIMEOUT: (?P<test>\S{1,300}) after [\d.]+ ?s", "timeout"),
    rule(
        "file-failed",
        Cause.TEST,
        30,
        r"^(?:\S{0,4} )?FAILED: (?P<test>\S{1,300}) returned exit code",
        "fail",
        wrapper=True,
    ),
    rule(
        "file-listed",
        Cause.TEST,
        24,
        r"^ {2}(?P<test>\S{1,300}\.py) \((?:exit code|returned|timeout|failed).{0,60}\)$",
        "fail",
        "timeout",
        wrapper=True,
    ),
    rule("command-took", Cause.TIMEOUT, 70, r"^Command took >\s?\d+ ?\w+, returning 124", "took >"),
    rule(
        "test-timeout",
        Cause.TIMEOUT,
        72,
        r"Failed: Timeout \(?>?[\d.]+ ?s|\bTimeout \(?>[\d.]+s\b|Test (?:timed out after"
        r"|exceeded timeout of) [\d.]+ ?m?s|^\S{0,80}: (?:test )?timed out after \d+|panic: test timed out after"
        r"|Exceeded timeout of \d+ ms for a (?:test|hook)|\*\*\*Timeout|TIMEOUT: //\S+"
        r"|^Thread .{0,60}test .{0,80}timed out",
        "timeout",
        "timed out",
        "exceed",
    ),
    rule(
        "server-start",
        Cause.TIMEOUT,
        72,
        r"(?i)(?:server|engine|router|service|worker|container|endpoint)\b.{0,80}(?:failed to start"
        r"|did not (?:start|become (?:ready|healthy))|(?:is )?not ready|failed to become (?:ready|healthy)"
        r"|not (?:become )?healthy) .{0,60}(?:within|in|after|before) .{0,30}(?:time|\d)"
        r"|timed? ?out waiting for .{0,80}(?:server|ready|healthy|start|engine|port|health)"
        r"|health ?check .{0,40}(?:timed out|failed after)|Timeout: .{0,40}server",
        "fail",
        "timed out",
        "timeout",
        "error",
    ),
    rule(
        "server-start-tail",
        Cause.TIMEOUT,
        68,
        r"(?i)(?:server|engine|router|service|worker|container|endpoint)\b.{0,80}(?:did not (?:start"
        r"|become (?:ready|healthy))|(?:is )?not ready|not healthy) .{0,60}(?:within|after) .{0,30}(?:time|\d)",
    ),
    rule(
        "process-timeout",
        Cause.TIMEOUT,
        71,
        r"(?i:error: timed out waiting for )|Watchdog timeout \("
        r"|Health check failed\. Server couldn't get a response|subprocess\.TimeoutExpired: "
        r"|^(?:E\s+)?(?:[\w.]+\.)?TimeoutError: (?!.{0,80}(?:https?://|huggingface))(?!The (?:read|write) operation)"
        r"|concurrent\.futures\.(?:_base\.)?TimeoutError|asyncio\.(?:exceptions\.)?TimeoutError"
        r"|^timeout: sending signal|^make: \*\*\* .{1,200} Error 124$|(?i:command (?:has )?timed out after \d+)"
        r"|Final attempt failed\. Timeout of",
        "timeout",
        "timed out",
        "error 124",
    ),
)

_LANGUAGES: Final = (
    rule(
        "gtest",
        Cause.TEST,
        62,
        r"^\[  FAILED  \] (?P<test>[\w/]{1,200}\.[\w/]{1,200})(?:, where .{0,200})?(?: \(\d+ ms\))?$",
        "fail",
    ),
    rule(
        "catch-doctest",
        Cause.TEST,
        55,
        r"^\S{1,300}:\d+: FAILED:$|^\S{1,300}\(\d+\): ERROR: (?:CHECK|REQUIRE)|^test cases: .{0,60}[1-9]\d* failed",
        "fail",
        "error",
    ),
    rule(
        "ctest",
        Cause.TEST,
        62,
        r"^\s{1,4}\d+ - (?P<test>\S{1,200}) \((?:Failed|SEGFAULT|Timeout|Subprocess aborted|Child aborted|ILLEGAL"
        r"|Not Run|OTHER_FAULT|SIGTRAP|Bus error|Exception)",
        "fail",
        "timeout",
        "abort",
        "exception",
    ),
    rule("go-test", Cause.TEST, 63, r"^\s{0,16}--- FAIL: (?P<test>\S{1,200}) \(", "fail"),
    rule("go-race", Cause.TEST, 66, r"^WARNING: DATA RACE"),
    rule("go-runtime-panic", Cause.CRASH, 75, r"^panic: runtime error: ", "panic: "),
    rule(
        "go-panic",
        Cause.CRASH,
        58,
        r"^panic: (?!test timed out)|^fatal error: (?:all goroutines are asleep|concurrent map|runtime)"
        r"|goroutine \d+ \[running",
        "fatal error",
        "panic: ",
    ),
    rule(
        "rust-test",
        Cause.TEST,
        62,
        r"^test (?P<test>[\w:<>\- ]{1,200}) \.\.\. FAILED$|^\s+FAIL \[ *[\d.]+s\] (?P<test2>\S.{1,200})$",
        "fail",
    ),
    rule("rust-panic", Cause.CRASH, 57, r"^thread '.{1,200}' (?:\(\d+\) )?panicked at ", "panicked"),
    rule(
        "jest",
        Cause.TEST,
        62,
        r"^\s{0,2}FAIL\s{1,4}(?P<test>(?:\|\S+\| )?\S{1,300}\.(?:test|spec|e2e|tests)\.[cm]?[jt]sx?)\b"
        r"|^(?:not ok \d+ - |\s{1,4}\d+\) \[\w+\] › )(?P<test2>\S.{1,200})",
        "fail",
    ),
    rule(
        "playwright-tap",
        Cause.TEST,
        60,
        r"^not ok \d+ - (?P<test>\S.{1,200})|^\s{1,4}\d+\) \[[\w ]+\] › (?P<test2>\S.{1,200})",
    ),
    rule("mocha", Cause.TEST, 50, r"^\s{2}\d+ failing$|^\s{1,4}● (?P<test>\S.{1,200}›.{1,200})", "fail"),
    rule(
        "junit",
        Cause.TEST,
        63,
        r"^\[ERROR\] +(?:Tests run: .{1,200})?(?P<test>[\w.$]{3,300}(?::\d+)?)\b.{0,80}(?:<<< (?:FAILURE|ERROR)!"
        r"| » | expected)|^(?P<test2>[\w.$]{3,300}(?:Test|Tests|Spec|IT)\b > .{1,200}) FAILED$",
        "error",
        "fail",
    ),
    rule("dotnet-test", Cause.TEST, 62, r"^\s{1,4}(?:Failed|X) (?P<test>[\w.+<>]{3,300}(?:\(.{0,200}\))?) \[", "fail"),
    rule(
        "bazel-test",
        Cause.TEST,
        61,
        r"^(?:FAIL: )?(?P<test>//[\w/.:+-]{1,300}) \s{0,160}(?:FAILED|TIMEOUT|\(see ).{0,200}",
        "fail",
        "timeout",
    ),
    rule(
        "phpunit-rspec",
        Cause.TEST,
        60,
        r"^rspec (?P<test>\./\S{1,300}:\d+)|^\d+\) (?P<test2>[\w\\]{3,200}::\w{1,200})$",
        "error",
        "fail",
    ),
    rule("bats", Cause.TEST, 60, r"^(?:not ok \d+ |\s?✗ (?!FAILED|Test ))(?P<test>\S.{1,200})$"),
    rule(
        "swift-xctest",
        Cause.TEST,
        62,
        r"^(?:.{1,300}: error: -\[(?P<test>[\w. ]{1,200})\] : |Test Case '(?P<test2>.{1,200})' failed )",
        "error",
        "fail",
    ),
    rule("shell-test", Cause.TEST, 46, r"^(?:✗|✘|❌|\[FAIL(?:ED)?\]|FAIL(?:ED)?[:!]) ?\S.{3,300}$", "fail"),
    rule(
        "cuda-sanitizer",
        Cause.CRASH,
        70,
        r"(?:Address|Thread|Memory|Leak|UndefinedBehavior)Sanitizer: |: runtime error: (?:signed|null|load|shift"
        r"|index|member|applying|division|downcast)",
        "error",
    ),
)

RULES: Final[tuple[Rule, ...]] = (*_PYTEST, *_UNITTEST, *_SUITE, *_LANGUAGES)
