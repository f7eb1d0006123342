"""The Python examples of the documentation run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.generate_run import generate_run
from benchmarks.plan import Options

DOCS = Path(__file__).parent.parent / "docs"
FENCE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
EXAMPLES = FENCE.findall((DOCS / "python-api.md").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a small generated run, ``job_12345``."""
    directory = tmp_path_factory.mktemp("examples")
    generate_run(directory, Options(size_bytes=1_000_000)).rename(directory / "job_12345")
    return directory


@pytest.mark.parametrize("place", range(len(EXAMPLES)))
def test_the_python_examples_run(
    directory: Path, place: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(directory)
    exec(compile(EXAMPLES[place], f"example {place + 1}", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out
