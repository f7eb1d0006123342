"""Comments: posted once, edited later, never those of others, and nothing twice whatever happens on the way."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from markdown_it import MarkdownIt

from tests.connecting import TOKEN, client_of
from tests.fake_github import FakeGitHub, Run, job
from trackside.cli.app import run as run_app
from trackside.cli.app import trackside_app
from trackside.cli.commenting import analysis_marker, comment_place, fitting_comment, own_comment, post_comment
from trackside.cli.terminal import open_terminal
from trackside.errors import GitHubError, UsageError
from trackside.evidence.linked_issue import linked_issue
from trackside.github.client import GitHub
from trackside.github.tokens import StaticToken
from trackside.records.agent_rules import AgentRules
from trackside.records.runs import RunAttempt
from trackside.report.comment_text import MOST_UNITS, units

REPO = "octo/engine"
SITE = f"https://github.com/{REPO}"
MARKER = analysis_marker(7)
NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with FakeGitHub() as made:
        made.world.add_repository(REPO)
        made.world.add_issue()
        yield made


@pytest.fixture
def github(fake: FakeGitHub) -> Iterator[GitHub]:
    with client_of(fake) as made:
        yield made


def post(github: GitHub, words: str = "report") -> None:
    post_comment(github, REPO, 1, MARKER, f"{MARKER}\n\n{words}", open_terminal(quiet=True))


def bodies(fake: FakeGitHub) -> list[tuple[str, str]]:
    return [(one.author.login, one.body.removeprefix(f"{MARKER}\n\n")) for one in fake.world.home.comments]


def writes(fake: FakeGitHub) -> int:
    return sum(call.method != "GET" and call.endpoint != "graphql" for call in fake.journal.calls)


def test_a_report_is_posted_once_and_edited_where_it_changed(fake: FakeGitHub, github: GitHub) -> None:
    post(github)
    post(github)
    assert (bodies(fake), writes(fake)) == ([("octocat", "report")], 1)
    post(github, "another")
    assert (bodies(fake), writes(fake)) == ([("octocat", "another")], 2)
    assert fake.journal.broken_rules() == {}


def test_the_comment_of_a_workflows_own_token_is_found_again(fake: FakeGitHub) -> None:
    for words in ("one", "two"):
        with GitHub(api_url=fake.api_url, token=StaticToken("ghs_" + "b" * 20)) as github:
            post(github, words)
    assert bodies(fake) == [("github-actions[bot]", "two")]


def test_a_comment_of_somebody_else_that_bears_the_mark_is_never_edited(fake: FakeGitHub, github: GitHub) -> None:
    fake.world.add_comment(1, f"{MARKER}\n\nmine", author="mallory")
    post(github)
    post(github, "second")
    assert bodies(fake) == [("mallory", "mine"), ("octocat", "second")]


def test_only_a_comment_that_begins_with_the_mark_of_the_run_is_it(fake: FakeGitHub, github: GitHub) -> None:
    for body in (f"> {MARKER}\nquoted", f"see\n{MARKER}", analysis_marker(70), f"{MARKER} and more"):
        fake.world.add_comment(1, body, author="octocat")
    assert own_comment(github, REPO, 1, MARKER) is None
    fake.world.add_comment(1, f"{MARKER}\r\n\r\nwritten by hand", author="octocat")
    found = own_comment(github, REPO, 1, MARKER)
    assert found is not None
    assert found.id == fake.world.home.comments[-1].id


def test_equal_text_with_other_line_ends_is_not_written_again(fake: FakeGitHub, github: GitHub) -> None:
    fake.world.add_comment(1, f"{MARKER}\r\n\r\na\r\nb\r\n", author="octocat")
    post(github, "a\nb")
    assert writes(fake) == 0


def test_a_comment_on_a_later_page_is_found(fake: FakeGitHub, github: GitHub) -> None:
    for place in range(150):
        fake.world.add_comment(1, f"talk {place}")
    fake.world.add_comment(1, f"{MARKER}\n\nold", author="octocat")
    post(github, "new")
    assert len(fake.world.home.comments) == 151
    assert fake.world.home.comments[-1].body == f"{MARKER}\n\nnew"


@pytest.mark.parametrize("kind", ["cut", "reset in body"])
def test_a_comment_whose_answer_was_lost_is_not_posted_again(fake: FakeGitHub, github: GitHub, kind: str) -> None:
    fake.faults.add(kind, endpoint="create comment", nth=1)
    post(github)
    assert bodies(fake) == [("octocat", "report")]
    assert fake.journal.count("create comment") == 1


@pytest.mark.parametrize("kind", ["error", "reset"])
def test_a_comment_that_did_not_arrive_is_posted_after_all(fake: FakeGitHub, github: GitHub, kind: str) -> None:
    fake.faults.add(kind, endpoint="create comment", nth=1)
    post(github)
    assert bodies(fake) == [("octocat", "report")]


def test_of_two_posted_at_the_same_time_the_older_one_stays(fake: FakeGitHub, github: GitHub) -> None:
    def meanwhile() -> None:
        fake.world.add_comment(1, f"{MARKER}\n\nolder", author="octocat")

    fake.faults.add("call", endpoint="create comment", nth=1, call=meanwhile)
    post(github, "newer")
    assert bodies(fake) == [("octocat", "newer")]


def test_many_at_once_leave_one_comment(fake: FakeGitHub) -> None:
    gate = threading.Barrier(4)

    def one() -> None:
        with client_of(fake) as github:
            gate.wait(10)
            post(github)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert bodies(fake) == [("octocat", "report")]


def test_a_comment_that_was_deleted_meanwhile_is_posted_anew(fake: FakeGitHub, github: GitHub) -> None:
    fake.world.add_comment(1, f"{MARKER}\n\nold", author="octocat")
    fake.faults.add("call", endpoint="edit comment", nth=1, call=fake.world.home.comments.clear)
    post(github)
    assert bodies(fake) == [("octocat", "report")]


def test_where_it_cannot_be_told_whose_a_marked_comment_is_nothing_is_written(fake: FakeGitHub, github: GitHub) -> None:
    fake.world.add_comment(1, f"{MARKER}\n\nwhose?", author="octocat")
    fake.faults.add("error", endpoint="graphql", status=404)
    with pytest.raises(GitHubError):
        post(github)
    assert writes(fake) == 0


def test_a_refusal_names_the_permission(fake: FakeGitHub, github: GitHub) -> None:
    fake.tokens.add(TOKEN, permissions={"issues": "read"})
    with pytest.raises(GitHubError, match="needs the permission issues: write"):
        post(github)


@pytest.mark.parametrize(("text", "place"), [("12", 12), (" #12 ", 12), ("auto", "auto"), ("AUTO", "auto"), ("007", 7)])
def test_the_place_of_a_comment_is_a_number_or_auto(text: str, place: object) -> None:
    assert comment_place(text) == place


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "x", "12; rm", "１２", "1" * 10, "12 13", "octo/engine#1", "##1"])
def test_a_place_that_is_neither_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="the number of an issue or a pull request, or auto"):
        comment_place(text)


def test_a_report_is_shortened_until_the_comment_needs_no_cut() -> None:
    asked: list[int] = []

    def report(most: int) -> str:
        asked.append(most)
        return "@a @a @\n" * (most // 8)

    text = fitting_comment(MARKER, report, SITE)
    assert "left out" not in text
    assert units(text) <= MOST_UNITS
    assert asked == [65_000, 58_000, 50_000, 42_000][: len(asked)]
    assert len(asked) > 1
    assert fitting_comment(MARKER, lambda _: "@a @a\n" * 90_000, SITE).endswith("characters long.")


def a_run(**told: object) -> RunAttempt:
    base = {"repo": REPO, "run_id": 7, "run_attempt": 1, "source": "rest", "event": "push", "created_at": NOW}
    return msgspec.convert({**base, **told}, RunAttempt)


def test_the_place_of_a_run_is_its_pull_request_and_else_its_issue() -> None:
    rules = AgentRules(issue_patterns=(r"\[(?P<number>\d+)\]",))
    assert linked_issue(a_run(pull_numbers=[5, 6], head_branch="issue-3", event="pull_request"), rules) == 5
    assert linked_issue(a_run(head_branch="issue-3"), rules) == 3
    assert linked_issue(a_run(head_commit_message="Fixes #4"), rules) == 4
    assert linked_issue(a_run(head_commit_message="Fixes #4", event="schedule"), rules) is None
    assert linked_issue(a_run(display_title="[9] nightly", event="schedule"), rules) == 9
    assert linked_issue(a_run(head_commit_message="Make it faster (#8)"), rules) is None
    assert linked_issue(a_run(), rules) is None


@pytest.fixture
def failed_run(fake: FakeGitHub) -> Run:
    hostile = "##[error]@everyone fixes #1 <img src=x> ghp_" + "S3" * 18
    run = fake.world.add_run(
        [job("unit", "failure", log=f"{hostile}\nE   AssertionError: 1 != 2\n")], conclusion="failure"
    )
    fake.clock.advance(600)
    return run


def analyze(fake: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setenv("GITHUB_API_URL", fake.api_url)
    monkeypatch.setenv("GITHUB_SERVER_URL", fake.html_url)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)
    return run_app(trackside_app(), ["agents", "analyze", "--repo", REPO, *arguments])


def test_analyze_posts_its_report_and_edits_it_later(
    fake: FakeGitHub,
    failed_run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for _ in range(2):
        assert analyze(fake, tmp_path, monkeypatch, str(failed_run.id), "--comment", "1", "-o", "report.md") == 0
    [comment] = fake.world.home.comments
    assert comment.body.startswith(f"<!-- trackside:analysis:{failed_run.id} -->\n\n# Run analysis")
    assert "@everyone" not in comment.body
    assert "<img" not in MarkdownIt("commonmark", {"html": True}).render(comment.body)
    assert "S3S3" not in comment.body
    assert f"[{failed_run.id}]({fake.html_url}/octo/engine/actions/runs/{failed_run.id})" in comment.body
    assert "Nothing has changed since it was posted on octo/engine#1" in capsys.readouterr().err
    assert writes(fake) == 1


def test_a_dry_run_prints_the_comment_and_writes_nothing(
    fake: FakeGitHub,
    failed_run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert analyze(fake, tmp_path, monkeypatch, str(failed_run.id), "--comment", "1", "--dry-run") == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"<!-- trackside:analysis:{failed_run.id} -->")
    assert "This would be posted on octo/engine#1; nothing was." in said.err
    assert (fake.world.home.comments, writes(fake)) == ([], 0)
    assert analyze(fake, tmp_path, monkeypatch, str(failed_run.id), "--comment", "1") == 0
    assert said.out == fake.world.home.comments[0].body + "\n"


def test_auto_posts_on_the_pull_request_of_the_run_and_says_where_there_is_none(
    fake: FakeGitHub,
    failed_run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert analyze(fake, tmp_path, monkeypatch, str(failed_run.id), "--comment", "auto", "-o", "r.md") == 0
    assert f"run {failed_run.id} is of no pull request and of no issue" in capsys.readouterr().err
    pull = fake.world.add_pull(branch="feature")
    run = fake.world.add_run(branch="feature", event="pull_request", sha=pull.head_sha, conclusion="failure")
    analyze(fake, tmp_path, monkeypatch, str(run.id), "--comment", "auto", "-o", "r.md")
    assert [one.number for one in fake.world.home.comments] == [pull.number]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["7", "--comment", "one"], "--comment one: the number of an issue"),
        (["7", "--dry-run"], "--dry-run shows what --comment would post"),
        (["7", "--comment", "1", "--offline"], "--comment posts to GitHub, and --offline asks it for nothing"),
        ([], "Which run?"),
        (["log.txt", "--comment", "1"], "which run these logs are of is not known"),
    ],
    ids=["no number", "dry run of nothing", "offline", "no run", "logs alone"],
)
def test_what_does_not_go_together_is_wrong_usage_and_nothing_is_written(
    fake: FakeGitHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    (tmp_path / "log.txt").write_text("2026-06-01T12:00:00.0000000Z ##[error]x\n", encoding="utf-8")
    assert analyze(fake, tmp_path, monkeypatch, *arguments) == 2
    assert said in capsys.readouterr().err
    assert writes(fake) == 0


def test_a_comment_that_is_refused_fails_the_command_after_the_report_was_written(
    fake: FakeGitHub,
    failed_run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake.world.home.issues[0].locked = True
    assert analyze(fake, tmp_path, monkeypatch, str(failed_run.id), "--comment", "1", "-o", "report.md") == 1
    assert "its conversation is locked" in capsys.readouterr().err
    assert (tmp_path / "report.md").is_file()
    assert TOKEN not in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_due_prints_each_run_once(
    fake: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # The command looks at the last day of today's clock.
    fake.clock.set(dt.datetime.now(dt.UTC) - dt.timedelta(hours=2))
    (tmp_path / "trackside.toml").write_text('[[agents.auto_analyze]]\nworkflow = "ci.yml"\n', encoding="utf-8")
    runs = [fake.world.add_run(conclusion=end) for end in ("failure", "success", "failure")]
    fake.clock.advance(600)
    monkeypatch.setenv("GITHUB_API_URL", fake.api_url)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)
    assert run_app(trackside_app(), ["sync", "--repo", REPO]) == 0
    due = [str(runs[2].id), str(runs[0].id)]
    capsys.readouterr()
    for dry, printed in ((["--dry-run"], due), ([], due), ([], [])):
        assert analyze(fake, tmp_path, monkeypatch, "--due", *dry) == 0
        assert capsys.readouterr().out.split() == printed
