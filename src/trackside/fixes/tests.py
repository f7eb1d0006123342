"""Fixes for checks and tests: formatters, linters, types, collection, snapshots, coverage, time."""

from __future__ import annotations

from typing import Final

from trackside.fixes.table import Fix, fix

_CHECKS: Final = (
    fix(
        "generated-files",
        "Generated files are not those of the sources",
        "Run the command that makes them, as the message says, with the versions that the job uses, and commit the "
        "result.",
        None,
        "generated-files",
        "generated-tail",
        unless=r"(?i)modified by (?:this|the) (?:hook|formatter|linter)|pre-commit|clang-format|prettier|\bblack\b"
        r"|\bruff\b",
    ),
    fix(
        "label-missing",
        "The pull request lacks a label or a form that the check wants",
        "Add what the message names to the pull request and run the check again. Nothing of the code is wrong by that.",
        None,
        "label-missing",
    ),
    fix(
        "formatter",
        "Files are not formatted",
        "Run the project's formatter over them and commit the result; a hook before the commit (pre-commit) keeps it "
        "so. Where it changes nothing here, its version is another than that of the job.",
        r"(?i)files? (?:was|were) modified by this hook|\d+ files? would be reformatted|Code style issues found"
        r"|Run `?cargo fmt|needs gofmt",
        "black",
        "black-tail",
        "isort",
        "rustfmt",
        "clang-format",
        "biome-prettier",
        "ascii-whitespace",
        "whitespace-tail",
        unless=r"\blint/\w+/\w+",
    ),
    fix(
        "types",
        "The type checker has findings",
        "Mend the types at the named place, or narrow them there; run the same command with the job's version of the "
        "checker and of the stubs first, as new ones find more.",
        None,
        "mypy",
        "pyright",
        "typescript-error",
    ),
    fix(
        "linter",
        "The linter has findings",
        "Mend what it names, by its own fix option where it has one, and run the same command before the push. Pin its "
        "version, so that a new one does not turn old code red.",
        None,
        "lintrunner",
        "python-lint",
        "pylint",
        "ruff-full",
        "ruff-named",
        "eslint",
        "codespell",
        "typos",
        "cpplint",
        "clang-tidy",
        "clippy",
        "go-lint",
        "shellcheck",
        "workflow-lint",
        "workflow-lint-tail",
        "markdown-lint",
        "hadolint",
        "license-header",
        "import-contract",
        "pre-commit",
        "lint-summary",
        general=True,
    ),
)

_TESTS: Final = (
    fix(
        "snapshot",
        "A snapshot differs",
        "Look at the difference: where the new output is right, update the snapshots (`jest -u`, `vitest -u`, "
        "`pytest --snapshot-update`, `--update-snapshots`) and commit them; else the change broke it.",
        r"(?i)\b\d+ snapshots? (?:failed|obsolete)|snapshots? (?:does|do|did) not match|Snapshot `.{1,200}` mismatched"
        r"|toMatch(?:Inline)?Snapshot\(|A snapshot doesn't exist at|toHaveScreenshot\(.{0,200}failed"
        r"|snapshot .{0,60}mismatch",
    ),
    fix(
        "fixture-missing",
        "A fixture of pytest is not known",
        "Install the plugin that gives it (such as pytest-mock, pytest-asyncio), or move the fixture to a conftest.py "
        "above the test.",
        r"fixture '\w{1,100}' not found",
    ),
    fix(
        "async-plugin-missing",
        "pytest cannot run coroutines",
        "Install pytest-asyncio or anyio and mark the tests, or set `asyncio_mode = auto`.",
        r"async def functions are not natively supported|Unknown pytest\.mark\.asyncio",
    ),
    fix(
        "tests-not-collected",
        "pytest could not read a test file",
        "The import of the file fails: read the error under it. Mostly a package is missing in this job, a name was "
        "renamed, or two test files have the same name without a package.",
        r"(?i)\berrors? during collection|^ERROR collecting |import file mismatch:"
        r"|ImportError while (?:importing test module|loading conftest)",
    ),
    fix(
        "no-tests",
        "No test was found",
        "The path, pattern or mark selects none, and pytest ends with 5 then. Correct the selection, or let the step "
        "pass where nothing is a fine result.",
        r"^(?:=+ )?no tests (?:ran|collected)\b|collected 0 items(?! / \d)|ERROR: (?:not found: "
        r"|file or directory not found: )"
        r"|^No tests found, exiting with code 1|^Process completed with exit code 5\b",
    ),
    fix(
        "coverage",
        "Too little of the code is tested",
        "Add tests for the lines that the report names, or, where they were moved away from, lower the threshold with "
        "a reason.",
        None,
        "coverage",
    ),
    fix(
        "worker-crashed",
        "A worker of the tests crashed",
        "Run the named test by itself (`-n 0`, PYTHONFAULTHANDLER=1): it crashed in native code, called exit, or the "
        "machine ran out of memory with so many workers.",
        None,
        "pytest-worker",
    ),
    fix(
        "test-time-limit",
        "A test took longer than it may",
        "See whether it hangs or is only slow here: run it by itself a few times. Wait for a condition instead of a "
        "fixed time, and raise the limit only where the work has grown.",
        None,
        "test-timeout",
        "file-timeout",
        "command-took",
        "pytest-interrupted",
        unless=r"Exit: ",
    ),
    fix(
        "command-time-limit",
        "Something took longer than it was given",
        "See what it printed last: where it waits for something, let it say for what; where it works on, give it more "
        "time or less to do.",
        r"Process completed with exit code 124\b",
        "process-timeout",
        "exit-124",
        general=True,
    ),
)

FIXES: Final[tuple[Fix, ...]] = (*_CHECKS, *_TESTS)
