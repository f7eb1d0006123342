"""The branch that keeps the store, and data files that are committed: nothing is lost, nothing of others is touched."""

from __future__ import annotations

import base64
import os
import threading
from pathlib import Path

import pytest

from tests.git_remote import TOKEN, Remote, write_files

KEPT = "kept_branch.sh"
PUBLISH = "publish.sh"
FILES = {"store/runs/_delta_log/0.json": "{}", "store/.hidden": "x", "data/agentops-runs.json": "[]"}
DATA = {"agentops-runs.json": '{"runs": 1}', "agentops-sync.json": '{"at": 1}', "agentops-runs-2026-10.json": "[]"}
GH = """#!/bin/sh
echo "$*" >> "$GH_SAID"
if [ "$2" = list ]; then echo "$GH_OPEN"; fi
"""


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(tmp_path / "github")


def commit_in(said: str) -> str:
    return said.strip().removeprefix("commit=")


def test_a_first_run_finds_no_branch_and_an_empty_folder(remote: Remote, tmp_path: Path) -> None:
    code, said, errors = remote.run(KEPT, "restore", "trackside-store", "state", cwd=tmp_path)
    assert (code, said, errors) == (0, "commit=\n", "")
    assert list((tmp_path / "state").iterdir()) == []


def test_what_was_saved_comes_back_and_the_branch_stays_one_commit(remote: Remote, tmp_path: Path) -> None:
    write_files(tmp_path / "state", FILES)
    code, said, errors = remote.run(KEPT, "save", "trackside-store", "state", "", cwd=tmp_path)
    assert code == 0, errors
    assert commit_in(said) == remote.head("trackside-store")
    for text in ("second", "third"):
        _, said, _ = remote.run(KEPT, "restore", "trackside-store", "again", cwd=tmp_path)
        (tmp_path / "again" / "more").write_text(text, encoding="utf-8")
        code, _, errors = remote.run(KEPT, "save", "trackside-store", "again", commit_in(said), cwd=tmp_path)
        assert code == 0, errors
    assert remote.files("trackside-store") == {**FILES, "more": "third"}
    assert remote.commits("trackside-store") == 1
    assert "github-actions[bot]" in remote.git("log", "-1", "--format=%an", "trackside-store")


def test_of_two_runs_at_once_one_keeps_its_store_and_the_other_says_so(remote: Remote, tmp_path: Path) -> None:
    found: dict[str, tuple[int, str, str]] = {}

    def save(name: str) -> None:
        found[name] = remote.run(KEPT, "save", "trackside-store", name, "", cwd=tmp_path)

    for name in ("one", "two"):
        write_files(tmp_path / name, {"store": name})
    threads = [threading.Thread(target=save, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [(winner, _)] = [(name, one) for name, one in found.items() if one[0] == 0]
    [(_, lost)] = [(name, one) for name, one in found.items() if one[0] == 1]
    assert remote.files("trackside-store") == {"store": winner}
    assert "::error title=Another run kept its own::trackside-store moved" in lost[2]


def test_a_store_that_moved_since_it_was_read_is_not_overwritten(remote: Remote, tmp_path: Path) -> None:
    write_files(tmp_path / "state", {"store": "first"})
    _, said, _ = remote.run(KEPT, "save", "kept", "state", "", cwd=tmp_path)
    write_files(tmp_path / "state", {"store": "second"})
    remote.run(KEPT, "save", "kept", "state", commit_in(said), cwd=tmp_path)
    write_files(tmp_path / "state", {"store": "late"})
    for seen in (commit_in(said), ""):
        code, _, errors = remote.run(KEPT, "save", "kept", "state", seen, cwd=tmp_path)
        assert (code, "Another run kept its own" in errors) == (1, True)
    assert remote.files("kept") == {"store": "second"}


def test_an_empty_folder_never_replaces_what_was_kept(remote: Remote, tmp_path: Path) -> None:
    write_files(tmp_path / "state", {"store": "good"})
    _, said, _ = remote.run(KEPT, "save", "kept", "state", "", cwd=tmp_path)
    (tmp_path / "empty" / "store").mkdir(parents=True)
    for words in (
        ("save", "kept", "empty", commit_in(said)),
        ("replace", "kept", "empty"),
        ("replace", "kept", "none"),
    ):
        assert remote.run(KEPT, *words, cwd=tmp_path)[0] == 1
    assert remote.files("kept") == {"store": "good"}


def test_a_branch_of_somebody_else_is_neither_read_nor_replaced(remote: Remote, tmp_path: Path) -> None:
    write_files(tmp_path / "state", {"store": "x"})
    before = remote.head("main")
    for words in (("restore", "main", "other"), ("replace", "main", "state"), ("save", "main", "state", "")):
        code, said, errors = remote.run(KEPT, *words, cwd=tmp_path)
        assert (code, said) == (1, ""), words
        assert "::error title=" in errors
    assert remote.head("main") == before
    assert list((tmp_path / "other").iterdir()) == []


@pytest.mark.parametrize("branch", ["a*", "a b", "..", "--all", "x;id", "$(id)", ""], ids=str)
def test_a_name_that_is_none_ends_with_a_sentence_or_is_a_name(remote: Remote, tmp_path: Path, branch: str) -> None:
    write_files(tmp_path / "state", {"store": "x"})
    code, _, errors = remote.run(KEPT, "restore", branch, "other", cwd=tmp_path)
    allowed = branch in ("--all", "x;id", "$(id)")  # strange, but git takes them, and nothing runs them
    assert (code == 0) == allowed, errors
    assert allowed or "::error title=This is no name of a branch" in errors


def test_a_remote_that_does_not_answer_is_no_empty_store(remote: Remote, tmp_path: Path) -> None:
    code, said, errors = remote.run(KEPT, "restore", "kept", "state", cwd=tmp_path, GITHUB_REPOSITORY="octo/none")
    assert (code, said) == (1, "")
    assert "::error title=The branch cannot be read::" in errors


def test_a_link_in_the_branch_leads_nowhere(remote: Remote, tmp_path: Path) -> None:
    state = write_files(tmp_path / "state", {"store": "x"})
    (state / "out").symlink_to("/etc")
    assert remote.run(KEPT, "save", "kept", "state", "", cwd=tmp_path)[0] == 0
    assert remote.run(KEPT, "restore", "kept", "again", cwd=tmp_path)[0] == 0
    assert not (tmp_path / "again" / "out").is_symlink()
    assert (tmp_path / "again" / "out").read_text(encoding="utf-8") == "/etc"


def test_a_file_that_github_would_refuse_is_told_before(remote: Remote, tmp_path: Path) -> None:
    state = write_files(tmp_path / "state", {"store": "x"})
    with (state / "large").open("wb") as file:
        file.truncate(96 * 1024 * 1024)
    code, _, errors = remote.run(KEPT, "save", "kept", "state", "", cwd=tmp_path)
    assert (code, "object store" in errors) == (1, True)


def test_the_token_is_in_no_branch_no_file_and_no_output(remote: Remote, tmp_path: Path) -> None:
    write_files(tmp_path / "state", FILES)
    said = "".join(
        part
        for words in (("save", "kept", "state", ""), ("restore", "kept", "again"), ("restore", "main", "other"))
        for part in remote.run(KEPT, *words, cwd=tmp_path, TMPDIR=str(tmp_path))[1:]
    )
    secrets = (TOKEN, base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode())
    found = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert found
    for secret in secrets:
        assert secret not in said
        assert [path for path in found if secret.encode() in path.read_bytes()] == []
    assert [path.name for path in tmp_path.glob("tmp.*")] == []


def test_a_commit_has_the_data_on_top_of_the_branch_and_only_where_runs_changed(remote: Remote, tmp_path: Path) -> None:
    write_files(tmp_path / "data", DATA)
    code, _, errors = remote.run(PUBLISH, "commit", "main", "data", "docs/data", cwd=tmp_path)
    assert code == 0, errors
    in_place = {f"docs/data/{name}": text for name, text in DATA.items()}
    assert remote.files("main") == {"README.md": "# Engine", **in_place}
    write_files(tmp_path / "data", {"agentops-sync.json": '{"at": 2}'})
    code, said, _ = remote.run(PUBLISH, "commit", "main", "data", "docs/data/", cwd=tmp_path)
    assert (code, said, remote.commits("main")) == (0, "The data is there already.\n", 2)


def test_a_month_that_is_gone_is_gone_from_the_branch_too(remote: Remote, tmp_path: Path) -> None:
    write_files(tmp_path / "data", DATA)
    remote.run(PUBLISH, "commit", "main", "data", ".", cwd=tmp_path)
    (tmp_path / "data" / "agentops-runs-2026-10.json").unlink()
    write_files(tmp_path / "data", {"agentops-runs.json": '{"runs": 2}'})
    code, _, errors = remote.run(PUBLISH, "commit", "main", "data", ".", cwd=tmp_path)
    assert code == 0, errors
    assert set(remote.files("main")) == {"README.md", "agentops-runs.json", "agentops-sync.json"}


@pytest.mark.parametrize("directory", ["../up", "/abs", "a/../../b", "a/./b"])
def test_a_directory_outside_of_the_repository_is_refused(remote: Remote, tmp_path: Path, directory: str) -> None:
    write_files(tmp_path / "data", DATA)
    code, _, errors = remote.run(PUBLISH, "commit", "main", "data", directory, cwd=tmp_path)
    assert (code, "no directory of the repository" in errors, remote.commits("main")) == (1, True, 1)


def test_a_branch_that_takes_no_commit_is_told_with_what_to_do(remote: Remote, tmp_path: Path) -> None:
    hook = remote.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)
    write_files(tmp_path / "data", DATA)
    code, _, errors = remote.run(PUBLISH, "commit", "main", "data", "docs", cwd=tmp_path)
    assert (code, remote.commits("main")) == (1, 1)
    assert "::error title=The data was not committed::main did not take it" in errors
    code, _, errors = remote.run(KEPT, "replace", "agentops-data", "data", cwd=tmp_path)
    assert (code, "::error title=The branch was not kept::" in errors) == (1, True)


def test_no_main_file_publishes_nothing(remote: Remote, tmp_path: Path) -> None:
    write_files(tmp_path / "data", {"agentops-sync.json": "{}", "agentops-runs.json": ""})
    code, _, errors = remote.run(PUBLISH, "commit", "main", "data", "docs", cwd=tmp_path)
    assert (code, "There is nothing to publish" in errors, remote.commits("main")) == (1, True, 1)


def test_one_pull_request_is_opened_and_made_anew_while_it_is_open(remote: Remote, tmp_path: Path) -> None:
    write_files(tmp_path / "data", DATA)
    gh = write_files(tmp_path / "bin", {"gh": GH}) / "gh"
    gh.chmod(0o755)
    told = {"PATH": f"{gh.parent}{os.pathsep}{os.environ['PATH']}", "GH_SAID": str(tmp_path / "said")}
    for count, is_open in ((1, "0"), (2, "1")):
        write_files(tmp_path / "data", {"agentops-runs.json": f'{{"runs": {count}}}'})
        words = ("pull-request", "main", "data", "docs")
        code, _, errors = remote.run(PUBLISH, *words, cwd=tmp_path, GH_OPEN=is_open, **told)
        assert code == 0, errors
        assert remote.files("agentops-data-update")["docs/agentops-runs.json"] == f'{{"runs": {count}}}'
        assert remote.commits("agentops-data-update") == 2
    said = (tmp_path / "said").read_text(encoding="utf-8").splitlines()
    assert [line.split()[1] for line in said] == ["list", "create", "list"]
    assert remote.commits("main") == 1
