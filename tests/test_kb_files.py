"""``trackside kb`` and the file that is committed with a repository: written, read, refused."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import jsonschema
import pytest

from scripts.schemas import schema_of
from tests.build_github import REPO
from tests.build_knowledge import an_id
from tests.fake_github import Clock, FakeGitHub
from tests.fake_github.scenarios import agents
from tests.kb_store import FILE, Command, a_store, kb_in, listed
from trackside.cli.app import run, trackside_app
from trackside.evidence.knowledge import known_edits
from trackside.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return a_store(tmp_path)


@pytest.fixture
def command(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    return kb_in(tmp_path, monkeypatch, capsys)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The committed file of the working directory, which is a checkout; not there yet."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".github").mkdir()
    return tmp_path / FILE


def test_edits_in_a_checkout_reach_the_committed_file(command: Command, checkout: Path) -> None:
    _, _, err = command("mute", "aaaa")
    assert f"{FILE} is written" in err
    document = json.loads(checkout.read_text())
    jsonschema.validate(document, schema_of("knowledge-file"))
    assert [(one["entry_id"], one["state"]) for one in document["edits"]] == [(an_id("a"), "muted")]


def test_edits_that_came_with_the_file_are_taken_and_stay(command: Command, checkout: Path, store: Store) -> None:
    theirs = {"entry_id": an_id("b"), "edited_at": "2026-11-01T00:00:00Z", "note": "theirs"}
    checkout.write_text(json.dumps({"schema_version": 1, "repository": REPO.upper(), "edits": [theirs]}))
    command("mute", "aaaa")
    notes = {an_id("a"): None, an_id("b"): "theirs"}
    assert {one["entry_id"]: one.get("note") for one in json.loads(checkout.read_text())["edits"]} == notes
    assert {one.entry_id: one.note for one in known_edits(store, REPO)} == notes


def test_no_file_is_written_outside_of_a_checkout_or_where_it_is_switched_off(command: Command, tmp_path: Path) -> None:
    (tmp_path / ".github").mkdir()
    command("mute", "aaaa")
    (tmp_path / ".git").mkdir()
    command("mute", "aaaa", "--no-file")
    (tmp_path / "trackside.toml").write_text('[agents]\nknowledge_file = ""\n')
    command("mute", "aaaa")
    assert list((tmp_path / ".github").iterdir()) == []
    (tmp_path / "trackside.toml").write_text('[agents]\nknowledge_file = ".github/other.json"\n')
    command("mute", "aaaa")
    assert [one.name for one in (tmp_path / ".github").iterdir()] == ["other.json"]


def test_where_an_edit_was_not_written_is_said_with_the_reason(command: Command, tmp_path: Path) -> None:
    only = "Kept in the store only, not in a file to commit"
    _, _, err = command("mute", "aaaa")
    assert f"{only}: the working directory has neither {FILE} nor .git" in " ".join(err.split())
    (tmp_path / ".git").mkdir()
    _, _, err = command("mute", "aaaa")
    assert f"{only}: this checkout has no folder .github for {FILE}" in " ".join(err.split())
    assert not (tmp_path / ".github").exists()
    assert command("mute", "aaaa", "--no-file")[2] == ""
    (tmp_path / "trackside.toml").write_text('[agents]\nknowledge_file = ""\n')
    assert command("mute", "aaaa")[2] == ""


def test_a_link_within_the_checkout_stays_one_and_one_that_leads_out_is_refused(
    command: Command, checkout: Path, store: Store, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("home") / "precious"
    checkout.symlink_to(elsewhere)
    code, _, err = command("mute", "aaaa")
    assert (code, f"{FILE} leads out of the checkout" in " ".join(err.split())) == (2, True)
    assert (elsewhere.exists(), known_edits(store, REPO)) == (False, ())
    checkout.unlink()
    checkout.symlink_to("../knowledge.json")
    assert command("mute", "aaaa")[0] == 0
    assert (checkout.is_symlink(), an_id("a") in (checkout.parent.parent / "knowledge.json").read_text()) == (
        True,
        True,
    )


def test_what_looks_like_a_secret_is_kept_nowhere_and_that_is_said(
    command: Command, checkout: Path, store: Store
) -> None:
    secret = "ghp_" + "a1B2" * 9
    words = ("--title", f"Token {secret}", "--note", "plain", "--fix", f"export GH_TOKEN={secret}")
    code, _, err = command("note", "aaaa", *words)
    assert (code, "--title and --fix held what looks like a secret: *** is kept in its place." in err) == (0, True)
    [edit] = known_edits(store, REPO)
    assert (edit.title, edit.note, edit.fix) == ("Token ***", "plain", "export GH_TOKEN=***")
    assert secret not in checkout.read_text()


def test_a_secret_in_a_file_is_not_taken_with_it(command: Command, checkout: Path, store: Store) -> None:
    secret = "ghp_" + "a1B2" * 9
    theirs = {"entry_id": an_id("b"), "edited_at": "2026-11-01T00:00:00Z", "note": f"password={secret}"}
    checkout.write_text(json.dumps({"schema_version": 1, "repository": REPO, "edits": [theirs]}))
    code, _, err = command("import", FILE)
    said = " ".join(err.split())
    assert (code, f"{FILE}: what looks like a secret was not taken of {an_id('b')}: *** is kept" in said) == (0, True)
    command("mute", "aaaa")
    assert {one.entry_id: one.note for one in known_edits(store, REPO)}[an_id("b")] == "password=***"
    assert secret not in checkout.read_text()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is no file of known failures"),
        ('{"schema_version": 1, "repository": "octo/other"}', "is of octo/other, not of octo/engine"),
    ],
    ids=["broken", "of-another-repository"],
)
def test_a_file_that_cannot_be_used_stops_an_edit_before_anything_is_kept(
    command: Command, checkout: Path, store: Store, content: str, said: str
) -> None:
    checkout.write_text(content)
    code, _, err = command("mute", "aaaa")
    assert (code in (1, 2), said in err) == (True, True)
    assert (checkout.read_text(), known_edits(store, REPO)) == (content, ())
    assert command("mute", "aaaa", "--no-file")[0] == 0


def test_what_was_exported_is_imported_into_another_store(command: Command, tmp_path: Path) -> None:
    command("note", "aaaa", "--title", "The disk")
    command("merge", "bbbb", "--into", "aaaa")
    command("export", "-o", "kb.json")
    other = ("--store", str(tmp_path / "fresh"))
    code, out, _ = command("import", "kb.json", *other)
    assert (code, out) == (0, "kb.json: 2 edits taken, 0 known or older\n")
    assert command("import", "kb.json", *other)[1] == "kb.json: 0 edits taken, 2 known or older\n"
    [entry] = listed(command, *other).values()
    assert (entry["title"], entry["count"], entry["merged"]) == ("The disk", 0, [an_id("b")])


def test_an_export_with_everything_follows_the_schema_and_is_read_back_as_edits(command: Command) -> None:
    command("note", "aaaa", "--title", "The disk")
    text = command("export", "--all")[1]
    document = json.loads(text)
    jsonschema.validate(document, schema_of("knowledge-file"))
    assert {one["entry_id"] for one in document["entries"]} == {an_id("a"), an_id("b"), an_id("4")}
    command("export", "--all", "-o", "all.json")
    assert command("export", "--all", "-o", "all.json")[1].startswith("all.json: is so already")
    assert command("import", "all.json")[1] == "all.json: 0 edits taken, 1 known or older\n"


@pytest.mark.parametrize(
    ("name", "content", "code", "said"),
    [
        ("none.json", None, 1, "does not exist"),
        ("new.json", '{"schema_version": 9, "repository": "octo/engine"}', 1, "version 9"),
        ("other.json", '{"schema_version": 1, "repository": "a/b"}', 2, "is of a/b"),
    ],
    ids=["missing", "newer", "other"],
)
def test_what_cannot_be_imported_is_said(
    command: Command, tmp_path: Path, name: str, content: str | None, code: int, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    told, _, err = command("import", name)
    assert (told, said in err) == (code, True)


def test_an_edit_from_the_future_is_warned_of(command: Command, tmp_path: Path) -> None:
    edit = {"entry_id": an_id("a"), "edited_at": "2999-01-01T00:00:00Z", "state": "muted"}
    (tmp_path / "kb.json").write_text(json.dumps({"schema_version": 1, "repository": REPO, "edits": [edit]}))
    code, out, err = command("import", "kb.json")
    assert (code, "0 edits taken, 0 known or older" in out, "more than a day from now" in err) == (0, True, True)


def test_what_a_report_looked_into_is_known_with_its_fix_and_goes_on_over_reports(
    command: Command, checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    github = FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC), ticking=True))
    agents(github.world, name="octo/crew")
    crew = ("--repo", "octo/crew")
    report = ["agents", "report", *crew, "--logs", "new", "--quiet", "--format", "json", "-o", "runs.json"]
    with github:
        monkeypatch.setenv("GITHUB_API_URL", github.api_url)
        monkeypatch.setenv("GITHUB_TOKEN", "any")
        assert run(trackside_app(), report) == 0
        capsys.readouterr()
        first = listed(command, *crew)
        worst = next(iter(first))
        theirs = {"entry_id": worst, "edited_at": "2026-11-01T00:00:00Z", "state": "muted", "title": "Peers"}
        checkout.write_text(json.dumps({"schema_version": 1, "repository": "octo/crew", "edits": [theirs]}))
        assert run(trackside_app(), report) == 0
    capsys.readouterr()
    found = {one["suggestions"][0]["rule_id"] for one in first.values()}
    assert found == {"npm-peer-conflict", "model-rate-limit", "model-overloaded"}
    assert all(one["assumed"] == one["count"] - 1 for one in first.values())
    assert first[worst]["count"] > 10
    again = listed(command, *crew, "--state", "muted")
    assert (list(again), again[worst]["title"]) == ([worst], "Peers")
    assert again[worst]["count"] >= first[worst]["count"]
