"""Who is an agent: the table of those that are known, with what a repository's settings and registry add to it."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from trackside.agents.registry import RegisteredAgent
from trackside.errors import UsageError
from trackside.records.agent_rules import AgentRules, OwnAgent

NEVER_IDS: Final = frozenset({41898282})
"""github-actions[bot]: every workflow acts as this account, whoever works in it."""
NEVER_LOGINS: Final = frozenset({"github-actions[bot]", "github-actions"})
_NOREPLY: Final = re.compile(r"(?:(?P<id>\d{1,18})\+)?(?P<login>[^@+\s]+)@users\.noreply\.github\.com", re.IGNORECASE)


class Account(NamedTuple):
    """An account that an agent acts as; ``id`` is None where only the login is known."""

    login: str
    id: int | None = None


class KnownAgent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent and what it is told by.

    ``paths`` begin the paths of runs that GitHub makes for it; ``actions`` are ``owner/name`` of its actions, ``steps``
    globs of names of steps, ``workflows`` files that only run it; ``marks`` are regular expressions of what it leaves
    in texts. ``titles`` are names by which it may be mentioned in the title of a run: none but those that the
    repository's settings or registry name.
    """

    name: str
    accounts: tuple[Account, ...] = ()
    emails: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    workflows: tuple[str, ...] = ()
    branch_prefixes: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()


TABLE: Final = (
    KnownAgent(
        name="copilot",
        accounts=(
            Account("copilot-swe-agent[bot]", 198982749),
            Account("Copilot", 198982749),
            Account("copilot[bot]", 167198135),
            Account("github-copilot[bot]"),
        ),
        paths=("dynamic/copilot-swe-agent",),
        branch_prefixes=("copilot/",),
        marks=(r"<!-- START COPILOT CODING AGENT (?:SUFFIX|TIPS) -->",),
    ),
    KnownAgent(
        name="copilot-review",
        accounts=(Account("copilot-pull-request-reviewer[bot]"),),
        paths=("dynamic/copilot-pull-request-reviewer", "dynamic/agents/copilot-pull-request-reviewer"),
    ),
    KnownAgent(
        name="claude",
        accounts=(Account("claude[bot]", 209825114),),
        emails=("noreply@anthropic.com",),
        actions=("anthropics/claude-code-action", "anthropics/claude-code-base-action"),
        branch_prefixes=("claude/", "claude-"),
        marks=(r"Generated with \[Claude Code\]\(https://claude\.(?:ai|com)/", r"https://claude\.ai/code/session"),
    ),
    KnownAgent(
        name="codex",
        accounts=(Account("chatgpt-codex-connector[bot]", 199175422),),
        emails=("noreply@openai.com",),
        actions=("openai/codex-action",),
        branch_prefixes=("codex/",),
        marks=(r"https://chatgpt\.com/codex/tasks/",),
    ),
    KnownAgent(
        name="gemini",
        actions=("google-github-actions/run-gemini-cli",),
    ),
    KnownAgent(name="gemini-code-assist", accounts=(Account("gemini-code-assist[bot]", 176961590),)),
    KnownAgent(
        name="cursor",
        accounts=(Account("cursor[bot]", 206951365),),
        emails=("cursoragent@cursor.com",),
        branch_prefixes=("cursor/",),
        marks=(r"<!-- CURSOR_AGENT_PR_BODY_BEGIN -->", r"https://(?:www\.)?cursor\.com/(?:background-agent|agents)\b"),
    ),
    KnownAgent(
        name="jules",
        accounts=(Account("google-labs-jules[bot]", 161369871),),
        marks=(r"https://jules\.google\.com/task/",),
    ),
    KnownAgent(
        name="devin",
        accounts=(Account("devin-ai-integration[bot]", 158243242),),
        branch_prefixes=("devin/",),
        marks=(r"https://app\.devin\.ai/sessions/",),
    ),
    KnownAgent(name="amazon-q", accounts=(Account("amazon-q-developer[bot]", 208079219),)),
)
"""Agents that are known anyway. Of accounts that share an id one was renamed, or is shown so in places."""


class KnownAgents:
    """The agents of a repository, to be asked who an account, an address, a branch, a step or a text is of."""

    def __init__(self, agents: Iterable[KnownAgent]) -> None:
        self.agents = tuple(agents)
        self._ids: dict[int, str] = {}
        self._logins: dict[str, tuple[str, int | None]] = {}
        self._emails: dict[str, str] = {}
        self._actions: dict[str, str] = {}
        self._titles: dict[str, str] = {}
        self._workflows: dict[str, str] = {}
        self._paths: list[tuple[str, str]] = []
        self._prefixes: list[tuple[str, str]] = []
        self._marks: list[tuple[re.Pattern[str], str]] = []
        for agent in self.agents:
            self._take(agent)
        # The longest first: what a repository names exactly goes before what is known in general.
        self._prefixes.sort(key=lambda one: -len(one[0]))

    def _take(self, agent: KnownAgent) -> None:
        for login, id_ in agent.accounts:
            if id_ is not None and id_ not in NEVER_IDS:
                self._ids.setdefault(id_, agent.name)
            if login and login.lower() not in NEVER_LOGINS:
                self._logins.setdefault(login.lower(), (agent.name, id_))
        for values, known in (
            (agent.emails, self._emails),
            (agent.actions, self._actions),
            (agent.titles, self._titles),
            (agent.workflows, self._workflows),
        ):
            for value in filter(None, values):
                known.setdefault(value.lower(), agent.name)
        self._paths += [(f"{path}/", agent.name) for path in agent.paths]
        self._prefixes += [(prefix, agent.name) for prefix in agent.branch_prefixes if prefix]
        self._marks += [(re.compile(mark), agent.name) for mark in agent.marks]

    def of_account(self, login: str | None, id_: int | None) -> str | None:
        """The agent that acts as this account: by id where one is told, as logins can be renamed; else by login.

        A login whose id is known is not an account with another id; those that settings name have any.
        """
        if id_ in NEVER_IDS or (login or "").lower() in NEVER_LOGINS:
            return None
        if id_ is not None and id_ in self._ids:
            return self._ids[id_]
        name, own_id = self._logins.get((login or "").lower(), (None, None))
        return None if own_id is not None and id_ is not None else name

    def of_email(self, address: str | None) -> str | None:
        """The agent that commits with this address: the account of a no-reply address, else one that is known."""
        plain = (address or "").strip()
        found = _NOREPLY.fullmatch(plain)
        if found:
            return self.of_account(found["login"], int(found["id"]) if found["id"] else None)
        return self._emails.get(plain.lower())

    def of_path(self, path: str | None) -> str | None:
        """The agent that GitHub makes runs of this path for."""
        whole = f"{path}/"
        return next((name for begin, name in self._paths if whole.startswith(begin)), None)

    def of_workflow(self, path: str | None) -> str | None:
        """The agent that a workflow only runs, as the settings say."""
        whole = (path or "").lower()
        return self._workflows.get(whole) or self._workflows.get(whole.rpartition("/")[2])

    def of_action(self, action: str) -> str | None:
        """The agent of an action ``owner/name`` or ``owner/name/path``."""
        return self._actions.get("/".join(action.lower().split("/")[:2]))

    def of_step(self, step: str) -> str | None:
        """The agent of a step with this name: one of its action, or one that the settings name."""
        words = step.split(maxsplit=1)
        if len(words) == 2 and words[0] == "Run" and "@" in words[1]:
            name = self.of_action(words[1].partition("@")[0].strip())
            if name is not None:
                return name
        lower = step.lower()
        return next(
            (one.name for one in self.agents for glob in one.steps if fnmatch.fnmatchcase(lower, glob.lower())), None
        )

    def of_branch(self, branch: str | None) -> tuple[str, str] | None:
        """The prefix that a branch begins with, and whose it is; of several the longest."""
        return next((one for one in self._prefixes if branch and branch.startswith(one[0])), None)

    def of_mention(self, token: str) -> str | None:
        """The agent that the settings or the registry know under this name."""
        return self._titles.get(token.lower())

    def of_marks(self, text: str | None) -> tuple[tuple[str, str], ...]:
        """The agents whose mark is in a text, each with what was seen of it."""
        found = [(name, hit[0]) for mark, name in self._marks if text and (hit := mark.search(text))]
        return tuple(dict(reversed(found)).items())[::-1]


def known_agents(rules: AgentRules, registry: Sequence[RegisteredAgent] = ()) -> KnownAgents:
    """The agents of a repository: those of its settings first, then those of its registry, then the table."""
    own = [_of_settings(one) for one in rules.agent]
    names = {alias.lower(): one.name for one in rules.agent for alias in (one.name, *one.aliases)}
    called = [(names.get(one.name.lower(), one.name), one) for one in registry]
    by_name = [KnownAgent(name=name, titles=(one.name,)) for name, one in called]
    # What one is called goes before what another is called too.
    by_alias = [KnownAgent(name=name, titles=one.aliases) for name, one in called]
    return KnownAgents((*own, *by_name, *by_alias, *TABLE))


def check_own_agents(agents: Sequence[OwnAgent]) -> None:
    """Raises UsageError, naming the key, where two agents of the settings have one name, where one is told by an empty
    text, or claims the account that every workflow acts as."""
    names: dict[str, int] = {}
    for index, own in enumerate(agents):
        key = f"agents.agent[{index}]"
        before = names.setdefault(own.name.strip().lower(), index)
        if before != index:
            msg = (
                f"{key}.name: {own.name[:100]!r} is the name of agents.agent[{before}] too: write what both say in one."
            )
            raise UsageError(msg)
        _check_texts(key, own)
        _check_claims(key, own)


def _check_texts(key: str, own: OwnAgent) -> None:
    for name in msgspec.structs.asdict(own):
        values = getattr(own, name)
        if isinstance(values, tuple) and any(isinstance(one, str) and not one.strip() for one in values):
            msg = f"{key}.{name}: an empty text tells no agent: leave it out."
            raise UsageError(msg)


def _check_claims(key: str, own: OwnAgent) -> None:
    reason = "is the account that every workflow acts as, never an agent"
    for name, values in (("name", (own.name,)), ("aliases", own.aliases), ("logins", own.logins)):
        for value in values:
            if value.strip().lower() in NEVER_LOGINS:
                msg = f"{key}.{name}: {value!r} {reason}."
                raise UsageError(msg)
    for id_ in NEVER_IDS & set(own.ids):
        msg = f"{key}.ids: {id_} {reason}."
        raise UsageError(msg)
    for address in own.emails:
        found = _NOREPLY.fullmatch(address.strip())
        if found and (found["login"].lower() in NEVER_LOGINS or int(found["id"] or 0) in NEVER_IDS):
            msg = f"{key}.emails: {address!r} {reason}."
            raise UsageError(msg)


def _of_settings(own: OwnAgent) -> KnownAgent:
    """An agent of the settings; a name or alias of one that is known anyway adds to that one."""
    aliases = {alias.lower() for alias in (own.name, *own.aliases)}
    name = next((one.name for one in TABLE if one.name in aliases), own.name)
    ids = {login.lower(): id_ for one in TABLE for login, id_ in one.accounts}
    accounts = (
        *(Account(login) for login in own.logins),
        *(Account("", id_) for id_ in (*own.ids, *(ids.get(login.lower()) for login in own.logins))),
    )
    return KnownAgent(
        name=name,
        accounts=accounts,
        emails=own.emails,
        steps=own.steps,
        workflows=own.workflows,
        branch_prefixes=own.branch_prefixes,
        titles=(own.name, *own.aliases),
    )
