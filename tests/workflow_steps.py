"""The shell of a workflow's steps, run as a runner runs it, with what its expressions come to."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from tests.git_remote import REPO, ROOT, TOKEN

WORKFLOWS = ROOT / ".github" / "workflows"
PINNED = re.compile(r"[\w./-]+@[0-9a-f]{40}")
_WHOLE = re.compile(r"\$\{\{ (.*?) \}\}", re.DOTALL)
_OUTPUT = re.compile(r"^(?:(\w+)<<(.+)\n(.*)\n\2|(\w+)=(.*))$", re.MULTILINE)
_LITERAL = re.compile(r"'([^']*)'|(\d+)")


def load_workflow(name: str) -> dict[Any, Any]:
    """A workflow of this repository."""
    found: dict[Any, Any] = yaml.safe_load((WORKFLOWS / name).read_text(encoding="utf-8"))
    return found


def step_of(workflow: dict[Any, Any], job: str, name: str) -> dict[str, Any]:
    """The step of a job with this name."""
    [found] = [one for one in workflow["jobs"][job]["steps"] if one.get("name") == name]
    return dict(found)


def steps_in(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    """Every step of every job."""
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def value_of(text: str, context: Mapping[str, str]) -> str:
    """What the expressions in ``text`` come to, of names and literals with ``||`` between; an unknown name is empty."""

    def one(expression: str) -> str:
        for part in expression.split(" || "):
            literal = _LITERAL.fullmatch(part)
            value = (literal[1] or literal[2]) if literal else context.get(part, "")
            if value not in ("", "0", "false") or part == expression:
                return value
        return ""

    return _WHOLE.sub(lambda found: one(found[1]), text)


def run_step(
    step: dict[str, Any], folder: Path, context: Mapping[str, str], told: Mapping[str, str]
) -> tuple[int, str, dict[str, str]]:
    """Runs a step in ``folder``: its exit code, what it prints, and its outputs.

    ``context`` is what expressions may name; ``told`` is what the runner tells all steps. The sources of trackside lie
    where the workflow checks them out.
    """
    source = folder / ".trackside-source"
    if not source.exists():
        source.symlink_to(ROOT)
    files = {name: folder / f"{name.lower()}.txt" for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    files["GITHUB_OUTPUT"].write_text("", encoding="utf-8")
    context = {"github.token": TOKEN, **context}
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": REPO,
        **{name: str(path) for name, path in files.items()},
        **told,
        **{name: value_of(str(text), context) for name, text in step.get("env", {}).items()},
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    outputs = _OUTPUT.findall(files["GITHUB_OUTPUT"].read_text(encoding="utf-8"))
    return done.returncode, done.stdout + done.stderr, {one[0] or one[3]: one[2] or one[4] for one in outputs}
