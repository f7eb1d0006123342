"""``--comment``, ``--dry-run`` and ``--due`` of ``trackside agents analyze``: where its report is posted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from trackside.cli.commenting import analysis_marker, comment_place, fitting_comment, post_comment
from trackside.cli.github_options import Access
from trackside.cli.github_session import github_of
from trackside.cli.options import FLAG
from trackside.errors import UsageError

if TYPE_CHECKING:
    from trackside.cli.agents_analyze import Analysed

Place = int | Literal["auto"]


@Parameter(name="*")
@dataclass(frozen=True)
class Commenting:
    """Where the report is posted."""

    comment: Annotated[str | None, Parameter(show_default=False)] = None
    """Post the report on this issue or pull request, or with auto on that of the run; posted before, it is edited."""
    dry_run: Annotated[bool, FLAG] = False
    """Print the comment in place of posting it; with --due let nothing count as begun."""
    due: Annotated[bool, FLAG] = False
    """Print the runs that rules of the settings want analysed, from the store, each once; no run is looked into."""


def place_of(commenting: Commenting, *, offline: bool) -> Place | None:
    """Where the report is to be posted, None for nowhere. Raises UsageError for what does not go together."""
    if commenting.comment is None:
        if commenting.dry_run:
            msg = "--dry-run shows what --comment would post, or what --due would print: give one of them."
            raise UsageError(msg)
        return None
    if offline and not commenting.dry_run:
        msg = "--comment posts to GitHub, and --offline asks it for nothing: leave one of them out, or add --dry-run."
        raise UsageError(msg)
    return comment_place(commenting.comment)


def post_analysis(analysed: Analysed, access: Access, place: Place, *, dry_run: bool) -> None:
    """Posts the report of a run, or prints on stdout what would be posted; says where, and where there is no place.

    ``analysed`` is of a run that is known. Raises GitHubError where GitHub refuses the comment.
    """
    from trackside.history.commits import repository_page

    run, settings, terminal = analysed.run, analysed.settings, analysed.terminal
    if run is None:
        return
    number = _linked(analysed) if place == "auto" else place
    if number is None:
        terminal.warn(f"Nothing is posted: run {run.run_id} is of no pull request and of no issue.")
        return
    marker = analysis_marker(run.run_id)
    text = fitting_comment(marker, analysed.fitted, repository_page(run.repo, run.html_url))
    if dry_run:
        terminal.whole(text)
        terminal.note(f"This would be posted on {run.repo}#{number}; nothing was.")
        return
    with github_of(access, settings, run.repo, terminal) as github:
        post_comment(github, run.repo, number, marker, text, terminal)


def _linked(analysed: Analysed) -> int | None:
    """The pull request of the run, else its issue."""
    from trackside.evidence.linked_issue import linked_issue

    if analysed.run is None:
        return None
    settings = analysed.settings
    return linked_issue(analysed.run, settings.agents, store=analysed.store, default_branch=settings.ci.default_branch)
