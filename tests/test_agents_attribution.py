"""Which agent a run is of: each thing that tells one, in the order in which they count, and what never does."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackside.agents.attribution import CONFIDENCE, ROLES, Pull, RunFacts, attribute, mentions_in
from trackside.agents.engines import ENGINE_FILES, engine_in
from trackside.agents.identities import KnownAgents, known_agents
from trackside.agents.registry import RegisteredAgent
from trackside.agents.trailers import co_authors_of, trailers_of
from trackside.agents.workflow_uses import WorkflowUses
from trackside.records.agent_rules import AgentRules, OwnAgent
from trackside.records.attribution import Attribution, Role, SignalKind

COPILOT_ID = 198982749
COPILOT_EMAIL = "198982749+Copilot@users.noreply.github.com"
CI = ".github/workflows/ci.yml"
REGISTRY = (RegisteredAgent(name="coach-master", path="a.md"), RegisteredAgent(name="render-3d-master", path="b.md"))
SQUASHED = """Speed up the cache (#12)

* Initial plan

Co-authored-by: octocat <583231+octocat@users.noreply.github.com>

---------

Co-authored-by: copilot-swe-agent[bot] <198982749+Copilot@users.noreply.github.com>
Co-authored-by: octocat <583231+octocat@users.noreply.github.com>
"""


def told(agents: KnownAgents | None = None, **facts: Any) -> Attribution:
    return attribute(RunFacts(**{"path": CI, "event": "push"} | facts), agents or known_agents(AgentRules(), REGISTRY))


def short(found: Attribution) -> list[tuple[str, str, str, float]]:
    return [(one.kind.value, one.agent, one.role.value, one.confidence) for one in found.signals]


def uses(*actions: str) -> WorkflowUses:
    return WorkflowUses(path=CI, actions=actions)


@pytest.mark.parametrize(
    ("facts", "signal"),
    [
        ({"path": "dynamic/copilot-swe-agent/copilot", "event": "dynamic"}, ("run_path", "copilot", "ran", 1.0)),
        (
            {"path": "dynamic/copilot-pull-request-reviewer/copilot-pull-request-reviewer", "event": "dynamic"},
            ("run_path", "copilot-review", "ran", 1.0),
        ),
        ({"engines": ("claude",)}, ("run_artifact", "gh-aw:claude", "ran", 1.0)),
        ({"workflow": WorkflowUses(path=CI, is_compiled=True)}, ("compiled_workflow", "gh-aw:?", "ran", 0.9)),
        ({"workflow": uses("anthropics/claude-code-action")}, ("workflow_uses", "claude", "ran", 0.9)),
        ({"workflow": uses("anthropics/claude-code-base-action")}, ("workflow_uses", "claude", "ran", 0.9)),
        ({"workflow": uses("openai/codex-action")}, ("workflow_uses", "codex", "ran", 0.9)),
        ({"workflow": uses("google-github-actions/run-gemini-cli")}, ("workflow_uses", "gemini", "ran", 0.9)),
        ({"steps": ("Run anthropics/claude-code-action@v1",)}, ("step_name", "claude", "ran", 0.9)),
        ({"steps": ("Run openai/codex-action@0123abc",)}, ("step_name", "codex", "ran", 0.9)),
        ({"steps": ("Run google-github-actions/run-gemini-cli@v0",)}, ("step_name", "gemini", "ran", 0.9)),
        ({"triggering_actor": "copilot-swe-agent[bot]"}, ("actor", "copilot", "triggered_by", 0.85)),
        (
            {"triggering_actor": "Copilot", "triggering_actor_id": COPILOT_ID},
            ("actor", "copilot", "triggered_by", 0.85),
        ),
        ({"actor": "claude[bot]", "actor_id": 209825114}, ("actor", "claude", "triggered_by", 0.85)),
        ({"actor": "cursor[bot]", "actor_id": 206951365}, ("actor", "cursor", "triggered_by", 0.85)),
        ({"actor": "chatgpt-codex-connector[bot]"}, ("actor", "codex", "triggered_by", 0.85)),
        ({"actor": "google-labs-jules[bot]"}, ("actor", "jules", "triggered_by", 0.85)),
        ({"actor": "devin-ai-integration[bot]"}, ("actor", "devin", "triggered_by", 0.85)),
        ({"actor": "gemini-code-assist[bot]"}, ("actor", "gemini-code-assist", "triggered_by", 0.85)),
        ({"actor": "amazon-q-developer[bot]"}, ("actor", "amazon-q", "triggered_by", 0.85)),
        ({"branch": "copilot/faster"}, ("branch", "copilot", "authored", 0.75)),
        ({"branch": "claude/issue-7"}, ("branch", "claude", "authored", 0.75)),
        ({"branch": "codex/x"}, ("branch", "codex", "authored", 0.75)),
        ({"branch": "cursor/x"}, ("branch", "cursor", "authored", 0.75)),
        ({"branch": "devin/x"}, ("branch", "devin", "authored", 0.75)),
        (
            {"pulls": (Pull(number=7, author="renamed", author_id=COPILOT_ID),)},
            ("pull_author", "copilot", "authored", 0.85),
        ),
        ({"author_email": COPILOT_EMAIL}, ("commit_author", "copilot", "authored", 0.8)),
        (
            {"committer_email": "209825114+claude[bot]@users.noreply.github.com"},
            ("commit_author", "claude", "authored", 0.8),
        ),
        ({"commit_message": SQUASHED}, ("trailer", "copilot", "assisted", 0.6)),
        ({"commit_message": "x\n\nCo-authored-by: Codex <noreply@openai.com>"}, ("trailer", "codex", "assisted", 0.6)),
        ({"title": "Coach @coach-master."}, ("title", "coach-master", "assisted", 0.5)),
        ({"title": "(@render-3d-master)"}, ("title", "render-3d-master", "assisted", 0.5)),
        (
            {"pulls": (Pull(number=7, body="🤖 Generated with [Claude Code](https://claude.ai/code)"),)},
            ("body_mark", "claude", "assisted", 0.4),
        ),
        (
            {"pulls": (Pull(number=7, body="<!-- START COPILOT CODING AGENT SUFFIX -->"),)},
            ("body_mark", "copilot", "assisted", 0.4),
        ),
    ],
)
def test_each_signal_of_the_table_tells_its_agent(facts: dict[str, Any], signal: tuple[str, str, str, float]) -> None:
    found = told(**facts)
    assert short(found) == [signal]
    assert (found.source, found.agent, found.role, found.confidence) == signal


@pytest.mark.parametrize(
    "facts",
    [
        {"actor": "users", "title": "x@users.noreply.github.com"},
        {"author_email": "583231+octocat@users.noreply.github.com", "committer_email": "noreply@github.com"},
        {
            "author_email": "chained-bot@example.com",
            "commit_message": "x\n\nCo-authored-by: b <chained-bot@example.com>",
        },
        {"title": "mail coach-master@example.org", "commit_message": "by @coach-master"},
        {"title": "https://github.com/@coach-master and `@coach-master` and @coach-master/team"},
        {"title": "@coach and @coach-master-2 and @coach-masters and x@coach-master"},
        {"triggering_actor": "github-actions[bot]", "triggering_actor_id": 41898282},
        {"actor": "github-actions[bot]"},
        {"author_email": "41898282+github-actions[bot]@users.noreply.github.com"},
        {"commit_message": "x\n\nCo-authored-by: github-actions[bot] <github-actions[bot]@users.noreply.github.com>"},
        {"triggering_actor": "claude[bot]", "triggering_actor_id": 5},
        {"branch": "feature/claude/x"},
        {"branch": "copilot"},
        {"steps": ("Run tests", "Post Run anthropics/claude-code-action@v1", "Run codex exec")},
        {"workflow": uses("actions/checkout", "evil/claude-code-action", "anthropics/claude-code-action-fork")},
        {"path": "dynamic/copilot-swe-agent-evil/x"},
        {"path": "dynamic/dependabot/dependabot-updates"},
        {"pulls": (Pull(number=7, body="as claude and copilot said, Generated with love"),)},
        {},
    ],
    ids=str,
)
def test_what_only_looks_like_an_agent_tells_none(facts: dict[str, Any]) -> None:
    assert told(**facts) == Attribution()


def test_the_first_signal_counts_and_all_are_told() -> None:
    found = told(
        steps=("Run anthropics/claude-code-action@v1",),
        workflow=uses("openai/codex-action"),
        triggering_actor="Copilot",
        triggering_actor_id=COPILOT_ID,
        branch="copilot/x",
        author_email=COPILOT_EMAIL,
        commit_message=SQUASHED,
        title="@coach-master",
        pulls=(Pull(number=7, author="Copilot", author_id=COPILOT_ID),),
    )
    assert (found.agent, found.role, found.source) == ("codex", Role.RAN, SignalKind.WORKFLOW_USES)
    assert [one.kind.value for one in found.signals] == [
        *("workflow_uses", "step_name", "actor", "branch", "pull_author", "commit_author", "trailer", "title"),
    ]


def test_every_kind_has_a_place_a_confidence_and_a_role() -> None:
    assert list(CONFIDENCE) == list(SignalKind)
    assert set(ROLES) == set(SignalKind)


@pytest.mark.parametrize("event", ["schedule", "workflow_dispatch", "issues", "issue_comment", "workflow_run", None])
def test_what_a_commit_tells_is_not_told_of_a_run_that_is_about_something_else(event: str | None) -> None:
    found = told(event=event, author_email=COPILOT_EMAIL, committer_email=COPILOT_EMAIL, commit_message=SQUASHED)
    assert found == Attribution()


def test_a_run_on_the_base_of_a_pull_request_is_not_about_the_last_commit_there() -> None:
    pull = Pull(number=7, head_sha="beef")
    commit: dict[str, Any] = {"event": "pull_request_target", "author_email": COPILOT_EMAIL, "pulls": (pull,)}
    assert told(sha="c0ffee", **commit) == Attribution()
    assert told(sha="beef", **commit).agent == "copilot"


@pytest.mark.parametrize("conclusion", ["skipped", "startup_failure", "action_required"])
def test_in_a_run_in_which_nothing_ran_no_agent_worked(conclusion: str) -> None:
    compiled = WorkflowUses(path=CI, actions=("openai/codex-action",), is_compiled=True)
    assert told(workflow=compiled, conclusion=conclusion) == Attribution()
    assert told(workflow=compiled, conclusion=None).agent == "gh-aw:?"


def test_an_agent_whose_step_was_skipped_did_not_work() -> None:
    step = "Run openai/codex-action@v1"
    workflow = uses("openai/codex-action", "anthropics/claude-code-action")
    assert [one.agent for one in told(workflow=workflow, idle_steps=(step,)).signals] == ["claude"]
    again = told(workflow=workflow, steps=(step,), idle_steps=(step,))
    assert [one.agent for one in again.signals] == ["codex", "claude", "codex"]


def test_where_a_job_was_skipped_its_workflow_does_not_tell_that_an_agent_worked() -> None:
    workflow = uses("openai/codex-action")
    assert told(workflow=workflow, skips_job=True) == Attribution()
    worked = told(workflow=workflow, steps=("Run openai/codex-action@v1",), skips_job=True)
    assert [one.kind.value for one in worked.signals] == ["workflow_uses", "step_name"]


def test_one_account_that_is_both_actor_and_who_triggered_is_one_signal() -> None:
    copilot = ("Copilot", COPILOT_ID)
    found = told(triggering_actor=copilot[0], triggering_actor_id=copilot[1], actor=copilot[0], actor_id=copilot[1])
    assert [one.evidence for one in found.signals] == ["triggered by Copilot (198982749)"]


def test_a_rerun_by_a_person_of_what_an_agent_pushed_is_still_caused_by_the_agent() -> None:
    found = told(triggering_actor="alice", triggering_actor_id=1, actor="Copilot", actor_id=COPILOT_ID)
    assert [one.evidence for one in found.signals] == ["actor Copilot (198982749)"]


def test_the_settings_add_agents_and_add_to_those_that_are_known() -> None:
    rules = AgentRules(
        agent=(
            OwnAgent(
                name="nightly-fixer",
                aliases=("fixer",),
                logins=("fixer[bot]",),
                ids=(77,),
                emails=("fixer@example.org",),
                branch_prefixes=("fixer/",),
                steps=("Fix *",),
                workflows=("fix.yml",),
            ),
            OwnAgent(name="Claude", branch_prefixes=("ai/claude-",)),
            OwnAgent(name="evil", logins=("github-actions[bot]",), ids=(41898282,)),
        )
    )
    agents = known_agents(rules, REGISTRY)
    facts: list[dict[str, Any]] = [
        {"actor": "fixer[bot]", "actor_id": 9},
        {"actor": "new-name", "actor_id": 77},
        {"author_email": "Fixer@example.org"},
        {"branch": "fixer/7"},
        {"steps": ("fix the build",)},
        {"path": ".github/workflows/fix.yml"},
        {"title": "@fixer please"},
    ]
    assert [told(agents, **one).agent for one in facts] == ["nightly-fixer"] * 7
    assert told(agents, branch="ai/claude-7").agent == "claude"
    assert told(agents, title="@claude do").agent == "claude"
    assert told(title="@claude do") == Attribution()
    assert told(agents, actor="github-actions[bot]", actor_id=41898282) == Attribution()


def test_a_login_that_the_settings_name_is_the_agent_whatever_its_id_is_on_that_server() -> None:
    agents = known_agents(AgentRules(agent=(OwnAgent(name="copilot", logins=("Copilot",)),)))
    assert told(agents, actor="Copilot", actor_id=5).agent == "copilot"
    assert told(agents, actor="renamed", actor_id=COPILOT_ID).agent == "copilot"
    assert told(actor="Copilot", actor_id=5) == Attribution()


def test_the_name_of_one_agent_goes_before_the_alias_of_another() -> None:
    registry = (
        RegisteredAgent(name="first", path="coach.md", aliases=("coach",)),
        RegisteredAgent(name="coach", path="x.md", aliases=("first",)),
    )
    agents = known_agents(AgentRules(), registry)
    assert [told(agents, title=f"@{name}").agent for name in ("first", "coach")] == ["first", "coach"]


def test_nothing_in_the_settings_is_everybody() -> None:
    nobody = OwnAgent(
        name="nobody", aliases=("",), logins=("",), emails=("",), branch_prefixes=("",), steps=("",), workflows=("",)
    )
    agents = known_agents(AgentRules(agent=(nobody,)))
    assert told(agents, path=None, actor="", author_email="", branch="main", steps=("Build",)) == Attribution()


def test_the_longest_prefix_of_a_branch_counts() -> None:
    agents = known_agents(AgentRules(agent=(OwnAgent(name="docs-bot", branch_prefixes=("copilot/docs-",)),)))
    assert told(agents, branch="copilot/docs-x").agent == "docs-bot"
    assert told(agents, branch="copilot/x").agent == "copilot"


def test_evidence_is_one_line_and_short() -> None:
    [signal] = told(branch="copilot/" + "x\n" * 500).signals
    assert len(signal.evidence) <= 200
    assert "\n" not in signal.evidence


@given(st.text(max_size=200))
def test_a_mention_is_never_made_of_what_no_agent_is_called(title: str) -> None:
    assert told(title=title) == Attribution()
    assert all(f"@{token}" in title for token in mentions_in(title))


@pytest.mark.parametrize(
    ("content", "engine"),
    [
        (b'{"engine_id": "Claude", "model": ""}', "claude"),
        (b'{"engine_id": "<img>"}', None),
        (b'{"engine_id": 7}', None),
        (b'{"engine_id": null}', None),
        (b"[]", None),
        (b"\xff", None),
        (b"[" * 100_000, None),
    ],
    ids=["a name", "no name", "a number", "null", "a list", "no text", "deep"],
)
def test_an_engine_is_told_by_the_file_that_a_run_leaves(content: bytes, engine: str | None) -> None:
    assert engine_in(content) == engine


def test_the_file_with_the_engine_is_looked_for_where_each_version_leaves_it() -> None:
    names = ["activation", "1a2b-activation", "aw-info", "aw_info.json", "agent", "coverage"]
    found = [name for name in names if any(rule.matches(name) for rule in ENGINE_FILES)]
    assert found == names[:4]
    assert {rule.takes("aw_info.json") for rule in ENGINE_FILES} == {True}
    assert {rule.takes("other.json") for rule in ENGINE_FILES} == {False}


MESSAGES = [
    SQUASHED,
    "Subject\n\nBody\n\nCo-authored-by: A <a@b.c>\nReviewed-by: B <b@b.c>\n",
    "Co-authored-by: A <a@b.c>",
    "Subject\nCo-authored-by: A <a@b.c>",
    "Subject\n\nCo-authored-by: A <a@b.c>\n\nLast words.",
    "Subject\n\nSome prose.\nCo-authored-by: A <a@b.c>",
    "Subject\n\nSome prose.\nSigned-off-by: A <a@b.c>",
    "Subject\n\nOne.\nTwo.\nThree.\nFour.\nFive.\nSigned-off-by: A <a@b.c>",
    "Subject\n\nCo-authored-by: A\n  <a@b.c>\nX: y",
    "Subject\n\n(cherry picked from commit 1234567)\nCo-authored-by: A <a@b.c>",
    "Subject\n\nhttps://example.org/x\nCo-authored-by: A <a@b.c>",
    "Subject\n\nCo-authored-by : A <a@b.c>",
    "Subject\n\nClosed by: A <a@b.c>",
    "Subject\n\n* Co-authored-by: A <a@b.c>",
    "Subject\n\nCo-authored-by: A <a@b.c>\n---\nX: y\n",
    "",
    "\n\n\n",
]


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git to compare with")
@pytest.mark.parametrize("message", MESSAGES, ids=range(len(MESSAGES)))
def test_trailers_are_those_that_git_finds(message: str) -> None:
    words = ["git", "interpret-trailers", "--parse", "--no-divider"]
    told = subprocess.run(words, input=message, capture_output=True, text=True, check=True).stdout
    assert [f"{one.token}: {one.value}" for one in trailers_of(message)] == told.splitlines()


@given(st.text(max_size=300))
def test_a_message_of_any_text_has_trailers_or_none(message: str) -> None:
    assert all(one.token for one in trailers_of(message))
    assert len(co_authors_of(message)) <= len(trailers_of(message))
