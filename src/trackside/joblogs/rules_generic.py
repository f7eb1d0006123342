"""Rules for crashes, exceptions and errors of no known kind, and for the boilerplate that follows every failure."""

from __future__ import annotations

from typing import Final

from trackside.joblogs.rule_table import Rule, rule
from trackside.records.failures import Cause

_CRASHES: Final = (
    rule(
        "fatal-python",
        Cause.CRASH,
        76,
        r"^Fatal Python error: (?!Aborted)|^Windows fatal exception: |^Fatal Python error: Aborted",
        "fatal python",
        "fatal exception",
    ),
    rule(
        "segfault",
        Cause.CRASH,
        74,
        r"Segmentation fault|Received signal 11|(?<!\[signal )\bSIGSEGV\b(?!.{0,40}handler)"
        r"|exit(?:ed with)? code:? (?:139|-11)\b|0xC0000005|[Aa]ccess violation",
        "segmentation",
        "error",
        "fail",
        "exception",
    ),
    rule(
        "terminate-called",
        Cause.CRASH,
        72,
        r"^terminate called (?:after throwing|without an active)|^libc\+\+abi: "
        r"|^(?:\S+: )?\S{0,200}: Assertion `.{1,300}' failed\.|^Check failure stack trace|^F\d{4} \d\d:\d\d:\d\d"
        r"|^\*\*\* Check failed|^(?:free|malloc|double free|corrupted|munmap_chunk|realloc)\(\): "
        r"|\*\*\* stack smashing detected|double free or corruption",
        "terminat",
        "abort",
        "fail",
        "error",
    ),
    rule(
        "aborted",
        Cause.CRASH,
        54,
        r"\bAborted(?: \(core dumped\)| {3,}\(core dumped\))|\bcore dumped\b|\bIllegal instruction\b"
        r"|\bTrace/breakpoint trap|Floating point exception",
        "abort",
        "exception",
    ),
    rule(
        "child-signal",
        Cause.CRASH,
        34,
        r"died with <?Signals\.SIG(?!KILL)|terminated by signal SIG(?!KILL)|(?:exit code|exitcode"
        r"|returncode)\S{0,3}[ :=]{1,3}-\d{1,2}\b",
        "error",
        "terminat",
        "fail",
    ),
    rule(
        "node-crash",
        Cause.CRASH,
        48,
        r"^(?:Uncaught )?(?:TypeError|ReferenceError|RangeError|SyntaxError|EvalError|AggregateError"
        r"|AssertionError \[ERR_ASSERTION\]): ",
        "error",
    ),
    rule(
        "java-crash",
        Cause.CRASH,
        46,
        r"^Exception in thread \"|^Caused by: [\w.$]+(?:Exception|Error)",
        "exception",
        "error",
    ),
    rule(
        "powershell",
        Cause.CRASH,
        40,
        r"^(?:\S+ : |\| )?.{0,200}(?:CategoryInfo +: |FullyQualifiedErrorId|\+ CategoryInfo)",
        "error",
    ),
)

# What only passes on that something else failed.
_WRAPPERS: Final = (
    rule("file-runner", Cause.TEST, 18, r"^(?:[\w.]+Error: )?\S{1,200} \d+/\d+ failed!", "failed!", wrapper=True),
    rule(
        "called-process",
        Cause.OTHER,
        21,
        r"CalledProcessError\b|returned non-zero exit (?:status|code)"
        r"|^(?:[\w.]+Error: )?Command .{1,300} (?:failed|exited) with (?:exit )?(?:code|status)|ChildFailedError"
        r"|ProcessExitedException|ProcessRaisedException|^ERROR:torch\.distributed\.elastic"
        r"|^E\d{4} .{0,80}torch/distributed/elastic|failed \(exitcode: |Sending process \d+ closing signal",
        "error",
        "fail",
        "exception",
        wrapper=True,
    ),
    rule(
        "server-exited",
        Cause.CRASH,
        26,
        r"(?i)(?:server|engine|engine ?core|worker|scheduler|rank \d+ \w+|child|subprocess"
        r"|process)\b.{0,60}(?:exited|died|terminated|stopped|failed)(?: unexpectedly| with|\.|,|:|$| to)"
        r"|Received sigquit from a child|Engine core initialization failed|EngineDeadError|EngineGenerateError"
        r"|EngineCore (?:failed|encountered|hit)|See root cause above|Engine process failed",
        "fail",
        "error",
        "terminat",
        "exception",
        wrapper=True,
    ),
    rule(
        "own-server-gone",
        Cause.CRASH,
        27,
        r"(?:Connection\w*Error|RemoteDisconnected|ReadTimeout|NewConnectionError|ConnectError|ConnectTimeout"
        r"|ReadError|"
        r"ClientOSError|ServerDisconnectedError|URLError)\b.{0,400}(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]|"
        r"Connection aborted|Remote end closed|[Cc]onnection refused|All connection attempts failed)",
        "error",
        "timeout",
        wrapper=True,
    ),
    rule(
        "retries-over",
        Cause.OTHER,
        16,
        r"exceed maximum number of retries|(?i:max(?:imum)? (?:number of )?(?:retries|attempts) (?:exceeded"
        r"|reached))|all \d+ attempts failed|Final attempt failed",
        "exceed",
        "fail",
        wrapper=True,
    ),
    rule(
        "build-stopped",
        Cause.BUILD,
        17,
        r"^ninja: (?:build stopped|error|fatal)|^make(?:\[\d+\])?: \*\*\* .{1,300} Error \d+"
        r"|^gmake(?:\[\d+\])?: \*\*\*|collect2: error: ld returned|^FAILED: (?:\[code=\d+\] )?\S"
        r"|^compilation terminated|^\d+ errors? (?:generated|detected)|^cmake --build"
        r"|error: command '\S{1,200}' failed|linker command failed|^##\[error\]Build failed",
        "fail",
        "error",
        "fatal",
        "terminat",
        wrapper=True,
    ),
    rule(
        "npm-lifecycle",
        Cause.OTHER,
        15,
        r"^npm (?:ERR!|error)\b|^error Command failed with exit code|ELIFECYCLE|^ERR! ",
        "npm err",
        "error",
        wrapper=True,
    ),
    rule(
        "runner-hook",
        Cause.OTHER,
        6,
        r"\[OSDC\] Step script exited|Executing the custom container implementation failed"
        r"|^The process '.{1,300}' failed with exit code|^Error: Process completed with exit code"
        r"|^Docker pull failed with exit code|^Got exit code \d",
        "error",
        "failed",
        "fail",
        wrapper=True,
    ),
)

_GENERIC: Final = (
    rule("python-syntax", Cause.CRASH, 52, r"^(?:SyntaxError|IndentationError|TabError): ", "error"),
    rule("python-import", Cause.CRASH, 49, r"^(?:E\s+)?ImportError: ", "importerror"),
    rule("keyboard-interrupt", Cause.CANCELLED, 20, r"^KeyboardInterrupt$", "interrupt"),
    rule(
        "exception",
        Cause.CRASH,
        45,
        r"^(?:[A-Za-z_]\w{0,80}\.){0,8}[A-Z]\w{0,80}(?:Error|Exception|Failure|Fault|Timeout|Exit|Exited|Failed"
        r"|NotFound|Denied|Expired|Unavailable)(?:\(\w{1,80}\))?(?::\s.{0,1900}|)$",
        "error",
        "exception",
        "fail",
        "timeout",
        "not found",
        "denied",
        last=True,
    ),
    rule(
        "error-marked",
        Cause.OTHER,
        42,
        r"^(?:\S{1,120}: )?(?:fatal|FATAL|Fatal|panic|PANIC|CRITICAL|critical)(?: error)?(?::| \[|\]) ?\S",
        "fatal",
        "abort",
        "fail",
        last=True,
    ),
    rule(
        "error-said",
        Cause.OTHER,
        31,
        r"^(?:\S{1,80}: )?(?:error|ERROR|Error)(?:\[\w{1,20}\])?\s?[:!\]] ?\S|^\[(?:ERROR|error|E)\] ?\S|^❌|^E: \S"
        r"|^\S{1,60} (?:ERROR|error)\b",
        "error",
        "fail",
        "unable to",
        "could not",
        last=True,
    ),
    rule(
        "failed-said",
        Cause.OTHER,
        24,
        r"^(?:FAIL(?:ED|URE)?|Fail(?:ed|ure)?|.{0,120} (?:FAILED|failed|Failed))(?:[:.!]|$| to | with | because)"
        r"|^(?:Unable|Could not|Cannot|Can't|Couldn't|Aborting|Aborted|Abort)\b",
        "fail",
        "unable to",
        "could not",
        "cannot",
        "can't",
        "abort",
        last=True,
    ),
)

EXIT_CODE: Final = r"Process completed with exit code "
_EXITS: Final = (
    rule("exit-137", Cause.HOST_MEMORY, 9, EXIT_CODE + r"137\b", last=True),
    # Only what was killed for its time ends so: more than an error of no known kind, less than an exception.
    rule("exit-124", Cause.TIMEOUT, 44, EXIT_CODE + r"124\b", last=True),
    rule(
        "exit-139",
        Cause.CRASH,
        9,
        EXIT_CODE + r"(?:139|134|132|136|-1073741819|3221225477)\b",
        "error",
        "fail",
        last=True,
    ),
    rule("exit-127", Cause.CONFIGURATION, 9, EXIT_CODE + r"12[67]\b", last=True),
    rule("exit-143", Cause.CANCELLED, 9, EXIT_CODE + r"(?:143|130)\b", last=True),
    # Without a colon many a line begins so that is no error: it is taken for the last words before the exit only.
    rule("error-before-exit", Cause.OTHER, 5, r"^(?:ERROR|Error|error)\s{1,4}[^\W\d]", last=True, below=EXIT_CODE),
    rule("exit-code", Cause.OTHER, 3, EXIT_CODE, last=True),
)

RULES: Final[tuple[Rule, ...]] = (*_CRASHES, *_WRAPPERS, *_GENERIC, *_EXITS)
