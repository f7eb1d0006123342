"""Options that every command on GitHub data shares. A value of None means: not said on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter, validators

from trackside.cli.options import FLAG, whole_number

_SOME = Parameter(show_default=False)
POSITIVE = Parameter(converter=whole_number, validator=validators.Number(gte=1), show_default=False)
_FEW = Parameter(converter=whole_number, validator=validators.Number(gte=1, lte=10), show_default=False)
_NATURAL = Parameter(converter=whole_number, validator=validators.Number(gte=0), show_default=False)


@Parameter(name="*")
@dataclass(frozen=True)
class Window:
    """Which runs: by default those created in the last 7 days."""

    since: Annotated[str | None, _SOME] = None
    """Start of the window: 7d, 24h, 2026-11-01 or an ISO time. 7d if nothing is said, 30d for perf, agents and site."""
    until: Annotated[str | None, _SOME] = None
    """End of the window, included; now if nothing is said, for the site when its newest run was touched last."""
    limit: Annotated[int | None, POSITIVE] = None
    """The newest so many runs of the selection."""
    workflow: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = ()
    """A workflow's file or name; can be given again. All of them if nothing is said."""
    branch: Annotated[str | None, _SOME] = None
    """Runs of this head branch only."""
    event: Annotated[str | None, _SOME] = None
    """Runs of this event only, such as push or schedule."""
    job: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = ()
    """A pattern of job names such as 'unit-test*'; can be given again."""


@Parameter(name="*")
@dataclass(frozen=True)
class Access:
    """How GitHub is asked. The token is GITHUB_TOKEN, then GH_TOKEN; GITHUB_API_URL names another server."""

    repo: Annotated[str | None, _SOME] = None
    """The repository as OWNER/NAME."""
    preset: Annotated[str | None, _SOME] = None
    """Settings of a known repository: sglang or chained."""
    token: Annotated[str | None, _SOME] = None
    """A token for GitHub; better in the environment, where no process list shows it."""
    store: Annotated[str | None, _SOME] = None
    """Where the store is: a directory or an s3://, gs:// or abfss:// URL. .trackside if nothing is said."""
    max_calls: Annotated[int | None, _NATURAL] = None
    """Never make more calls than this, tries again included."""
    max_wait: Annotated[str | None, _SOME] = None
    """Wait no longer than this for limits, all waits together. 60s if nothing is said."""
    workers: Annotated[int | None, _FEW] = None
    """Calls at the same time, 1 to 10. 5 if nothing is said."""
    pause_below: Annotated[int | None, _NATURAL] = None
    """Pause where fewer calls are left: 100, or 20 % of a small limit, if nothing is said."""
    stop_below: Annotated[int | None, _NATURAL] = None
    """Stop where fewer calls are left: 50, or 10 % of a small limit, if nothing is said."""
    debug: Annotated[bool, FLAG] = False
    """Show every call, never the token, and where an unexpected error came from."""


@Parameter(name="*")
@dataclass(frozen=True)
class Where:
    """Which store and repository, of a command that asks GitHub for nothing."""

    repo: Annotated[str | None, _SOME] = None
    """The repository as OWNER/NAME."""
    preset: Annotated[str | None, _SOME] = None
    """Settings of a known repository: sglang or chained."""
    store: Annotated[str | None, _SOME] = None
    """Where the store is: a directory or an s3://, gs:// or abfss:// URL. .trackside if nothing is said."""
    debug: Annotated[bool, FLAG] = False
    """Show where an unexpected error came from."""

    @property
    def access(self) -> Access:
        """The same as options of a command that may ask GitHub."""
        return Access(repo=self.repo, preset=self.preset, store=self.store, debug=self.debug)


@Parameter(name="*")
@dataclass(frozen=True)
class Saying:
    """How much is said."""

    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"]), FLAG] = False
    """Say nothing on stderr but warnings and errors."""
