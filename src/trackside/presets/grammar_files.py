"""The grammars that come with the product, one TOML file each in ``presets/grammars``, named like its file."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from importlib.resources import files
from typing import Final

import msgspec

from trackside.errors import UsageError
from trackside.records.perf_grammars import Grammar
from trackside.records.perf_rules import PerfRules

_FOLDER: Final = "grammars"
_ENDING: Final = ".toml"
TESTS: Final = "python-tests"
"""The grammar that reads no numbers, only which test runs: without it numbers are not told apart by tests."""


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


def grammars_in_force(rules: PerfRules) -> tuple[Grammar, ...]:
    """The grammars that logs are read with: the repository's own, those it names, and what tells tests apart.

    Raises:
        UsageError: there is no grammar of a name.
    """
    names = (*rules.grammars, TESTS) if rules.grammars else ()
    return (*rules.grammar, *load_grammars(names))


def check_rules(rules: PerfRules) -> None:
    """Nothing, where the grammars that the settings name and bring can be used.

    Raises:
        UsageError: one of them cannot, or there is none of its name.
    """
    from trackside.perf.grammars import check_grammars

    check_grammars(rules.grammar)
    load_grammars(rules.grammars)
    own = {one.name for one in rules.grammar}
    load_grammars([one.grammar for one in rules.artifacts if one.grammar not in own])


def _load(name: str) -> Grammar:
    text = files("trackside.presets").joinpath(_FOLDER, f"{name}{_ENDING}").read_text(encoding="utf-8")
    return msgspec.convert({"name": name, **tomllib.loads(text)}, Grammar)
