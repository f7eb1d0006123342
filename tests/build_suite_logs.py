"""Logs of suites, line by line as GitHub serves them: a stamp before each line."""

from __future__ import annotations

from collections.abc import Iterable

from tests.build_github import job
from trackside.joblogs.suites import read_test_files
from trackside.records.failures import TestFile

STAMP = "2026-11-01T12:00:00.1234567Z "
WORK = "/actions-runner/_work/engine/engine"


def log(*blocks: str | Iterable[str]) -> bytes:
    """The blocks as one log."""
    lines = [line for block in blocks for line in (block.splitlines() if isinstance(block, str) else block)]
    return "".join(f"{STAMP}{line}\n" for line in lines).encode()


def read(*blocks: str | Iterable[str]) -> tuple[TestFile, ...]:
    """The test files of the blocks as one log of a job of octo/engine."""
    return read_test_files(log(*blocks), job())


def begin(file: str, index: int = 0, last: int = 0) -> str:
    """A file begins."""
    return f".\n.\nBegin ({index}/{last}):\npython3 {WORK}/test/{file}\n.\n.\n"


def end(file: str, index: int = 0, last: int = 0, elapsed: int = 100, estimated: int = 90) -> str:
    """A file ends, however."""
    told = f"filename='{file}', elapsed={elapsed}, estimated_time={estimated}"
    return f".\n.\nEnd ({index}/{last}):\n{told}\n.\n.\n"


def summary(passed: Iterable[str] = (), failed: Iterable[str] = (), retried: Iterable[str] = (), of: int = 0) -> str:
    """The block at the end of a suite; ``failed`` and ``retried`` with what stands in brackets."""
    passed, failed, retried = list(passed), list(failed), list(retried)
    lines = ["", "=" * 60, f"Test Summary: {len(passed)}/{of or len(passed) + len(failed)} passed"]
    lines += [f"Retries: {len(retried)} test(s) were retried"] if retried else []
    lines += ["=" * 60]
    for mark, title, entries in (("✓", "PASSED", passed), ("✗", "FAILED", failed), ("↻", "RETRIED", retried)):
        lines += ["", f"{mark} {title}:", *(f"  {entry}" for entry in entries)] if entries else []
    return "\n".join([*lines, "=" * 60, ""])
