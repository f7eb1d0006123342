"""What a checkout of the repository tells: agents in its registry, and what its workflows use. Files are read here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from trackside.agents.registry import RegisteredAgent, registered_agent
from trackside.agents.workflow_uses import WorkflowUses, workflow_uses

WORKFLOWS: Final = ".github/workflows"
MOST_FILES: Final = 1000
"""So many files of a folder are looked at, the first by name."""
MOST_AGENT_BYTES: Final = 64 * 1024
MOST_WORKFLOW_BYTES: Final = 1024 * 1024
_MOST_CONFIG_BYTES: Final = 256 * 1024
_SECTION: Final = re.compile(r"[ \t]*\[(?P<name>[^\]]*)\]")
_URL: Final = re.compile(r"[ \t]*url[ \t]*=[ \t]*(?P<url>\S+)", re.IGNORECASE)
_OWNER_NAME: Final = re.compile(r"(?:^|[/:])([^/:\s]+/[^/\s]+?)(?:\.git)?/?$")
T = TypeVar("T")


class Checkout(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of a checkout: the agents of its registry, and what each workflow uses, by its path.

    A workflow there need not be what it was at the head commit of a run. ``notes`` say what was read, and what was not.
    ``ignored`` is the sentence on folders in the working directory that were not read as it is no such checkout.
    """

    agents: tuple[RegisteredAgent, ...] = ()
    workflows: dict[str, WorkflowUses] = {}
    notes: tuple[str, ...] = ()
    ignored: str | None = None


NO_CHECKOUT: Final = Checkout(notes=("No checkout of the repository was looked at.",))
"""Where none is needed."""


def read_checkout(folder: Path, repo: str, registry: str, environ: Mapping[str, str]) -> Checkout:
    """What the checkout of ``repo`` that holds ``folder`` tells; where there is none, notes that say why.

    ``registry`` is the folder of the files that describe agents. Nothing outside of the checkout is read.
    """
    root = find_checkout(folder, repo, environ)
    if root is None:
        return _no_checkout(folder, repo, registry)
    agents, agent_notes = _read_folder(root, registry, (".md",), MOST_AGENT_BYTES, registered_agent)
    workflows, workflow_notes = _read_folder(root, WORKFLOWS, (".yml", ".yaml"), MOST_WORKFLOW_BYTES, workflow_uses)
    return Checkout(
        agents=tuple(agents),
        workflows={one.path: one for one in workflows},
        notes=(
            f"Read of the checkout: agents in {registry}: {len(agents):,}; workflows: {len(workflows):,}.",
            *agent_notes,
            *workflow_notes,
        ),
    )


def _no_checkout(folder: Path, repo: str, registry: str) -> Checkout:
    """What is said where ``folder`` is in no checkout of ``repo``."""
    top = _top_of(folder)
    if top is None:
        why = "there is no .git in the working directory or above it"
    elif (url := _origin(top / ".git")) is None:
        why = "the checkout in the working directory has no remote origin"
    else:
        # The rest of an address may hold a token.
        found = _OWNER_NAME.search(url)
        why = f"origin of the checkout in the working directory is {found[1][:200] if found else 'another'}, not {repo}"
    there = [name for name in dict.fromkeys((registry, WORKFLOWS)) if name and (folder / name).is_dir()]
    return Checkout(
        notes=(f"No checkout of the repository was looked at: {why}.",),
        ignored=f"Not read: {' and '.join(there)} in the working directory, as {why}." if there else None,
    )


def find_checkout(folder: Path, repo: str, environ: Mapping[str, str]) -> Path | None:
    """The top of the checkout of ``repo`` that holds ``folder``; None where that is of another one, or of none.

    Git's origin tells which it is; without git the workspace of a workflow run of the repository is one.
    """
    here = folder.resolve()
    top = _top_of(folder)
    if top is not None:
        return top if _is_of(_origin(top / ".git"), repo) else None
    workspace = environ.get("GITHUB_WORKSPACE")
    if not workspace or environ.get("GITHUB_REPOSITORY", "").lower() != repo.lower():
        return None
    place = Path(workspace).resolve()
    return place if place in (here, *here.parents) else None


def _top_of(folder: Path) -> Path | None:
    """The top of the checkout, of whatever repository, that holds ``folder``."""
    here = folder.resolve()
    return next((one for one in (here, *here.parents) if (one / ".git").exists()), None)


def _origin(git: Path) -> str | None:
    """The URL of the remote ``origin``; a worktree has it in the directory that it names."""
    if git.is_file():
        named = (_text_of(git, _MOST_CONFIG_BYTES) or "").strip().removeprefix("gitdir:").strip()
        own = git.parent / named
        common = _text_of(own / "commondir", _MOST_CONFIG_BYTES)
        git = own / common.strip() if common else own
    section = ""
    for line in (_text_of(git / "config", _MOST_CONFIG_BYTES) or "").split("\n"):
        if found := _SECTION.match(line):
            section = found["name"].strip()
        elif section == 'remote "origin"' and (url := _URL.match(line)):
            return url["url"]
    return None


def _is_of(url: str | None, repo: str) -> bool:
    found = _OWNER_NAME.search(url or "")
    return found is not None and found[1].lower() == repo.lower()


def _read_folder(
    root: Path, folder: str, endings: tuple[str, ...], most_bytes: int, read: Callable[[str, str], T | None]
) -> tuple[list[T], list[str]]:
    """What ``read`` makes of the path and text of each file, by name, and notes on those that were left out."""
    place = (root / folder).resolve()
    if not place.is_relative_to(root):
        return [], [f"{folder} is not in the checkout."]
    found: list[T] = []
    left_out: list[str] = []
    files = _files_in(place, endings)
    for file in files[:MOST_FILES]:
        path = f"{folder.rstrip('/')}/{file.name}"
        text = _text_of(file, most_bytes) if file.resolve().is_relative_to(root) else None
        one = None if text is None else read(path, text)
        if one is None:
            left_out.append(file.name)
        else:
            found.append(one)
    notes = []
    if left_out:
        notes.append(f"Files of {folder} that could not be used: {len(left_out):,}, the first: {left_out[0]}.")
    if len(files) > MOST_FILES:
        notes.append(f"Files of {folder} beyond the first {MOST_FILES:,}, not looked at: {len(files) - MOST_FILES:,}.")
    return found, notes


def _files_in(place: Path, endings: tuple[str, ...]) -> list[Path]:
    """The files of a folder with these endings, by name; none where the folder cannot be read."""
    try:
        return sorted(file for file in place.iterdir() if file.name.lower().endswith(endings))
    except OSError:
        return []


def _text_of(file: Path, most_bytes: int) -> str | None:
    """The text of a file; None where it is none, is too large or cannot be read."""
    try:
        if not file.is_file() or file.stat().st_size > most_bytes:
            return None
        content = file.read_bytes()
    except OSError:
        return None
    return None if b"\0" in content else content.decode(errors="replace")
