"""Which issues a run belongs to: what somebody said, and no number that merely stands there."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackside.agents.links import MOST, Linker, LinkFacts, brought_by, said_issues
from trackside.errors import UsageError
from trackside.evidence.linked_issue import linked_issue
from trackside.records.agent_rules import AgentRules
from trackside.records.attribution import LinkSource
from trackside.records.runs import RunAttempt, Source
from trackside.store.store import open_store

REPO = "octo/engine"


def issues(run: LinkFacts, *patterns: str, pulls: tuple[int, ...] = ()) -> list[tuple[int, str]]:
    return [(one.number, one.source.value) for one in Linker(REPO, patterns, pulls.__contains__).issues_of(run)]


def said(text: str) -> list[int]:
    return [one.number for one in said_issues(text, REPO)]


@pytest.mark.parametrize(
    "text",
    [
        *(f"{word} #12" for word in ("close", "closes", "closed", "fix", "fixes", "fixed", "resolve", "resolves")),
        "Resolved #12",
        "FIXES: #12",
        "Fixes:#12",
        "Refs #12",
        "refs: #12",
        "References #12",
        "Fixes octo/engine#12",
        "Fixes OCTO/Engine#12",
        "Fixes GH-12",
        "Closes https://github.com/octo/engine/issues/12",
        "Closes https://git.example.org/octo/engine/issues/12#issuecomment-7",
        "- Fixes #12\n",
        "This (fixes #12).",
        "Speed up\n\nFixes #12\n\nSigned-off-by: A <a@b.c>",
    ],
)
def test_a_keyword_before_an_issue_of_the_repository_is_a_link(text: str) -> None:
    assert said(text) == [12]


@pytest.mark.parametrize(
    "text",
    [
        "#12",
        "Speed up (#12)",
        "Merge pull request #12 from octo/fix",
        "fix (#12)",
        "Fixes other/engine#12",
        "Fixes https://github.com/other/engine/issues/12",
        "Closes https://github.com/octo/engine/pull/12",
        "hotfix #12",
        "prefixes #12",
        "un-fix #12",
        "Fixes # 12",
        "Fixes #0",
        "Fixes #12a",
        "Fixes #12-3",
        "Fixes #99999999999",
        "fixed in 12",
        "Fixes\n#12",
        "`Fixes #12`",
        "```\nFixes #12\n```",
        "<!-- Fixes #12 -->",
        "<!-- Fixes #12",
        "> Fixes #12",
        "issue_number: 12",
        "color: #123456 and close #fff",
        "",
    ],
)
def test_a_number_that_nobody_linked_is_none(text: str) -> None:
    assert said(text) == []


def test_a_list_after_a_keyword_counts_whole() -> None:
    assert said("Fixes #1, #2 and #3, octo/engine#4. See #5") == [1, 2, 3, 4]
    assert said("Closes #1\nFixes #2; refs #1") == [1, 2]
    assert said("Fixes other/engine#9, #2") == [2]


def test_one_text_gives_at_most_so_many() -> None:
    assert len(said("Fixes " + ", ".join(f"#{number}" for number in range(1, 500)))) == MOST


@pytest.mark.parametrize(
    ("branch", "number"),
    [
        ("issue-12", 12),
        ("issue/12", 12),
        ("issue_12-faster", 12),
        ("issues/12", 12),
        ("claude/issue-12-20260101", 12),
        ("feature/issue-12/x", 12),
        ("fix-issue-12", 12),
        ("issue-12a", None),
        ("issue12", None),
        ("12-faster", None),
        ("tissue-12", None),
        ("issue-0", None),
        ("issue-x-12", None),
        ("copilot/fix-12", None),
    ],
)
def test_a_branch_names_an_issue_only_by_the_word(branch: str, number: int | None) -> None:
    assert issues(LinkFacts(branch=branch)) == ([] if number is None else [(number, "branch")])


def test_the_best_source_comes_first_and_each_issue_once() -> None:
    run = LinkFacts(
        branch="issue-3",
        title="[ENG-4] and [ENG-1]",
        commit_message="Speed up (#8)\n\nFixes #2",
        pulls=((8, "Closes #1, refs #2"),),
    )
    found = Linker(REPO, (r"\[ENG-(?P<number>[0-9]+)\]",)).issues_of(run)
    assert [(one.number, one.source) for one in found] == [
        (1, LinkSource.PULL_BODY),
        (2, LinkSource.PULL_BODY),
        (3, LinkSource.BRANCH),
        (4, LinkSource.TITLE),
    ]
    assert [one.evidence for one in found] == ["#8: Closes #1", "#8: refs #2", "issue-3", "[ENG-4]"]


def test_a_pull_request_is_never_an_issue() -> None:
    run = LinkFacts(commit_message="Fixes #8 and #9", branch="issue-8", title="#8", pulls=((8, "Closes #8"),))
    assert issues(run, r"#(?P<number>\d+)", pulls=(9,)) == []


@pytest.mark.parametrize(
    ("message", "number"),
    [
        ("Speed up (#12)", 12),
        ("Speed up (#12)\n\nFixes (#3)", 12),
        ("Merge pull request #12 from octo/x\n\nSpeed up", 12),
        ('Revert "Speed up (#12)" (#15)', 15),
        ("Speed up #12", None),
        ("Speed up (#12) again", None),
        ("Not merge pull request #12", None),
        ("Speed up\n\n(#12)", None),
        ("", None),
        (None, None),
    ],
)
def test_the_subject_of_a_merge_names_its_pull_request(message: str | None, number: int | None) -> None:
    assert brought_by(message) == number
    if message is not None and number is not None:
        assert issues(LinkFacts(commit_message=f"{message}\n\nFixes #{number}")) == []


def test_a_title_names_an_issue_only_by_a_pattern_of_the_settings() -> None:
    run = LinkFacts(title="Fixes #12 (#13)")
    assert issues(run) == []
    assert issues(run, r"Fixes #(?P<number>\d+)") == [(12, "title")]
    assert issues(LinkFacts(title="Work on x"), r"Work on (?P<number>\w+)") == []
    assert issues(LinkFacts(title="Work on"), r"Work on ?(?P<number>\d+)?") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<!--" * 5_000, 0),
        ("`" * 20_000, 0),
        ("Fixes " * 5_000, 0),
        ("Fixes #1," * 5_000, 1),
        ("a/" * 10_000 + "#1", 0),
        ("\n>" * 9_000, 0),
        ("fixes " + "a" * 15_000 + "#1", 0),
    ],
    ids=["comments", "code", "keywords", "links", "paths", "quotes", "a long name"],
)
def test_a_text_of_a_hostile_size_is_read_all_the_same(text: str, found: int) -> None:
    assert len(said(text)) == found


def test_a_pattern_that_may_take_for_ever_on_some_title_is_refused() -> None:
    with pytest.raises(UsageError, match=r"issue_patterns of \[agents\]: '.*' repeats a repetition"):
        Linker("octo/engine", (r"(\w+\s?)*#(?P<number>\d+)$",))


@given(st.text(alphabet="Fixes #12,/`<!->\nGH-", max_size=120))
def test_any_text_gives_numbers_that_stand_in_it(text: str) -> None:
    assert all(str(number) in text for number in said(text))


def test_the_squash_of_a_pull_request_that_nobody_read_leads_to_it(tmp_path: Path) -> None:
    run = RunAttempt(
        repo="octo/engine", run_id=1, run_attempt=1, source=Source.REST, event="push", head_branch="main",
        head_sha="a" * 40, head_repository="octo/engine", head_commit_message="Drain the queue first (#12)",
    )  # fmt: skip
    store = open_store(tmp_path)
    assert linked_issue(run, AgentRules(), store=store, default_branch="main") == 12
    scheduled = msgspec.structs.replace(run, event="schedule")
    assert linked_issue(scheduled, AgentRules(), store=store, default_branch="main") is None
