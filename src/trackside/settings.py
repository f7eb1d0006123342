"""Settings of a project: a preset, then ``trackside.toml``, found upwards, then the environment, then defaults."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from trackside.errors import UsageError
from trackside.records.agent_rules import AgentRules
from trackside.records.ci_rules import CiRules
from trackside.records.perf_rules import PerfRules
from trackside.sync.request import PERF_JOBS

FILE_NAME: Final = "trackside.toml"
STORE_NAME: Final = ".trackside"
_TRUTH: Final = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
_FROM_ENVIRONMENT: Final = {
    "TRACKSIDE_TZ": ("bench", "tz"),
    "TRACKSIDE_CACHE": ("bench", "cache"),
    "TRACKSIDE_ENGINE": ("bench", "engine"),
    "TRACKSIDE_SCHEDULER": ("bench", "scheduler"),
    "TRACKSIDE_STORE": ("store", "location"),
    "GITHUB_REPOSITORY": ("github", "repository"),
}
Count = Annotated[int, msgspec.Meta(ge=0)]


class BenchSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How engine logs are read where the command line does not say.

    ``tz`` is the zone of stamps that carry none; ``scheduler`` is the address of a Dask scheduler.
    """

    tz: str | None = None
    cache: bool = True
    engine: Literal["local", "dask"] = "local"
    scheduler: str | None = None


class GitHubSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which repository, and what its API may be asked.

    ``max_wait_s`` bounds all waiting for limits together, ``max_calls`` the calls of one command. Calls pause where
    fewer than ``pause_below`` are left, and end below ``stop_below``; without a value it is a share of the limit.
    """

    repository: str | None = None
    workers: Annotated[int, msgspec.Meta(ge=1, le=10)] = 5
    max_wait_s: Annotated[float, msgspec.Meta(ge=0)] = 60.0
    max_calls: Count | None = None
    pause_below: Count | None = None
    stop_below: Count | None = None


class SyncSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a sync brings. ``workflows`` none means all; ``perf_jobs`` are globs of jobs that print performance."""

    since: str = "7d"
    workflows: tuple[str, ...] = ()
    max_runs_per_workflow: Annotated[int, msgspec.Meta(ge=1)] | None = None
    jobs: bool = True
    pulls: Literal["all", "list", "none"] = "all"
    api: Literal["auto", "rest", "graphql"] = "auto"
    logs: Literal["none", "new", "failed", "perf", "all"] = "none"
    perf_jobs: tuple[str, ...] = PERF_JOBS
    log_cap_mib: Annotated[int, msgspec.Meta(ge=1)] = 64


class StoreSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the store is: a directory, or the URL of an object store. A path in a file is relative to the file."""

    location: str | None = None


class SiteSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the site shows. ``benchmarks`` are folders whose runs are on it; a path in a file is relative to the file.

    ``analyzer`` is the workflow that analyses a run on demand.
    """

    since: str = "30d"
    benchmarks: tuple[str, ...] = ()
    analyzer: str = "agentops-log-analyzer.yml"


class ServerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the site is served. ``sync_every`` is such as 15m; without it nothing is synced.

    ``hosts`` are names under which the server may be asked, beside its own address; a port may be named too.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8321
    hosts: tuple[str, ...] = ()
    sync_every: str | None = None


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that ``trackside.toml`` may say."""

    bench: BenchSettings = BenchSettings()
    github: GitHubSettings = GitHubSettings()
    sync: SyncSettings = SyncSettings()
    ci: CiRules = CiRules()
    perf: PerfRules = PerfRules()
    agents: AgentRules = AgentRules()
    site: SiteSettings = SiteSettings()
    server: ServerSettings = ServerSettings()
    store: StoreSettings = StoreSettings()


def load_settings(directory: Path, environ: Mapping[str, str] | None = None, preset: str | None = None) -> Settings:
    """The settings in force in ``directory``: the preset's, the nearest file's, the environment's, the defaults.

    Raises UsageError, naming the key and the file or variable, for an unknown key, preset or a wrong type.
    """
    layers = [_read_environment(os.environ if environ is None else environ)]
    file = find_settings_file(directory)
    if file is not None:
        layers.append(_beside(_read_file(file), file.parent))
    if preset is not None:
        layers.append(_read_preset(preset))
    merged: dict[str, dict[str, Any]] = {}
    for layer in layers:
        for section, values in layer.items():
            merged[section] = {**merged.get(section, {}), **values}
    return msgspec.convert(merged, Settings)


def store_location(option: str | None, directory: Path, environ: Mapping[str, str] | None = None) -> str:
    """Where the store is: as asked for, as set, else ``.trackside`` beside the settings file or in ``directory``."""
    environ = os.environ if environ is None else environ
    if said := option or load_settings(directory, environ).store.location:
        return said
    file = find_settings_file(directory)
    return str((directory.absolute() if file is None else file.parent) / STORE_NAME)


def preset_names() -> list[str]:
    """The presets that come with the product."""
    return sorted(
        item.name.removesuffix(".toml") for item in files("trackside.presets").iterdir() if item.name.endswith(".toml")
    )


def find_settings_file(directory: Path) -> Path | None:
    """The nearest ``trackside.toml`` in ``directory`` or above it, None where there is none."""
    here = directory.absolute()
    return next((file for folder in (here, *here.parents) if (file := folder / FILE_NAME).is_file()), None)


def _read_file(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        msg = f"{file} is not valid TOML: {error}"
        raise UsageError(msg) from error
    except OSError as error:
        msg = f"{file} cannot be read: {error.strerror}"
        raise UsageError(msg) from error
    return _parse(text, str(file))


def _read_preset(name: str) -> dict[str, Any]:
    if name not in preset_names():
        msg = f"There is no preset {name!r}; there are {', '.join(preset_names())}."
        raise UsageError(msg)
    text = files("trackside.presets").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return _parse(text, f"preset {name}")


def _parse(text: str, source: str) -> dict[str, Any]:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"{source} is not valid TOML: {error}"
        raise UsageError(msg) from error
    _check(content, source)
    return content


def _beside(content: dict[str, Any], folder: Path) -> dict[str, Any]:
    """``content`` with the paths of the store and of benchmark runs taken from where the file is."""
    location = content.get("store", {}).get("location")
    if location is not None and "://" not in location:
        content["store"] = {**content["store"], "location": str(folder / location)}
    if benchmarks := content.get("site", {}).get("benchmarks"):
        content["site"] = {**content["site"], "benchmarks": [str(folder / path) for path in benchmarks]}
    return content


def _check(content: dict[str, Any], source: str) -> None:
    try:
        settings = msgspec.convert(content, Settings)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at ")
        key = where.strip("`").removeprefix("$").lstrip(".")
        what = what.replace("Object contains unknown field", "unknown key")
        msg = f"{source}: {key}: {what}" if key else f"{source}: {what}"
        raise UsageError(msg) from error
    try:
        _check_rules(settings)
    except UsageError as error:
        msg = f"{source}: {error}"
        raise UsageError(msg) from error


def _check_rules(settings: Settings) -> None:
    """Raises UsageError for a pattern, grammar or agent that cannot be used; without any nothing is loaded for it."""
    perf = settings.perf
    if settings.ci.patterns:
        from trackside.joblogs.rules import compile_rules

        compile_rules(settings.ci.patterns)
    if perf.grammar or perf.grammars or perf.artifacts:
        from trackside.presets.grammar_files import check_rules

        check_rules(perf)
    if settings.agents.agent:
        from trackside.agents.identities import check_own_agents

        check_own_agents(settings.agents.agent)


def _read_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for variable, (section, key) in _FROM_ENVIRONMENT.items():
        if value := environ.get(variable):
            read = _TRUTH.get(value.lower(), value) if key == "cache" else value
            _check({section: {key: read}}, f"environment variable {variable}")
            found.setdefault(section, {})[key] = read
    return found
