"""Names of files for jobs, tests and metrics: safe on every system, each its own, and the same in every report."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Hashable, Iterable, Mapping
from typing import Final, TypeVar

MOST_BYTES: Final = 100
"""Of one name; two of them and what is put behind still are a name that every file system takes."""
_UNSAFE: Final = re.compile(r"\s*[^\w .,=+()\[\]-]+\s*")
_EDGES: Final = re.compile(r"^[\s.-]+|[\s.]+$")
_RESERVED: Final = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:[.\s].*)?", re.IGNORECASE | re.DOTALL)
"""Devices of Windows, whatever their extension."""

Key = TypeVar("Key", bound=Hashable)


def safe_name(name: str) -> str:
    """``name`` where it can be the name of a file as it is, else the like of it with a mark of its own.

    The mark follows from the name alone: the same name is the same file in every report.
    """
    plain = unicodedata.normalize("NFC", name)
    safe = _EDGES.sub("_", _UNSAFE.sub("_", plain))
    if _RESERVED.fullmatch(safe):
        safe = f"_{safe}"
    safe = safe.encode(errors="replace")[:MOST_BYTES].decode(errors="ignore")
    return name if safe == name and name else marked(safe.rstrip(" ."), name)


def unique_names(wanted: Mapping[Key, str], identities: Mapping[Key, str]) -> dict[Key, str]:
    """``wanted`` names of one directory, each its own even where upper and lower case are the same.

    Of names that cannot stand beside each other the one that is all lower case keeps its own, where there is one such;
    the others get a mark that follows from their ``identities``.
    """
    same: dict[str, list[Key]] = {}
    for key, name in wanted.items():
        same.setdefault(_folded(name), []).append(key)
    names = {}
    for folded, keys in same.items():
        plain = [key for key in keys if wanted[key] == folded]
        for key in keys:
            keeps = len(keys) == 1 or plain == [key]
            names[key] = wanted[key] if keeps else marked(wanted[key], identities[key])
    return names


def marked(safe: str, identity: str) -> str:
    """``safe`` with the mark of an identity: ``unit-test-1-gpu-1f0c2a9b``."""
    mark = hashlib.blake2b(identity.encode(errors="surrogatepass"), digest_size=4).hexdigest()
    return f"{safe}-{mark}" if safe else mark


def job_directories(jobs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The directory of each (workflow, job): ``performance-test-1-gpu-part-1_summary``.

    Where several workflows have a job of one name their directories name the workflow too.
    """
    jobs = sorted(set(jobs))
    names = [job for _, job in jobs]
    wanted = {
        (workflow, job): safe_name(job if names.count(job) == 1 else f"{job} ({workflow})") for workflow, job in jobs
    }
    own = unique_names(wanted, {key: "\0".join(key) for key in jobs})
    return {key: f"{name}_summary" for key, name in own.items()}


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
