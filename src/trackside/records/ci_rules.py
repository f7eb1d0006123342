"""What a repository's settings say of its CI: names of jobs, categories, own patterns of failures."""

from __future__ import annotations

import msgspec

from trackside.records.failures import Cause


class PatternRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of log line that a repository knows: a regular expression that is searched in cleaned lines.

    It goes before the rules that come with the product. ``name`` is shown with the failure.
    """

    name: str
    match: str
    cause: Cause = Cause.OTHER


class CategoryRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Jobs of one category: globs of job names, any case. The first category that matches a name is the job's."""

    name: str
    jobs: tuple[str, ...]


class Alias(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A renamed job: ``old`` at the beginning of a name, up to a space or its end, is read as ``new``."""

    old: str
    new: str


class CiRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section ``[ci]`` of the settings.

    ``name`` is what reports call the repository, its full name where it is not set. ``ignored_jobs`` are globs of
    jobs that tell nothing (gates, summaries). ``default_branch`` is what GitHub told where it is not set.
    """

    name: str | None = None
    default_branch: str | None = None
    ignored_jobs: tuple[str, ...] = ()
    categories: tuple[CategoryRule, ...] = ()
    aliases: tuple[Alias, ...] = ()
    patterns: tuple[PatternRule, ...] = ()
