"""A report posted as a comment: once, and edited where it was posted before."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal

from trackside.cli.terminal import Terminal
from trackside.errors import GitHubError, UsageError

if TYPE_CHECKING:
    from trackside.github.client import GitHub
    from trackside.github.issues import Comment

AUTO: Final = "auto"
"""As the place of a comment: the pull request of the run, else its issue."""
_MOST_DIGITS: Final = 9
_LENGTHS: Final = (65_000, 58_000, 50_000, 42_000)
"""How long a report may be before what would act in it is broken, which makes it longer; one after the other."""
_GONE: Final = (404, 410)


def analysis_marker(run_id: int) -> str:
    """The first line of the comment on a run, which no reader sees and by which it is found again."""
    return f"<!-- trackside:analysis:{run_id} -->"


def comment_place(text: str) -> int | Literal["auto"]:
    """The issue or pull request that ``--comment`` names. Raises UsageError where it is no number and not auto."""
    typed = text.strip().removeprefix("#")
    if typed.lower() == AUTO:
        return "auto"
    if not (typed.isascii() and typed.isdigit()) or len(typed) > _MOST_DIGITS or int(typed) == 0:
        msg = f"--comment {text[:50]}: the number of an issue or a pull request, or auto for that of the run."
        raise UsageError(msg)
    return int(typed)


def fitting_comment(marker: str, report: Callable[[int], str], site: str) -> str:
    """The comment of ``report`` (in at most so many characters): the longest that needs not be cut in the end."""
    from trackside.report.comment_text import comment_text, is_cut

    text = ""
    for most in _LENGTHS:
        text = comment_text(marker, report(most), site)
        if not is_cut(text):
            break
    return text


def post_comment(github: GitHub, repo: str, number: int, marker: str, text: str, terminal: Terminal) -> None:
    """Posts ``text``, whose first line is ``marker``, on an issue or pull request, or edits what was posted before.

    Posted before is the oldest comment that begins with the marker and is of the same account as the token: one of
    somebody else is never touched, whatever it begins with. With equal text nothing is written. Of two that are posted
    at the same time the older one stays. Raises GitHubError where GitHub refuses it, and names the permission.
    """
    from trackside.github.issues import create_comment, delete_comment, make_once

    before = own_comment(github, repo, number, marker)
    if before is not None and _renewed(github, repo, number, before, text, terminal):
        return
    made = make_once(
        lambda: create_comment(github, repo, number, text), lambda: own_comment(github, repo, number, marker)
    )
    oldest = own_comment(github, repo, number, marker)
    if oldest is not None and oldest.id < made.id and _renewed(github, repo, number, oldest, text, terminal):
        delete_comment(github, repo, made.id)
        return
    terminal.note(f"Posted on {repo}#{number}: {made.html_url or made.id}")


def own_comment(github: GitHub, repo: str, number: int, marker: str) -> Comment | None:
    """The oldest comment that begins with the marker and is of the account whose the token is, None without one."""
    from trackside.github.issues import list_comments, viewer_of

    marked = [one for one in list_comments(github, repo, number) if _first_line(one.body) == marker]
    if not marked:
        return None
    viewer = viewer_of(github)
    return next((one for one in marked if viewer.wrote(one.user)), None)


def _renewed(github: GitHub, repo: str, number: int, before: Comment, text: str, terminal: Terminal) -> bool:
    """Gives a comment its new text where that is another one; False where the comment is gone meanwhile."""
    from trackside.github.issues import edit_comment

    where = f"{repo}#{number}: {before.html_url or before.id}"
    if _same(before.body, text):
        terminal.note(f"Nothing has changed since it was posted on {where}")
        return True
    try:
        edit_comment(github, repo, before.id, text)
    except GitHubError as error:
        if error.status not in _GONE:
            raise
        return False
    terminal.note(f"Edited on {where}")
    return True


def _first_line(body: str | None) -> str:
    return (body or "").partition("\n")[0].rstrip()


def _same(body: str | None, text: str) -> bool:
    """Whether both are the same text, however GitHub ends its lines."""
    return (body or "").replace("\r\n", "\n").rstrip() == text.rstrip()
