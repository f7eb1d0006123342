"""``trackside site build``: everything on pages, in a folder that opens offline or is published."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from trackside.cli.site_session import LoadedSite, SiteAsked, load_site
from trackside.engine.second_process import second_process

if TYPE_CHECKING:
    from trackside.site.files import Written

FOLDER: Final = Path("site")


def build(
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])] = FOLDER,
    benchmarks: Annotated[tuple[Path, ...], Parameter(negative="", show_default=False)] = (),
    asked: SiteAsked | None = None,
) -> int:
    """Write the site: home, CI, performance, benchmarks, agents and data health as pages that open offline.

    The window is the 30d before the newest run in the store was touched last, if nothing is said.

    Args:
        output: Write into this folder: only what changed, and never where files are that no build of a site made.
        benchmarks: A folder with logs of benchmark runs, beside those that are registered; can be given again.
    """
    from trackside.site.files import FIRST_PAGE

    with second_process() as elsewhere:
        loaded = load_site(asked, output, benchmarks, elsewhere)
        written = _write(output, loaded, elsewhere)
    terminal = loaded.session.terminal
    terminal.note(
        f"{len(written.changed):,} of {written.files:,} files were written, {len(written.removed):,} removed; "
        f"the site has {written.bytes / 1e6:,.1f} MB."
    )
    terminal.data(str((output / FIRST_PAGE).absolute()))
    return loaded.end()


def _write(output: Path, loaded: LoadedSite, elsewhere: Executor | None) -> Written:
    from trackside.site.build import site_files
    from trackside.site.files import write_site

    with loaded.session.terminal.phases() as on_phase:
        on_count, made = on_phase("making pages"), iter(range(1, 1_000_000))
        files = site_files(loaded.facts, lambda _path: on_count(next(made), 0), elsewhere)
        return write_site(output, files, loaded.facts, dt.datetime.now(dt.UTC))
