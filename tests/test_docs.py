"""The documentation is true: it has every command, its help is today's, its examples run."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.cli_docs import PAGE, documented, every_command, renew
from tests.api_bodies import run_body
from tests.fake_github import Clock, FakeGitHub
from tests.fake_github.scenarios import small

ROOT = Path(__file__).parent.parent
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def fences() -> list[tuple[str, str]]:
    """The page and text of each console fence."""
    return [(page.name, text) for page in PAGES for text in CONSOLE.findall(page.read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """Where the commands are found, and a fake GitHub that answers them for ``octo/engine``."""
    github = FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC), ticking=True))
    small(github.world, name="octo/engine")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with github:
        yield {**os.environ, "PATH": path, "GITHUB_API_URL": github.api_url, "GITHUB_TOKEN": "any"}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a small generated run, ``job_12345``, and a run of CI, as the examples expect them."""
    directory = tmp_path_factory.mktemp("docs")
    script = str(ROOT / "benchmarks" / "generate_run.py")
    subprocess.run([sys.executable, script, str(directory), "--size", "1MB"], check=True, capture_output=True)
    [job] = directory.iterdir()
    job.rename(directory / "job_12345")
    (directory / "deliveries.jsonl").write_text(json.dumps(run_body()) + "\n", encoding="utf-8")
    ingest = [str(Path(sys.executable).parent / "trackside"), "ingest", "deliveries.jsonl"]
    subprocess.run(ingest, cwd=directory, check=True, capture_output=True)
    return directory


def test_every_command_is_documented() -> None:
    assert documented(PAGE.read_text(encoding="utf-8")) == every_command()


def test_the_help_in_the_documentation_is_what_the_commands_say() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert renew(page) == page, "run make docs"


@pytest.mark.parametrize(("page", "text"), fences())
def test_the_examples_run(prepared: Path, environment: dict[str, str], page: str, text: str) -> None:
    commands = [line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ ")]
    assert commands, f"a console fence of {page} without a command"
    for command in commands:
        done = subprocess.run(shlex.split(command), cwd=prepared, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{page}: {command}\n{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []
