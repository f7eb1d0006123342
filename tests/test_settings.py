"""Settings: where they are found, what goes before what, and how a wrong one is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from trackside.errors import UsageError
from trackside.settings import BenchSettings, find_settings_file, load_settings


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
