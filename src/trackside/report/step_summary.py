"""Markdown that a workflow shows as the summary of a step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from trackside.report.safe_text import markdown_text

CAP_BYTES: Final = 1024 * 1024
"""GitHub shows nothing of a summary that is longer.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits
"""
_REST: Final = "The rest is left out: a summary ends at 1 MiB. The JSON has everything."
_PLAIN_URL: Final = re.compile(r"https?://[\w.~:/?#@!$&'*+,;=%-]+", re.ASCII)


def capped(lines: Iterable[str], cap_bytes: int = CAP_BYTES) -> str:
    """The lines as one text that is not longer than GitHub shows; where some are left out the last one says so."""
    kept: list[str] = []
    size = 0
    for line in lines:
        size += len(line.encode(errors="replace")) + 1
        kept.append(line)
        if size > cap_bytes:
            break
    else:
        return "\n".join(kept)
    while kept and size + len(_REST) + 2 > cap_bytes:
        size -= len(kept.pop().encode(errors="replace")) + 1
    return "\n".join([*kept, "", _REST])


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """A table of cells that are Markdown already; the columns numbered in ``right`` stand to the right."""
    rule = ["---:" if place in right else "---" for place in range(len(headings))]
    return [f"| {' | '.join(cells)} |" for cells in (headings, rule, *rows)]


def markdown_link(text: str, url: str | None) -> str:
    """A link to ``url``, the text alone where that is none that can be trusted to end where it should."""
    return f"[{markdown_text(text)}]({url})" if url and _PLAIN_URL.fullmatch(url) else markdown_text(text)
