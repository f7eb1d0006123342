"""Rules for style, type and format checks, and for generated files that were not committed."""

from __future__ import annotations

from typing import Final

from trackside.joblogs.rule_table import Rule, rule
from trackside.records.failures import Cause

_FILE: Final = r"^\s*(?:\./)?[\w@+./\\~-]{1,300}"

# Codes of ruff's rules, not just a letter and a number: a log is full of A100s, B200s and H100s.
_RUFF_CODE: Final = (
    r"(?:[EFWDINSTQ]\d{3}|A00\d|B[09]\d\d|C[49]\d\d|G[02]\d\d|PL[CERW]\d{4}|(?:AIR|ANN|ARG|ASYNC|BLE|COM|CPY|DJ|DOC"
    r"|DTZ|EM|ERA|EXE|FA|FAST|FBT|FIX|FLY|FURB|ICN|INP|INT|ISC|LOG|NPY|PD|PERF|PGH|PIE|PT|PTH|PYI|RET|RSE|RUF|SIM"
    r"|SLF|SLOT|TC|TCH|TD|TID|TRY|UP|YTT)\d{3})"
)

_PYTHON: Final = (
    rule("lintrunner", Cause.LINT, 73, r"^>>> Lint for ", ">>> lint", last=True),
    rule(
        "python-lint", Cause.LINT, 70, _FILE + r"\.pyi?:\d+:\d+: (?:[A-Z]{1,6}\d{2,5}\b|\[[A-Z]\d{4}|E\d+:|SyntaxError)"
    ),
    rule("pylint", Cause.LINT, 70, _FILE + r"\.py:\d+:\d+: [CRWEF]\d{4}: "),
    rule("ruff-full", Cause.LINT, 64, rf"^{_RUFF_CODE} (?:\[\*\] )?(?:`|[A-Z]).{{2,160}}$(?<!:)"),
    rule(
        "ruff-named",
        Cause.LINT,
        64,
        r"^[a-z]{1,30}(?:-[a-z]{1,30}){1,8}:? (?:\[\*\] )?(?:`|[A-Z]).{2,160}$",
        below=r"^\s{0,8}--> \S{1,300}:\d+:\d+$",
    ),
    rule("mypy", Cause.LINT, 72, _FILE + r"\.pyi?:\d+(?::\d+)?: error: ", "error: "),
    rule(
        "pyright",
        Cause.LINT,
        72,
        _FILE + r"\.pyi?:\d+:\d+ - error: |^ERROR .{1,400}\.pyi?:\d+:\d+(?:-\d+)?: |^error\[[a-z][a-z-]+\]: ",
        "error",
    ),
    rule("black", Cause.LINT, 72, r"^would reformat |^Would reformat: |^error: cannot format ", "error: cannot format"),
    rule("black-tail", Cause.LINT, 72, r"^(?:would reformat|Would reformat:) "),
    rule("isort", Cause.LINT, 72, r"^ERROR: .{1,300} Imports are incorrectly sorted", "error"),
    rule("codespell", Cause.LINT, 70, r"^(?:codespell: )?" + _FILE[1:] + r":\d+: \S{1,60} ==> \S"),
    rule("typos", Cause.LINT, 70, r"^error: `.{1,60}` should be `", "error: "),
)

_OTHERS: Final = (
    rule(
        "clang-format",
        Cause.LINT,
        83,
        r"\[-Wclang-format-violations\]|code should be clang-formatted",
        "error",
        last=True,
    ),
    rule(
        "clang-tidy",
        Cause.LINT,
        82,
        r": (?:error|warning): .{1,400}\[[\w.,-]{1,200}(?:-warnings-as-errors|,-warnings-as-errors)\]"
        r"|: error: .{1,300}\[(?:bugprone|modernize|performance|readability|misc|cppcoreguidelines|clang-analyzer"
        r"|google|cert|hicpp|llvm)-[\w.-]{1,80}\]",
        "error",
        last=True,
    ),
    rule("cpplint", Cause.LINT, 70, _FILE + r"\.(?:h|cc|cpp|cu|cuh|hpp|c):\d+: .{1,300}\[[a-z_]+/[a-z_+/]+\] \[\d\]"),
    rule("pre-commit", Cause.LINT, 71, r"^\S.{0,120}?\.{3,}(?:\(.{1,60}\))?Failed$", "fail"),
    rule(
        "eslint", Cause.LINT, 70, r"^\s+\d+:\d+\s{1,8}error\s{1,8}\S|^\S{1,300}: line \d+, col \d+, Error - ", "error"
    ),
    rule(
        "biome-prettier",
        Cause.LINT,
        68,
        r"^\[warn\] (?!Code style)\S{1,300}\.\w{1,6}$|\blint/\w+/\w+|^(?:error"
        r"|×) .{0,60}(?:Formatter would have printed|Some errors were emitted)|Code style issues found"
        r"|Forgot to run Prettier",
    ),
    rule("rustfmt", Cause.LINT, 72, r"^Diff in \S{1,300}:\d+:?$|^Diff in \S{1,300} at line \d+"),
    rule(
        "clippy",
        Cause.LINT,
        58,
        r"^(?:error|warning): .{1,300}clippy::|= (?:note|help): .{0,120}(?:clippy::|`-D (?:warnings|clippy))",
        "error",
    ),
    rule("go-lint", Cause.LINT, 68, _FILE + r"\.go:\d+:\d+: .{1,300}\((?:[a-z]{3,20})\)$|^.{1,200}\.go: needs gofmt"),
    rule(
        "shellcheck",
        Cause.LINT,
        70,
        r"\bSC\d{4}(?: \(|:|\]|\b.{0,4}(?:error|warning|info|style))|^In \S{1,200} line \d+:$",
    ),
    rule(
        "workflow-lint",
        Cause.LINT,
        72,
        _FILE + r"\.ya?ml:\d+:\d+: .{1,300}\[[a-z-]{3,40}\]$|^error\[[a-z-]{3,40}\]: "
        r"|^\s+\d+:\d+\s{1,8}error\s{1,8}.{1,200}\([a-z-]{3,40}\)$",
        "error",
        "fail",
    ),
    rule("workflow-lint-tail", Cause.LINT, 72, _FILE + r"\.ya?ml:\d+:\d+: .{1,300}\[[a-z-]{3,40}\]$"),
    rule("markdown-lint", Cause.LINT, 70, _FILE + r"\.md:\d+(?::\d+)? (?:error )?MD\d{3}"),
    rule("hadolint", Cause.LINT, 70, r"\bDL\d{4}\b (?:error|warning|info)|:\d+ DL\d{4}"),
    rule(
        "license-header",
        Cause.LINT,
        66,
        r"(?i)(?:missing|without|invalid|lacks?) (?:a |the )?(?:license|copyright|SPDX)[ -](?:header|notice"
        r"|identifier)",
        "error",
        "fail",
    ),
    rule(
        "ascii-whitespace",
        Cause.LINT,
        64,
        _FILE + r":\d+: (?:trailing whitespace|new blank line at EOF|space before tab|leftover conflict marker)",
        "conflict",
    ),
    rule(
        "whitespace-tail",
        Cause.LINT,
        64,
        _FILE + r":\d+: (?:trailing whitespace|new blank line at EOF|space before tab)",
    ),
    rule("import-contract", Cause.LINT, 66, r"^.{1,120} BROKEN$|^Contracts: \d+ kept, [1-9]\d* broken"),
    rule(
        "generated-files",
        Cause.LINT,
        74,
        r"(?i)(?:generated (?:files?|code|docs?)|lock ?files?|snapshots?|schema|stubs?|bindings|format(?:ting)?"
        r"|docs?|requirements?)\b.{0,80}\b(?:out[ -]of[ -]date|stale|not up[ -]to[ -]date|outdated|differs?"
        r"|is different|not formatted|needs? to be (?:updated|regenerated|formatted))|please (?:run|re-?run"
        r"|execute|regenerate|commit|update|format) .{0,160}(?:commit|regenerate|push|format|generated|and add)"
        r"|(?:file|format|style) check(?:s)? failed|Files? (?:is|are|was|were) modified by (?:the "
        r"|this )?(?:formatter|hook|linter)",
        "error",
        "fail",
    ),
    rule(
        "generated-tail",
        Cause.LINT,
        60,
        r"(?i)please (?:run|re-?run|regenerate|commit) .{0,160}(?:commit|regenerate|push|format|generated)"
        r"|^\s*(?:error: )?(?:generated )?files? .{0,80}(?:out[ -]of[ -]date|not up[ -]to[ -]date)",
    ),
    rule(
        "lint-summary",
        Cause.LINT,
        30,
        r"^Found \d+ errors?(?: in \d+ files?)?\b(?!.*\b0 remaining)|^Lint failed!"
        r"|^\d+ files? would be reformatted|^✖ \d+ problems?|^(?:Some files? need|Run) formatting",
        "error",
        "fail",
    ),
)

RULES: Final[tuple[Rule, ...]] = (*_PYTHON, *_OTHERS)
