"""The site as files: only what changed is written, nothing of others is touched, what cannot be is one sentence."""

from __future__ import annotations

import datetime as dt
import errno
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from trackside.errors import OutputError
from trackside.site.build import SiteFile
from trackside.site.facts import SiteFacts
from trackside.site.files import LIST, Written, write_site

UNTIL = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 11, 23, 6, 30, 0, 123456, tzinfo=dt.UTC)
FACTS = SiteFacts(
    repo="octo/engine", home="https://github.com/octo/engine", since=UNTIL - dt.timedelta(days=30), until=UNTIL
)
PAGES = {"index.html": "home", "ci.html": "ci", "ci/jobs/lint-1.html": "lint", "data/ci.json": "{}", "assets/a.css": ""}


def files(told: dict[str, str]) -> Iterator[SiteFile]:
    for path, text in told.items():
        yield SiteFile(path=path, content=text.encode())


def write(folder: Path, told: dict[str, str] | None = None, *, facts: SiteFacts = FACTS, hours: int = 0) -> Written:
    return write_site(folder, files(PAGES if told is None else told), facts, NOW + dt.timedelta(hours=hours))


def contents(folder: Path) -> dict[str, str]:
    every = (one for one in folder.rglob("*") if one.is_file())
    return {one.relative_to(folder).as_posix(): one.read_text() for one in every}


def places(folder: Path) -> dict[str, tuple[int, int]]:
    """Which file each is and when it was written."""
    return {name: ((one := (folder / name).stat()).st_ino, one.st_mtime_ns) for name in contents(folder)}


def listed(folder: Path) -> dict[str, object]:
    told: dict[str, object] = json.loads((folder / LIST).read_bytes())
    return told


def test_a_new_folder_gets_every_file_and_a_list_of_them(tmp_path: Path) -> None:
    written = write(tmp_path / "public" / "site")

    assert written.changed == tuple(PAGES)
    assert (written.files, written.removed) == (5, ())
    found = contents(tmp_path / "public" / "site")
    assert {name: text for name, text in found.items() if name != LIST} == PAGES
    assert listed(tmp_path / "public" / "site") == {
        "schema_version": 1,
        "generated_at": "2026-11-23T06:30:00Z",
        "live": False,
        "repository": "octo/engine",
        "version": "",
        "since": "2026-10-21T00:00:00Z",
        "until": "2026-11-20T00:00:00Z",
        "synced_at": None,
        "pages": {
            "ci.html": {"bytes": 2, "sha8": "1b158839"},
            "ci/jobs/lint-1.html": {"bytes": 4, "sha8": "da966368"},
            "index.html": {"bytes": 4, "sha8": "4ea14058"},
        },
        "files": {"assets/a.css": {"bytes": 0, "sha8": "e3b0c442"}, "data/ci.json": {"bytes": 2, "sha8": "44136fa3"}},
    }


def test_the_same_site_again_writes_nothing_at_all(tmp_path: Path) -> None:
    write(tmp_path)
    before = places(tmp_path)

    written = write(tmp_path, hours=5)

    assert (written.changed, written.removed) == ((), ())
    assert places(tmp_path) == before


def test_only_a_page_that_changed_and_the_list_are_written(tmp_path: Path) -> None:
    write(tmp_path)
    before = places(tmp_path)

    written = write(tmp_path, PAGES | {"ci.html": "broken"}, hours=5)

    after = places(tmp_path)
    assert written.changed == ("ci.html",)
    assert {name for name in after if after[name] != before[name]} == {"ci.html", LIST}
    assert listed(tmp_path)["generated_at"] == "2026-11-23T11:30:00Z"


def test_what_the_site_has_no_more_goes_with_its_folder(tmp_path: Path) -> None:
    write(tmp_path)

    written = write(tmp_path, {name: text for name, text in PAGES.items() if "lint" not in name})

    assert written.removed == ("ci/jobs/lint-1.html",)
    assert not (tmp_path / "ci").exists()


def test_files_of_others_in_the_folder_of_a_site_stay(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "robots.txt").write_text("mine")
    (tmp_path / "ci" / "jobs" / "notes.txt").write_text("mine")

    write(tmp_path, {"index.html": "home"})

    assert set(contents(tmp_path)) == {"index.html", LIST, "robots.txt", "ci/jobs/notes.txt"}


@pytest.mark.parametrize("name", [".nojekyll", "CNAME", ".git/HEAD"])
def test_what_a_host_of_pages_wants_is_tolerated_and_stays(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("theirs")
    write(tmp_path)
    assert contents(tmp_path)[name] == "theirs"


@pytest.mark.parametrize("name", ["thesis.tex", "index.html", "data/site.json", "src/main.py"])
def test_a_folder_with_files_of_others_is_refused_and_stays_as_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("{}")
    with pytest.raises(OutputError, match=r"stays as it is: no trackside site build made what is in it .* --output"):
        write(tmp_path)
    assert contents(tmp_path) == {name: "{}"}


def test_the_site_of_another_repository_is_not_replaced(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(OutputError, match=r"holds the site of octo/engine, not of octo/other"):
        write(tmp_path, facts=SiteFacts(repo="octo/other", home="", since=UNTIL, until=UNTIL))
    write(tmp_path, facts=SiteFacts(repo="Octo/Engine", home="", since=UNTIL, until=UNTIL))


def test_a_list_that_names_files_elsewhere_removes_none_of_them(tmp_path: Path) -> None:
    site, mine = tmp_path / "site", tmp_path / "mine.txt"
    mine.write_text("mine")
    write(site)
    told = listed(site)
    told["files"] = {"../mine.txt": {"bytes": 4, "sha8": "0"}, str(mine): {"bytes": 4, "sha8": "0"}}
    (site / LIST).write_text(json.dumps(told))

    write(site)

    assert mine.read_text() == "mine"


@pytest.mark.parametrize("path", ["../up.html", "/abs.html", "a b.html", "data/site.json", ".hidden", "ci//x.html", ""])
def test_a_page_of_a_name_that_is_none_of_ours_is_a_fault_of_ours(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="No file of the site is called"):
        write(tmp_path / "site", {"index.html": "home", path: "x"})
    assert not (tmp_path / "site").exists()


def test_two_pages_of_one_name_are_a_fault_of_ours(tmp_path: Path) -> None:
    twice = [SiteFile(path="ci.html", content=b"1"), SiteFile(path="ci.html", content=b"2")]
    with pytest.raises(ValueError, match=r"ci\.html, or another is"):
        write_site(tmp_path, iter(twice), FACTS, NOW)


def test_a_fault_while_pages_are_made_leaves_the_old_site(tmp_path: Path) -> None:
    write(tmp_path)
    before = places(tmp_path)

    def breaking() -> Iterator[SiteFile]:
        yield SiteFile(path="index.html", content=b"new")
        msg = "a page cannot be drawn"
        raise RuntimeError(msg)

    with pytest.raises(RuntimeError, match="cannot be drawn"):
        write_site(tmp_path, breaking(), FACTS, NOW)
    assert places(tmp_path) == before
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_a_full_disk_is_one_sentence_and_leaves_the_old_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    before, kept = places(tmp_path), Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "ci.html":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return kept(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(
        OutputError, match=r"could not be written to .*: No space left on device\. What was there stays"
    ):
        write(tmp_path, {name: f"{text}!" for name, text in PAGES.items()})
    assert places(tmp_path) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_folder_is_one_sentence(tmp_path: Path) -> None:
    write(tmp_path)
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        with pytest.raises(OutputError, match="Permission denied"):
            write(tmp_path, {"index.html": "new"})
    finally:
        tmp_path.chmod(stat.S_IRWXU)


def test_a_file_where_the_folder_should_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("a file")
    with pytest.raises(OutputError, match="a file stands where a folder is needed"):
        write(tmp_path / "site")
    with pytest.raises(OutputError, match="a file stands where a folder is needed"):
        write(tmp_path / "site" / "below")


def test_a_folder_where_a_page_should_be_is_one_sentence(tmp_path: Path) -> None:
    write(tmp_path, {"index.html": "home"})
    (tmp_path / "ci.html").mkdir()
    with pytest.raises(OutputError, match="or the other way round"):
        write(tmp_path)


def test_two_that_write_at_once_both_end_and_the_site_is_that_of_one(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.test_site_files import PAGES, write\n"
        "for turn in range(20): write(Path(sys.argv[1]), {name: f'{sys.argv[2]}{turn}' * 999 for name in PAGES})"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "site")]
    both = [subprocess.Popen([*words, name], cwd=Path(__file__).parent.parent) for name in ("one", "two")]

    assert [one.wait(timeout=60) for one in both] == [0, 0]
    found = contents(tmp_path / "site")
    assert len({text for name, text in found.items() if name != LIST}) == 1
    assert set(found) == {*PAGES, LIST}
