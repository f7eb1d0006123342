"""A repository on this disk in GitHub's place, for the shell of workflows that reads and writes branches."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCRIPTS = ROOT / "scripts" / "agentops"
REPO = "octo/engine"
TOKEN = "ghs_" + "A1b" * 12
_WHO = {f"GIT_{who}_{what}": "alice" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


class Remote:
    """A bare repository with a branch ``main`` of one commit, below ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.server = f"file://{folder}"
        self.path = folder / f"{REPO}.git"
        self.path.mkdir(parents=True)
        self.git("init", "--quiet", "--bare", "--initial-branch=main")
        self.commit("main", {"README.md": "# Engine\n"})

    def git(self, *words: str, text: str | None = None) -> str:
        """What git says in it."""
        done = subprocess.run(
            ["git", *words], cwd=self.path, input=text, env={**os.environ, **_WHO}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, branch: str, files: dict[str, str]) -> str:
        """A commit of somebody on top of a branch, with these files alone; its name."""
        tree = ""
        for name, text in sorted(files.items()):
            blob = self.git("hash-object", "-w", "--stdin", text=text)
            tree += f"100644 blob {blob}\t{name}\n"
        before = self.head(branch)
        parents = ("-p", before) if before else ()
        made = self.git("commit-tree", *parents, "-m", "By hand", self.git("mktree", text=tree))
        self.git("update-ref", f"refs/heads/{branch}", made)
        return made

    def head(self, branch: str) -> str:
        """The commit of a branch, nothing where there is none."""
        return self.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")

    def files(self, branch: str) -> dict[str, str]:
        """The text of each file of a branch, by path."""
        return {name: self.git("show", f"{branch}:{name}") for name in self.names(branch)}

    def names(self, branch: str) -> list[str]:
        """The path of each file of a branch."""
        return self.git("ls-tree", "-r", "--name-only", branch).splitlines()

    def commits(self, branch: str) -> int:
        """How many commits a branch has."""
        return len(self.git("rev-list", branch).splitlines())

    def environment(self, **more: str) -> dict[str, str]:
        """What a runner tells of it."""
        told = {"GITHUB_SERVER_URL": self.server, "GITHUB_REPOSITORY": REPO, "GITHUB_TOKEN": TOKEN}
        return {"PATH": os.environ["PATH"], "HOME": str(self.path.parent), **told, **more}

    def run(self, script: str, *words: str, cwd: Path, **more: str) -> tuple[int, str, str]:
        """A script of ``scripts/agentops`` as a workflow runs it: its exit code, stdout and stderr."""
        done = subprocess.run(
            [str(SCRIPTS / script), *words], cwd=cwd, env=self.environment(**more), capture_output=True, text=True
        )
        return done.returncode, done.stdout, done.stderr


def write_files(folder: Path, files: dict[str, str]) -> Path:
    """The folder with these files in it."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder
