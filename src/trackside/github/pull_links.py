"""Which pull requests of a run are really its own.

GitHub names with a run every open pull request, of any repository, whose head is a branch of that name or that commit:
runs of ``main`` so got pull requests of strangers' repositories that merge from their ``main``, and runs of a fork
those of another one.
"""

from __future__ import annotations

from typing import Final

from trackside.github import shapes

_USUAL_DEFAULTS: Final = frozenset({"main", "master"})
_PULL_EVENTS: Final = frozenset({"pull_request", "pull_request_target"})


def pull_numbers(raw: shapes.Run, repo: str, default_branch: str | None) -> tuple[int, ...]:
    """The pull requests of this repository that the run names, whose head is that of the run as far as it is told.

    None for a run on the default branch.
    """
    links = raw.pull_requests or []
    if _is_on_default_branch(raw, repo, default_branch):
        return ()
    ours = [link for link in links if link.base and _is_home(link.base.repo, raw.repository, repo)]
    return tuple(dict.fromkeys(link.number for link in ours if _is_of_head(link.head, raw)))


def _is_of_head(head: shapes.Branch | None, raw: shapes.Run) -> bool:
    """Whether a pull request with this ``head`` may be that of the run: no other repository, its commit or its branch.

    GitHub tells the newest commit of a pull request: an older run of it has the branch in common only.
    """
    if head is None:
        return True
    if head.repo is not None and raw.head_repository is not None and _differ(head.repo, raw.head_repository):
        return False
    if head.sha is None or raw.head_sha is None or head.sha == raw.head_sha:
        return True
    return head.ref is not None and head.ref == raw.head_branch


def _is_on_default_branch(raw: shapes.Run, repo: str, default_branch: str | None) -> bool:
    if raw.head_branch is None:
        return False
    if raw.head_repository is None:
        # The fork of a pull request may be gone; any other run without a head repository began here.
        from_here = raw.event not in _PULL_EVENTS
    else:
        from_here = _is_home(raw.head_repository, raw.repository, repo)
    known = default_branch or (raw.repository.default_branch if raw.repository else None)
    if known is not None:
        return from_here and raw.head_branch == known
    bases = {link.base.ref for link in raw.pull_requests or () if link.base}
    return from_here and (raw.head_branch in _USUAL_DEFAULTS or raw.head_branch in bases)


def _differ(one: shapes.Repository, other: shapes.Repository) -> bool:
    """Whether these are two repositories for sure."""
    if one.id is not None and other.id is not None:
        return one.id != other.id
    names = _full_name(one), _full_name(other)
    if None not in names:
        return names[0] != names[1]
    if one.name is None or other.name is None:
        return False
    return one.name.casefold() != other.name.casefold()


def _full_name(repository: shapes.Repository) -> str | None:
    if repository.full_name:
        return repository.full_name.casefold()
    if repository.url:
        return "/".join(repository.url.rstrip("/").split("/")[-2:]).casefold()
    return None


def _is_home(other: shapes.Repository | None, home: shapes.Repository | None, repo: str) -> bool:
    """Whether ``other`` is the repository of the run, by whatever is told of it."""
    if other is None:
        return False
    if other.id is not None and home is not None and home.id is not None:
        return other.id == home.id
    names = {name.casefold() for name in (repo, home.full_name if home else None) if name}
    if (full_name := _full_name(other)) is not None:
        return full_name in names
    return other.name is not None and other.name.casefold() in {name.rpartition("/")[2] for name in names}
