"""Pages that are plain lists, as those of pull requests, issues and comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from trackside.github.json_items import DecodeProblem, split_list

if TYPE_CHECKING:
    from trackside.github.client import GitHub

PER_PAGE: Final = 100


def list_bodies(
    github: GitHub, path: str, params: Mapping[str, str | int], *, endpoint: str, what: str
) -> Iterator[bytes]:
    """Every page of the list. ``what`` names its items in an error.

    Raises DecodeProblem where a page is empty and not the last: what should be on it shows nowhere else.
    """
    for answer in github.pages(path, {**params, "per_page": PER_PAGE}, endpoint=endpoint):
        if answer.next_url is not None and not split_list(answer.body):
            msg = f"a page of the {what} is empty and says that others follow"
            raise DecodeProblem(msg)
        yield answer.body
