"""The grammars that come with the product, one TOML file each in ``presets/grammars``, named like its file."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from importlib.resources import files
from typing import Final

import msgspec

from trackside.errors import UsageError
from trackside.records.perf_grammars import Grammar

_FOLDER: Final = "grammars"
_ENDING: Final = ".toml"


def grammar_names() -> list[str]:
    """The grammars that come with the product."""
    folder = files("trackside.presets").joinpath(_FOLDER)
    return sorted(item.name.removesuffix(_ENDING) for item in folder.iterdir() if item.name.endswith(_ENDING))


def load_grammars(names: Sequence[str] = ()) -> tuple[Grammar, ...]:
    """The grammars of these names in their order; all of them where none is named.

    Raises:
        UsageError: there is no grammar of a name; the message names those that there are.
    """
    known = grammar_names()
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"There is no grammar {unknown[0]!r}; there are {', '.join(known)}.")
    return tuple(_load(name) for name in dict.fromkeys(names or known))


def _load(name: str) -> Grammar:
    text = files("trackside.presets").joinpath(_FOLDER, f"{name}{_ENDING}").read_text(encoding="utf-8")
    return msgspec.convert({"name": name, **tomllib.loads(text)}, Grammar)
