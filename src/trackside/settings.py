"""Settings of a project: ``trackside.toml``, found upwards from where one works, then the environment."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from trackside.errors import UsageError

FILE_NAME: Final = "trackside.toml"
_TRUTH: Final = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class BenchSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How engine logs are read where the command line does not say.

    ``tz`` is the zone of stamps that carry none; ``scheduler`` is the address of a Dask scheduler.
    """

    tz: str | None = None
    cache: bool = True
    engine: Literal["local", "dask"] = "local"
    scheduler: str | None = None


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that ``trackside.toml`` may say."""

    bench: BenchSettings = BenchSettings()


def load_settings(directory: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in force in ``directory``: the nearest file's, then the environment's, then the defaults.

    Raises UsageError, naming the key and the file or variable, for an unknown key or a wrong type.
    """
    from_environment = _read_environment(os.environ if environ is None else environ)
    file = find_settings_file(directory)
    from_file = {} if file is None else _read_file(file)
    return Settings(bench=_merge_bench(from_environment, from_file.get("bench", {})))


def find_settings_file(directory: Path) -> Path | None:
    """The nearest ``trackside.toml`` in ``directory`` or above it, None where there is none."""
    here = directory.absolute()
    return next((file for folder in (here, *here.parents) if (file := folder / FILE_NAME).is_file()), None)


def _read_file(file: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{file} is not valid TOML: {error}"
        raise UsageError(msg) from error
    except OSError as error:
        msg = f"{file} cannot be read: {error.strerror}"
        raise UsageError(msg) from error
    _check(content, str(file))
    return content


def _check(content: dict[str, Any], source: str) -> None:
    try:
        msgspec.convert(content, Settings)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at ")
        key = where.strip("`").removeprefix("$").lstrip(".")
        what = what.replace("Object contains unknown field", "unknown key")
        msg = f"{source}: {key}: {what}" if key else f"{source}: {what}"
        raise UsageError(msg) from error


def _read_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in BenchSettings.__struct_fields__:
        variable = f"TRACKSIDE_{key.upper()}"
        if value := environ.get(variable):
            found[key] = _TRUTH.get(value.lower(), value) if key == "cache" else value
            _check({"bench": {key: found[key]}}, f"environment variable {variable}")
    return found


def _merge_bench(below: dict[str, Any], above: dict[str, Any]) -> BenchSettings:
    return msgspec.convert({**below, **above}, BenchSettings)
