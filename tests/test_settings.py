"""Settings: where they are found, what goes before what, and how a wrong one is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from trackside.errors import UsageError
from trackside.records.failures import Cause
from trackside.settings import BenchSettings, find_settings_file, load_settings, preset_names, store_location


def write(directory: Path, text: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "trackside.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_without_a_file_the_defaults_are_in_force(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {}).bench == BenchSettings(tz=None, cache=True, engine="local", scheduler=None)


def test_the_nearest_file_upwards_is_read(tmp_path: Path) -> None:
    write(tmp_path, '[bench]\ntz = "Asia/Tokyo"\n')
    near = write(tmp_path / "a", "[bench]\ncache = false\n")
    below = tmp_path / "a" / "b"
    below.mkdir()
    assert find_settings_file(below) == near
    assert load_settings(below, {}).bench == BenchSettings(cache=False)


def test_the_file_goes_before_the_environment_and_that_before_the_default(tmp_path: Path) -> None:
    write(tmp_path, '[bench]\ntz = "Asia/Tokyo"\n')
    environment = {"TRACKSIDE_TZ": "Europe/Berlin", "TRACKSIDE_SCHEDULER": "tcp://127.0.0.1:8786"}
    found = load_settings(tmp_path, environment).bench
    assert found == BenchSettings(tz="Asia/Tokyo", scheduler="tcp://127.0.0.1:8786")


@pytest.mark.parametrize(("value", "cache"), [("0", False), ("no", False), ("true", True), ("1", True)])
def test_the_environment_switches_the_cache(tmp_path: Path, value: str, cache: bool) -> None:
    assert load_settings(tmp_path, {"TRACKSIDE_CACHE": value}).bench.cache is cache


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[bench]\ntzz = 1\n", "bench: unknown key `tzz`"),
        ("[bencch]\n", "unknown key `bencch`"),
        ('[bench]\ncache = "yes"\n', "bench.cache: Expected `bool`, got `str`"),
        ('[bench]\nengine = "spark"\n', "bench.engine: Invalid enum value 'spark'"),
        ("bench = 3\n", "bench: Expected `object`, got `int`"),
        ("[bench\n", "is not valid TOML"),
    ],
)
def test_a_wrong_file_is_a_wrong_usage_that_names_key_and_file(tmp_path: Path, text: str, said: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        load_settings(tmp_path, {})
    assert said in str(caught.value)
    assert str(file) in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"TRACKSIDE_CACHE: bench\.cache: Expected `bool`, got `str`"):
        load_settings(tmp_path, {"TRACKSIDE_CACHE": "perhaps"})


def test_a_file_that_is_not_utf8_is_a_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "trackside.toml").write_bytes(b'tz = "\xff"\n')
    with pytest.raises(UsageError, match="is not valid TOML"):
        load_settings(tmp_path, {})


def test_a_preset_goes_before_the_file_and_the_file_before_the_environment(tmp_path: Path) -> None:
    write(tmp_path, '[github]\nrepository = "mine/own"\nworkers = 3\n')
    environment = {"GITHUB_REPOSITORY": "actions/run"}
    assert load_settings(tmp_path, environment).github.repository == "mine/own"
    preset = load_settings(tmp_path, environment, "chained")
    assert (preset.github.repository, preset.github.workers) == ("enufacas/Chained", 3)
    assert (len(preset.sync.workflows), preset.sync.max_runs_per_workflow) == (6, 50)
    assert load_settings(tmp_path.parent, environment).github.repository == "actions/run"


def test_every_preset_can_be_read(tmp_path: Path) -> None:
    assert preset_names() == ["chained", "sglang"]
    for name in preset_names():
        assert load_settings(tmp_path, {}, name).github.repository


def test_a_preset_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no preset 'vllm'; there are chained, sglang"):
        load_settings(tmp_path, {}, "vllm")


def test_the_store_is_as_asked_as_set_beside_the_file_or_here(tmp_path: Path) -> None:
    here = tmp_path / "a"
    here.mkdir()
    assert store_location(None, here, {}) == str(here / ".trackside")
    assert store_location(None, here, {"TRACKSIDE_STORE": "s3://bucket/ci"}) == "s3://bucket/ci"
    write(tmp_path, "[bench]\n")
    assert store_location(None, here, {}) == str(tmp_path / ".trackside")
    write(tmp_path, '[store]\nlocation = "data"\n')
    assert store_location(None, here, {"TRACKSIDE_STORE": "elsewhere"}) == str(tmp_path / "data")
    assert store_location("other", here, {}) == "other"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[github]\nworkers = 50\n", "github.workers: Expected `int` <= 10"),
        ("[github]\nmax_calls = -1\n", "github.max_calls: Expected `int` >= 0"),
        ('[sync]\nlogs = "some"\n', "sync.logs: Invalid enum value 'some'"),
        ("[sync]\nmax_runs_per_workflow = 0\n", "sync.max_runs_per_workflow: Expected `int` >= 1"),
    ],
)
def test_a_value_out_of_its_range_is_told(tmp_path: Path, text: str, said: str) -> None:
    write(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        load_settings(tmp_path, {})
    assert said in str(caught.value)


def test_the_rules_of_ci_are_read(tmp_path: Path) -> None:
    (tmp_path / "trackside.toml").write_text(
        """
[ci]
ignored_jobs = ["*-finish"]
categories = [{ name = "unit", jobs = ["unit*"] }]
aliases = [{ old = "unit-test", new = "unit" }]
[[ci.patterns]]
name = "flaky mirror"
match = 'mirror \\d+ is gone'
cause = "network"
""",
        encoding="utf-8",
    )
    rules = load_settings(tmp_path, {}).ci
    assert (rules.ignored_jobs, rules.categories[0].jobs) == (("*-finish",), ("unit*",))
    assert (rules.aliases[0].new, rules.patterns[0].cause) == ("unit", Cause.NETWORK)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{ name = 'mine', match = '(' }", "'mine' of [ci] is no regular expression"),
        ("{ name = 'mine', match = 'a*' }", "'mine' of [ci] matches an empty line"),
        ("{ name = 'mine', match = 'a', cause = 'bad luck' }", "ci.patterns[0].cause"),
        ("{ name = 'mine', match = 'a', extra = 1 }", "unknown key"),
        ("{ name = 'mine' }", "ci.patterns[0]"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused_with_its_name_and_file(tmp_path: Path, rule: str, said: str) -> None:
    file = tmp_path / "trackside.toml"
    file.write_text(f"[ci]\npatterns = [{rule}]\n", encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        load_settings(tmp_path, {})
    assert str(file) in str(refused.value)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[perf]\ngrammars = ["servings"]\n', "There is no grammar 'servings'; there are accuracy"),
        ('[perf]\nartifacts = [{artifact = "a", grammar = "b"}]\n', "There is no grammar 'b'"),
        ('[[perf.grammar]]\nname = "own"\n[[perf.grammar.metrics]]\nname = "x"\nmatch = "("\n', "own"),
    ],
)
def test_a_grammar_that_cannot_be_used_is_told_before_anything_is_read(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "trackside.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=re.escape(told)) as error:
        load_settings(tmp_path, {})
    assert str(error.value).startswith(f"{tmp_path / 'trackside.toml'}: ")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('state = "new"\nreason = "x"', "state is acknowledged or intended"),
        ('state = "intended"\nreason = " "', "a decision needs a reason"),
        ('state = "intended"', "reason"),
    ],
)
def test_a_decision_on_a_change_that_is_none_is_refused(tmp_path: Path, line: str, told: str) -> None:
    (tmp_path / "trackside.toml").write_text(f'[[perf.changes]]\nid = "4f2a91c0"\n{line}\n', encoding="utf-8")
    with pytest.raises(UsageError, match=told) as error:
        load_settings(tmp_path, {})
    assert str(error.value).startswith(f"{tmp_path / 'trackside.toml'}: perf.changes")


def test_an_artifact_may_be_read_by_a_grammar_of_ones_own(tmp_path: Path) -> None:
    text = (
        '[perf]\nartifacts = [{artifact = "a", grammar = "own"}]\n'
        '[[perf.grammar]]\nname = "own"\n[[perf.grammar.metrics]]\nname = "x"\nmatch = "speed: {number}"\n'
    )
    (tmp_path / "trackside.toml").write_text(text, encoding="utf-8")
    assert load_settings(tmp_path, {}).perf.artifacts[0].grammar == "own"


AGENT = "[[agents.agent]]\nname = 'docs-bot'\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[agents.logs]\nrecheck_days = 999999999999\n", "agents.logs.recheck_days: Expected `int` <= 3650"),
        ("[agents.logs]\nper_day = 99999999999999999999\n", "agents.logs.per_day: "),
        ("[agents.logs]\nconclusions = []\n", "agents.logs.conclusions: Expected `array` of length >= 1"),
        ("[[agents.rates]]\nper_minute = inf\n", "agents.rates[0].per_minute: Expected `float` <= 1000000.0"),
        ("[[agents.rates]]\nper_minute = nan\n", "agents.rates[0].per_minute: Expected `float` >= 0.0"),
        ("[[agents.rates]]\nper_minute = 1e300\n", "agents.rates[0].per_minute: Expected `float` <= 1000000.0"),
        ("[agents.alerts]\ninterval_hours = inf\n", "agents.alerts.interval_hours: Expected `float` <= 8760.0"),
        ("[agents.alerts]\ninterval_hours = nan\n", "agents.alerts.interval_hours: Expected `float` > 0.0"),
        ("[agents.alerts]\nsync_longer_than_s = 1e300\n", "agents.alerts.sync_longer_than_s: Expected `float` <= "),
        ("[agents.alerts]\nfile_warning_share = nan\n", "agents.alerts.file_warning_share: Expected `float` >= 0.0"),
        ("[agents.alerts]\nfile_larger_than_bytes = 2000000000000\n", "agents.alerts.file_larger_than_bytes: "),
        (f"{AGENT}[[agents.agent]]\nname = ' DOCS-bot'\n", "agents.agent[1].name: ' DOCS-bot' is the name of "),
        (f"{AGENT}ids = [7, 0]\n", "agents.agent[0].ids[1]: Expected `int` >= 1"),
        (f"{AGENT}ids = [41898282]\n", "agents.agent[0].ids: 41898282 is the account that every workflow acts as"),
        (f"{AGENT}logins = ['GitHub-Actions[bot]']\n", "agents.agent[0].logins: 'GitHub-Actions[bot]' is the account"),
        ("[[agents.agent]]\nname = 'github-actions[bot]'\n", "agents.agent[0].name: 'github-actions[bot]' is the"),
        (
            f"{AGENT}emails = ['41898282+github-actions[bot]@users.noreply.github.com']\n",
            "agents.agent[0].emails: '41898282+github-actions[bot]@users.noreply.github.com' is the account",
        ),
        (f"{AGENT}logins = ['docs', '']\n", "agents.agent[0].logins: an empty text tells no agent"),
        (f"{AGENT}branch_prefixes = [' ']\n", "agents.agent[0].branch_prefixes: an empty text tells no agent"),
    ],
)
def test_a_senseless_setting_of_agents_is_refused_with_its_key_and_file(tmp_path: Path, text: str, said: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        load_settings(tmp_path, {})
    assert str(caught.value).startswith(f"{file}: {said}")


def test_bounds_of_settings_of_agents_are_allowed_themselves(tmp_path: Path) -> None:
    write(tmp_path, "[agents.logs]\nrecheck_days = 3650\nper_sync = 0\n[agents.alerts]\ninterval_hours = 8760\n")
    found = load_settings(tmp_path, {}).agents
    assert (found.logs.recheck_days, found.logs.per_sync, found.alerts.interval_hours) == (3650, 0, 8760.0)
