"""What runs in a child of ``trackside serve``: a command, for as long as the server is there."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import Final

_STDIN: Final = 0


def main() -> None:
    """Runs the command in the arguments of the process, and ends it at once where its stdin ends.

    The server holds the other end and writes nothing: however it ends, its children do.
    """
    from trackside.cli.app import main as run_command

    threading.Thread(target=_end_with_server, daemon=True).start()
    run_command()


def _end_with_server() -> None:
    with contextlib.suppress(OSError):
        while os.read(_STDIN, 1):
            pass
    if not sys.is_finalizing():
        os._exit(1)
