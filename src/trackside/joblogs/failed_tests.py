"""The tests and test files that a log says failed."""

from __future__ import annotations

import re
from typing import Final

from trackside.joblogs.choice import Weighed
from trackside.joblogs.portable_paths import portable_path

MOST: Final = 20
_UNITTEST: Final = re.compile(r"(?P<name>[\w.<>-]+) \((?P<place>[\w.<>-]+)\)?$")
_FILES: Final = frozenset({"file-failed", "file-timeout"})
_LOST: Final = -25


def failed_tests(weighed: list[Weighed], repo: str) -> tuple[str, ...]:
    """Files that a suite runner gave up first, then the tests in the order of the log; at most ``MOST``.

    Those that passed when they were tried again, and those of steps that did not fail, are not among them.
    """
    files: dict[str, None] = {}
    tests: dict[str, None] = {}
    headers: dict[str, None] = {}
    for candidate, _, place in weighed:
        written = candidate.test
        if written is None or place < _LOST:
            continue
        if candidate.rule.name in _FILES:
            files[portable_path(written, repo)] = None
        elif candidate.rule.name == "pytest-header":
            headers[written] = None
        elif candidate.rule.name != "file-listed":
            tests[test_name(written, repo)] = None
    return (*files, *(tests or headers))[:MOST]


def test_name(written: str, repo: str) -> str:
    """A test as it is called over machines: ``module.Class.test`` of unittest, ``file::test`` of pytest."""
    unittest = _UNITTEST.match(written)
    if unittest:
        name, place = unittest["name"], unittest["place"].removeprefix("__main__.")
        return place if place == name or place.endswith(f".{name}") else f"{place}.{name}"
    path, separator, rest = written.partition("::")
    if path.endswith(".py"):
        return portable_path(path, repo) + separator + rest
    return written.strip()
