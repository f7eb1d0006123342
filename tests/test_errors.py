"""The error tree: its drawing, its exit codes."""

from __future__ import annotations

import re

from trackside import errors
from trackside.errors import TracksideError


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    drawn = dict(re.findall(r"(\w+Error) +(\d)", errors.__doc__ or ""))
    classes = [thing for thing in vars(errors).values() if isinstance(thing, type)]
    assert drawn == {error.__name__: str(error.exit_code) for error in classes if issubclass(error, TracksideError)}


def test_there_are_at_most_eight_kinds_each_directly_under_the_root() -> None:
    kinds = TracksideError.__subclasses__()
    assert 1 <= len(kinds) <= 8
    assert not [below for kind in kinds for below in kind.__subclasses__()]
