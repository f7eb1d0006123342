"""Reads what teams that build inference engines leave behind, and says what it means.

``open_run(path)`` reads the logs of a benchmark job; its frames feed the pure functions of ``trackside.bench``.
``open_store(location)`` opens the store of GitHub data; its tables are Polars frames.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from trackside.engine.run import Run, open_run
    from trackside.store.store import Store, open_store

__version__ = "0.1.0"
__all__ = ["Run", "Store", "__version__", "open_run", "open_store"]

_HOMES: Final = {
    "Run": "trackside.engine.run",
    "Store": "trackside.store.store",
    "open_run": "trackside.engine.run",
    "open_store": "trackside.store.store",
}


def __getattr__(name: str) -> object:
    """The public names, imported when first touched: the frame library is slow to start."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
