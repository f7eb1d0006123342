"""Facts about the house: what starts fast, what may import what, what is never in a tracked file."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import trackside

ROOT = Path(__file__).parent.parent
BINARIES = Path(sys.executable).parent
HEAVY = {
    "apprise",
    "bokeh",
    "cryptography",
    "dask",
    "deltalake",
    "distributed",
    "httpx2",
    "jinja2",
    "jwt",
    "matplotlib",
    "numpy",
    "pandas",
    "polars",
    "pyarrow",
    "scipy",
    "zstandard",
}
START = """
import sys
from trackside.cli import app
sys.argv = {argv!r}
try:
    app.{entry}()
except SystemExit:
    print(sorted(sys.modules), file=sys.stderr)
"""
# Written in parts, so that this file does not match itself.
REGISTRY = re.compile("|".join(["pypi" + r"\.org", "python" + "hosted", "npmjs" + r"\.", "--(extra-)?index-" + "url"]))
HOME = re.compile(r"(?<![\w.])/(home|Users|root|work)" + r"/\w")


def tracked_files() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.mark.parametrize(
    ("entry", "arguments"),
    [
        ("main", ["trackside", "--help"]),
        ("main", ["trackside", "bench", "--help"]),
        ("main", ["trackside", "sync", "--help"]),
        ("srtlog_main", ["srtlog", "--help"]),
        ("srtlog_main", ["srtlog", "--version"]),
        ("srtlog_main", ["srtlog", "parse", "--help"]),
    ],
)
def test_help_imports_no_heavy_library(entry: str, arguments: list[str]) -> None:
    code = START.format(argv=arguments, entry=entry)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = {name.split(".")[0] for name in re.findall(r"'([\w.]+)'", done.stderr)}
    assert "cyclopts" in imported
    assert imported & HEAVY == set()


def test_importing_the_package_imports_no_heavy_library() -> None:
    code = "import sys, trackside; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {name.split(".")[0] for name in done.stdout.split()} & (HEAVY | {"cyclopts", "rich"}) == set()


def test_the_versions_agree() -> None:
    assert version("trackside") == trackside.__version__
    for command in ("srtlog", "trackside"):
        done = subprocess.run([BINARIES / command, "--version"], capture_output=True, text=True, check=True)
        assert done.stdout == f"{command} {trackside.__version__}\n"


def test_the_changelog_knows_the_version_or_what_is_to_come() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in text or f"## [{trackside.__version__}]" in text


def test_imports_go_one_way() -> None:
    done = subprocess.run([BINARIES / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_no_tracked_file_names_a_registry_or_a_path_of_one_machine() -> None:
    found = []
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {hit[0]}" for rule in (REGISTRY, HOME) for hit in rule.finditer(text)]
    assert found == []


def test_every_pin_has_a_hash_and_every_dependency_a_pin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.split(r"[<>=\[]", line)[0] for line in project["dependencies"]}
    for name in ("runtime.txt", "dev.txt"):
        text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
        pins = re.findall(r"^([\w.-]+)==(?:.*\\\n)((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.MULTILINE)
        assert len(pins) == len(re.findall(r"^[\w.-]+==", text, re.MULTILINE))
        assert wanted <= {pin for pin, _ in pins}


def test_every_dependency_has_an_upper_bound() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] + [line for extra in project["optional-dependencies"].values() for line in extra]
    assert [line for line in lines if not re.search(r">=[\d.]+,<\d+", line) and not line.startswith("trackside[")] == []


def test_no_room_is_too_long_to_read() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for folder in ("src", "tests", "benchmarks", "scripts")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".js", ".css"} and (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}


def test_no_room_is_named_for_nothing() -> None:
    names = {path.stem for path in (ROOT / "src").rglob("*.py")}
    assert names & {"utils", "helpers", "common", "misc", "manager"} == set()
