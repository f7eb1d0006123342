"""Reads the logs of inference-engine benchmark jobs and says how they really behaved.

``open_run(path)`` reads a run directory; its frames feed the pure functions of ``trackside.bench``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trackside.engine.run import Run, open_run

__version__ = "0.1.0"
__all__ = ["Run", "__version__", "open_run"]

_FROM_ENGINE = ("open_run", "Run")


def __getattr__(name: str) -> object:
    """``open_run`` and ``Run``, imported when first touched: the frame library is slow to start."""
    if name in _FROM_ENGINE:
        from trackside.engine import run

        return getattr(run, name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
