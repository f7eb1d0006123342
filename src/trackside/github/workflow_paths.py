"""Paths of workflows as they are told, and as they are kept."""

from __future__ import annotations

import re
from typing import Final

_FOLDER: Final = ".github/workflows/"
_ENDINGS: Final = (".yml", ".yaml")
_AT_REF: Final = re.compile(r"(?<=\.yml)@.*|(?<=\.yaml)@.*|@refs/.*", re.DOTALL)


def workflow_path(path: str | None, repo: str) -> str | None:
    """The path in the repository, without the name of the repository and without the ref it was read at."""
    return None if not path else _AT_REF.sub("", path).removeprefix(f"{repo}/")


def path_of_file(name: str | None, repo: str) -> str | None:
    """The path of a workflow of which the file name alone may be told."""
    path = workflow_path(name, repo)
    return f"{_FOLDER}{path}" if path and "/" not in path and path.endswith(_ENDINGS) else path
