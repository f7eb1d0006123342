"""``trackside site build`` as it is typed: what it writes, what it says, and how it ends."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.build_logs import decode_text, write_log
from tests.command_line import Said, command_line
from tests.fake_github import Clock, FakeGitHub, Kind, job
from tests.syncing import REPO, a_week
from trackside.site.files import LIST

Typed = Callable[..., Said]
FIRST_PAGES = ("index.html", "ci.html", "performance.html", "benchmarks.html", "agentops.html", "health.html")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of twelve runs, and the site of it."""
    room = tmp_path_factory.mktemp("command")
    with pytest.MonkeyPatch.context() as patch, FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC))) as github:
        a_week(github, 12)
        typed = command_line(room, patch, Silent(), github)  # type: ignore[arg-type]
        assert typed("site", "build", "--sync", "--repo", REPO, "--store", "store", "-o", "site", "-q")[0] == 0
    return room


class Silent:
    """Says that nothing was said: a fixture of a module has no capture."""

    def readouterr(self) -> Silent:
        return self

    out = err = ""


@pytest.fixture
def typed(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Commands in a folder of their own with a copy of the store and of its site; no GitHub answers."""
    shutil.copytree(store, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    return command_line(tmp_path, monkeypatch, capsys)


def places(folder: Path) -> dict[str, tuple[int, int]]:
    every = (one for one in folder.rglob("*") if one.is_file())
    return {one.relative_to(folder).as_posix(): (one.stat().st_ino, one.stat().st_mtime_ns) for one in every}


def test_a_sync_and_a_build_make_every_page_and_the_list_of_them(store: Path) -> None:
    told = json.loads((store / "site" / LIST).read_bytes())
    found = places(store / "site")

    assert set(FIRST_PAGES) <= set(told["pages"])
    assert set(told["pages"]) | set(told["files"]) | {LIST} == set(found)
    assert {"data/ci-streaks.json", "data/agentops-runs.json"} <= set(found)
    assert (told["repository"], told["live"], told["schema_version"]) == (REPO, False, 1)


def test_a_build_of_the_same_store_asks_nobody_and_writes_nothing(typed: Typed, tmp_path: Path) -> None:
    typed("site", "build", "--repo", REPO, "--store", "store")
    before = places(tmp_path / "site")

    code, out, err = typed("site", "build", "--repo", REPO, "--store", "store")

    assert (code, out) == (0, f"{tmp_path / 'site' / 'index.html'}\n")
    assert re.match(r"0 of \d+ files were written, 0 removed; the site has \d+\.\d MB\.\n", err)
    assert places(tmp_path / "site") == before


def test_benchmark_runs_without_times_alone_make_the_same_site_again(typed: Typed, tmp_path: Path) -> None:
    _, _, untimed = decode_text(8).partition("] ")
    write_log(tmp_path / "runs" / "job_1" / "logs" / "n1_decode_w0.out", untimed)
    words = ("site", "build", "--repo", "octo/none", "--store", "store", "-o", "other")
    found = (*words, "--benchmarks", "runs")

    assert typed(*found)[0] == 0
    before = places(tmp_path / "other")
    assert (typed(*found)[0], places(tmp_path / "other")) == (0, before)
    assert "job_1" in (tmp_path / "other" / "benchmarks.html").read_text()

    typed("bench", "parse", "runs/job_1", "--register", "--store", "store")
    assert typed(*words)[0] == 0
    before = places(tmp_path / "other")
    assert (typed(*words)[0], places(tmp_path / "other")) == (0, before)


def test_equal_stores_make_equal_pages_in_another_folder(typed: Typed, tmp_path: Path) -> None:
    typed("site", "build", "--repo", REPO, "--store", "store")
    code, _, _ = typed("site", "build", "--repo", REPO, "--store", "store", "-o", "other")

    pages = [name for name in places(tmp_path / "site") if name != LIST]
    assert code == 0
    assert [
        name for name in pages if (tmp_path / "site" / name).read_bytes() != (tmp_path / "other" / name).read_bytes()
    ] == []


def test_a_folder_of_others_is_refused_before_anything_is_asked(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "main.tex").write_text("mine")
    code, out, err = typed("site", "build", "--sync", "--repo", REPO, "--store", "store", "-o", "thesis")
    assert (code, out) == (1, "")
    assert err.startswith("Error: thesis stays as it is: no trackside site build made what is in it (main.tex).")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--repo", "octo/none"), "The store holds no run of octo/none: trackside sync --repo octo/none brings them"),
        (
            ("--repo", REPO, "--since", "2020-01-01", "--until", "2020-02-01", "--workflow", "no.yml"),
            "--workflow no.yml",
        ),
        (("--repo", REPO, "--store", "nowhere"), "nowhere"),
    ],
)
def test_where_nothing_can_be_shown_it_is_said_what_to_do(
    typed: Typed, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    own = words if "--store" in words else (*words, "--store", "store")
    code, out, err = typed("site", "build", *own, "-o", "new")
    assert (code, out) == (1, "")
    assert said in err
    assert not (tmp_path / "new").exists()


def test_data_that_is_missing_ends_with_4_and_the_site_is_there_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC))) as github:
        github.world.add_run([job("lint")], workflow="PR Test")
        github.world.add_run([job("lint")], workflow="PR Test")
        github.faults.add(Kind.ERROR, endpoint="jobs", status=404, count=1)
        typed = command_line(tmp_path, monkeypatch, capsys, github)
        code, out, err = typed("site", "build", "--sync", "--repo", REPO)
    assert code == 4
    assert "attempts" in err
    assert Path(out.strip()).is_file()


def test_a_part_that_cannot_be_told_is_left_out_and_said_and_the_others_are_there(typed: Typed, tmp_path: Path) -> None:
    for log in (tmp_path / "store" / "occurrences").rglob("*.json"):
        log.write_text("broken")

    code, out, err = typed("site", "build", "--repo", REPO, "--store", "store", "-o", "new")

    assert (code, Path(out.strip()).is_file()) == (4, True)
    assert "Agents is not on the site: Table occurrences of the store" in err
    assert "Traceback" not in err
    assert "data-table" in (tmp_path / "new" / "ci.html").read_text()
