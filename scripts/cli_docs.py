"""Writes the help of every command into docs/cli.md, between the marks that name it. Run by ``make docs``."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Final

from rich.console import Console

from trackside.cli.app import bench_app, trackside_app
from trackside.cli.catalogue import COMMANDS

PAGE: Final = Path(__file__).parent.parent / "docs" / "cli.md"
_MARKED: Final = re.compile(r"(<!-- help of (\w[\w -]*) -->\n).*?(<!-- end of help -->)", re.DOTALL)


def every_command() -> list[str]:
    """Every command as it is typed, in the order of the help."""
    return [f"{words} {command.name}" for words, commands in COMMANDS.items() for command in commands]


def help_of(command: str) -> str:
    """What the command, such as ``srtlog parse``, prints with ``--help`` on a terminal of 100 columns."""
    stream = io.StringIO()
    program, *words = command.split()
    app = bench_app("srtlog") if program == "srtlog" else trackside_app()
    app.help_print(words, console=Console(file=stream, width=100, color_system=None))
    return "\n".join(line.rstrip() for line in stream.getvalue().strip().splitlines())


def renew(page: str) -> str:
    """``page`` with the help of each marked command as it is now."""
    return _MARKED.sub(lambda found: f"{found[1]}```text\n{help_of(found[2])}\n```\n{found[3]}", page)


def documented(page: str) -> list[str]:
    """The commands that ``page`` has the help of."""
    return [found[2] for found in _MARKED.finditer(page)]


if __name__ == "__main__":
    before = PAGE.read_text(encoding="utf-8")
    missing = set(every_command()) - set(documented(before))
    if missing:
        raise SystemExit(f"docs/cli.md has no section for: {', '.join(sorted(missing))}")
    PAGE.write_text(renew(before), encoding="utf-8")
