"""``trackside serve``: the site live, over the store."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from cyclopts import Parameter, validators

from trackside.cli.github_options import Access, Saying, Window
from trackside.cli.github_session import repository_of, settings_of, store_of
from trackside.cli.options import whole_number
from trackside.cli.sync_session import window_of
from trackside.cli.terminal import Terminal, open_terminal
from trackside.cli.windows import parse_seconds
from trackside.errors import MissingExtraError, UsageError
from trackside.settings import Settings, find_settings_file

if TYPE_CHECKING:
    from trackside.cli.serve_backend import StoreBackend
    from trackside.server.backend import Serving
    from trackside.store.store import Store

_SOME: Final = Parameter(show_default=False)
_MANY: Final = Parameter(negative="", show_default=False)
_PORT: Final = Parameter(converter=whole_number, validator=validators.Number(gte=0, lte=65_535), show_default=False)
_LEAST_EVERY_S: Final = 10.0
_LOOK_S: Final = 3.0
_LOOK_FAR_S: Final = 30.0
"""How often a store is looked at for changes; in an object store each look is a request for each table."""


def serve(
    *,
    host: Annotated[str | None, _SOME] = None,
    port: Annotated[int | None, _PORT] = None,
    allow_host: Annotated[tuple[str, ...], _MANY] = (),
    sync_every: Annotated[str | None, _SOME] = None,
    benchmarks: Annotated[tuple[Path, ...], _MANY] = (),
    window: Window | None = None,
    access: Access | None = None,
    saying: Saying | None = None,
) -> int:
    """Serve the site live: pages that follow the store, a JSON API, webhooks, metrics.

    Deliveries of webhooks are taken with TRACKSIDE_WEBHOOK_SECRET in the environment, runs are analysed for whoever
    has what is in TRACKSIDE_SERVER_TOKEN. The window is 30d up to the newest run in the store if nothing is said.

    Args:
        host: The address to listen at: 127.0.0.1, where only this machine can ask, if nothing is said.
        port: The port to listen at, 0 for any free one. 8321 if nothing is said.
        allow_host: A name under which the server may be asked, such as ci.example.org; can be given again.
        sync_every: Bring the store up to date so often: 15m, 1h. Nothing is synced if nothing is said.
        benchmarks: A folder with logs of benchmark runs, beside those that are registered; can be given again.
    """
    _require_extra()
    from trackside.server.app import make_app
    from trackside.server.running import address_of, bind, run

    window, access = window or Window(), access or Access()
    terminal = open_terminal(quiet=(saying or Saying()).quiet)
    settings = settings_of(access)
    own = settings.server
    every_s, token = _every(sync_every, settings), _token()
    with _serving(window, access, settings, benchmarks, terminal) as (serving, backend):
        names = (*own.hosts, *allow_host)
        serving = msgspec.structs.replace(serving, names=names, sync_every_s=every_s, token=token)
        app = make_app(serving, backend, terminal.warn)
        listener = bind(host or own.host, own.port if port is None else port)
        address = address_of(listener)
        run(app, listener, lambda: _tell(terminal, serving.repo, address), terminal.warn)
    return 0


def _require_extra() -> None:
    """Raises MissingExtraError where what serves is not installed."""
    try:
        import prometheus_client
        import starlette
        import uvicorn
    except ImportError as error:
        msg = (
            "trackside serve needs the extra server: install trackside with it, as in pip install 'trackside[server]'."
        )
        raise MissingExtraError(msg) from error
    del prometheus_client, starlette, uvicorn


def _every(option: str | None, settings: Settings) -> float | None:
    """How often is synced, None for never. Raises UsageError for less than ten seconds."""
    text, name = (option, "--sync-every") if option else (settings.server.sync_every, "sync_every of [server]:")
    if text is None:
        return None
    every_s = parse_seconds(text, name)
    if every_s < _LEAST_EVERY_S:
        msg = f"{name} {text}: at least {_LEAST_EVERY_S:.0f}s; 15m is usual."
        raise UsageError(msg)
    return every_s


def _token() -> str | None:
    """The token of those who may have runs analysed. Raises UsageError for one that no header can carry."""
    token = os.environ.get("TRACKSIDE_SERVER_TOKEN") or None
    if token is not None and not (token.isascii() and token.isprintable() and token == token.strip()):
        msg = (
            "TRACKSIDE_SERVER_TOKEN: letters, digits and signs of ASCII are meant, as openssl rand -hex 32 makes them."
        )
        raise UsageError(msg)
    return token


@contextmanager
def _serving(
    window: Window, access: Access, settings: Settings, benchmarks: tuple[Path, ...], terminal: Terminal
) -> Iterator[tuple[Serving, StoreBackend]]:
    """What is served, and the store behind it; the folder of the site is held as long."""
    from trackside import __version__
    from trackside.cli.serve_children import Children, child_commands
    from trackside.cli.serve_folder import served_folder
    from trackside.server.backend import Serving

    repo, store = repository_of(access, settings), store_of(access)
    marks = (repo.lower(), window, access.preset, benchmarks)
    with served_folder(store.location.path, *marks) as folder:
        children = Children(
            repo=repo,
            store=store.location.name,
            folder=folder,
            since=settings.site.since,
            window=window,
            access=access,
            benchmarks=benchmarks,
        )
        serving = Serving(
            repo=repo,
            version=__version__,
            folder=folder,
            commands=child_commands(children, os.environ),
            secret=os.environ.get("TRACKSIDE_WEBHOOK_SECRET") or None,
            poll_s=_LOOK_S if store.location.path is not None else _LOOK_FAR_S,
        )
        yield serving, _backend(store, repo, window, settings, benchmarks, terminal)


def _backend(
    store: Store, repo: str, window: Window, settings: Settings, benchmarks: tuple[Path, ...], terminal: Terminal
) -> StoreBackend:
    from trackside.cli.serve_backend import StoreBackend

    now = dt.datetime.now(dt.UTC)
    own = msgspec.structs.replace(settings.sync, since=settings.site.since)
    start, _ = window_of(window, msgspec.structs.replace(settings, sync=own), now)
    file = find_settings_file(Path.cwd())
    folders = (*benchmarks, *(Path(one) for one in settings.site.benchmarks))
    watched = (*folders, *(() if file is None else (file,)))
    return StoreBackend(store, repo, settings, now - start, watched, terminal.warn)


def _tell(terminal: Terminal, repo: str, address: str) -> None:
    """Says where the site is, at once also where stdout is a pipe."""
    terminal.data(address)
    terminal.out.file.flush()
    terminal.note(f"{repo} is served there; Control-C ends it.")
