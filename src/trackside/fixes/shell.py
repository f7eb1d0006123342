"""Fixes for scripts: files, rights, commands, variables, syntax."""

from __future__ import annotations

from typing import Final

from trackside.fixes.table import Fix, fix

FIXES: Final[tuple[Fix, ...]] = (
    fix(
        "line-endings",
        "A script has Windows line ends",
        "Save it with LF and keep it so with `*.sh text eol=lf` in .gitattributes.",
        r"\$'\\r'|\\r: command not found|bad interpreter: .{0,100}(?:\^M|\\r)|/usr/bin/env: '\w+\\r'",
    ),
    fix(
        "script-not-executable",
        "A script may not be executed",
        "Set its mode in git, `git update-index --chmod=+x script.sh`, or start it with its interpreter, `bash "
        "script.sh`. On a volume with noexec only the latter works.",
        r"(?:^|[\s:])(?:\./|/)?[\w./-]{1,200}\.(?:sh|bash|py|pl|rb|mjs|js): Permission denied$"
        r"|gradlew: Permission denied"
        r"|mvnw: Permission denied|line \d+: \./\S{1,200}: Permission denied",
    ),
    fix(
        "command-not-found",
        "A command is not on the machine",
        "Install it in a step before, or add its folder to $GITHUB_PATH: changes of PATH do not reach the next step by "
        "themselves, and images do not hold the same tools.",
        r"Process completed with exit code 127\b",
        "command-not-found",
        unless=r"\\r|127\.0",
    ),
    fix(
        "variable-unset",
        "A script uses a variable that is not set",
        "Set it under `env` of the step, or give it a default, `${NAME:-}`, where it may be empty. An expression of "
        "an output that does not exist is empty too.",
        r": unbound variable$|: parameter (?:null or )?not set$",
    ),
    fix(
        "script-syntax",
        "A script is not valid shell",
        "Run it through shellcheck. Where the text comes out of an expression, `${{ … }}`, hand it over as an "
        "environment variable instead: quotes and newlines in titles break scripts, and it is a way in for attackers.",
        r"syntax error near unexpected token|unexpected EOF while looking for|: bad substitution"
        r"|syntax error: unexpected|Syntax error: (?:Unterminated|end of file|\"\S{1,20}\") ?(?:unexpected|quoted)?",
    ),
    fix(
        "file-missing",
        "A file or folder is not there",
        "See that the path is relative to where the step runs (`working-directory`), that the step which makes it ran, "
        "and that the file is in the commit: jobs do not share files but by artifacts.",
        r": No such file or directory$|can't open file '|cannot stat '.{1,300}': No such file"
        r"|\[Errno 2\] No such file or directory: "
        r"|ENOENT: no such file or directory",
        unless=r"fatal error: |shared object|socket|bad interpreter|\\r|\bspawn \S",
        not_for=("test", "lint", "gpu_fault"),
        general=True,
    ),
    fix(
        "permission-denied",
        "The job's user may not do this",
        "Files made as root in a container belong to root: run the container as the runner's user, or change the owner "
        "(`sudo chown -R`). Installing into the system needs sudo, or a folder of one's own.",
        r"(?:EACCES|EPERM): |: Permission denied$|PermissionError: \[Errno 13\]|are you root\?|must be run as root",
        unless=r"\(publickey|docker daemon",
        not_for=("test", "lint"),
        general=True,
    ),
    fix(
        "docker-terminal",
        "Docker was asked for a terminal",
        "Leave `-t` away (`docker run -i` instead of `-it`, `docker compose exec -T`): a job has no terminal.",
        r"the input device is not a TTY",
    ),
    fix(
        "arguments",
        "A command does not take an argument",
        "Compare the call with the command's own help in the version that is installed here: an option was renamed or "
        "removed, or an empty variable left a hole.",
        None,
        "arguments",
    ),
    fix(
        "json-invalid",
        "A file or answer is no valid JSON or YAML",
        "Print what is parsed: often it is an error page, an empty answer or a message before the data. For answers, "
        "check the status first (`curl --fail`).",
        r"^jq: (?:parse )?error|json\.decoder\.JSONDecodeError|JSONDecodeError: Expecting value|^Error: YAMLException"
        r"|Unexpected (?:token|end of JSON input).{0,60}JSON|Unexpected end of JSON input",
        "json-yaml",
        not_for=("test", "lint"),
    ),
    fix(
        "port-in-use",
        "A port is taken",
        "A process of a test or job before still holds it: stop it at the end of its own step, or let the server take "
        "any free port (0) and tell which.",
        None,
        "port-in-use",
    ),
)
