"""The error tree: its drawing, its exit codes."""

from __future__ import annotations

import re

from trackside import errors
from trackside.errors import CallsStoppedError, GitHubError, PartialError, TracksideError


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    drawn = dict(re.findall(r"(\w+Error) +(\d)", errors.__doc__ or ""))
    classes = [thing for thing in vars(errors).values() if isinstance(thing, type)]
    assert drawn == {error.__name__: str(error.exit_code) for error in classes if issubclass(error, TracksideError)}


def test_there_are_at_most_eight_kinds_and_one_of_them_has_one_below_it() -> None:
    kinds = TracksideError.__subclasses__()
    assert 1 <= len(kinds) <= 8
    drawn = {below: kind for kind in kinds for below in kind.__subclasses__() if below.__module__ == errors.__name__}
    assert drawn == {CallsStoppedError: PartialError}
    assert CallsStoppedError.__subclasses__() == []


def test_a_github_error_knows_the_status_or_that_there_was_no_answer() -> None:
    assert GitHubError("it is not there", status=404).status == 404
    assert GitHubError("no answer").status is None
