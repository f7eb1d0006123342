"""``trackside site build``: everything on pages, in a folder that opens offline or is published."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from trackside.cli.site_session import SiteAsked, load_site

FOLDER: Final = Path("site")


def build(
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])] = FOLDER,
    asked: SiteAsked | None = None,
) -> int:
    """Write pages on CI, performance, benchmarks and agents, and on the data they are made of.

    The window is 30d up to the newest run in the store if nothing is said.

    Args:
        output: Write the pages into this folder; only what changed is written, and nothing there that is not ours.
    """
    from trackside.site.build import site_files

    loaded = load_site(asked)
    terminal = loaded.session.terminal
    for file in site_files(loaded.facts):
        path = output / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
    terminal.data(str((output / "index.html").absolute()))
    return loaded.session.end()
