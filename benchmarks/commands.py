"""How the project's commands are started: the installed scripts, or this interpreter where there are none."""

from __future__ import annotations

import sys
from pathlib import Path


def srtlog_command() -> list[str]:
    """Arguments that start ``srtlog``."""
    return _command("srtlog", "srtlog_main")


def trackside_command() -> list[str]:
    """Arguments that start ``trackside``."""
    return _command("trackside", "main")


def _command(name: str, function: str) -> list[str]:
    script = Path(sys.executable).with_name(name)
    if script.exists():
        return [str(script)]
    return [sys.executable, "-c", f"from trackside.cli.app import {function}; {function}()"]
