"""What exists on the fake GitHub: accounts, repositories, workflows, runs with attempts, jobs, pull requests.

All of it can be changed while it is served: setting an attribute drops the JSON that was kept of the thing.
Times are aware UTC. Steps are told relative to the start of their job, so that many jobs share one list of them.
"""

from __future__ import annotations

import datetime as dt
import enum
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

ABSENT = object()
"""As the value of an override: the field is not sent at all."""
LogText = str | bytes | Callable[[], Iterable[bytes]] | None
BOT_IDS = {
    "github-actions[bot]": 41898282,
    "dependabot[bot]": 49699333,
    "Copilot": 198982749,
    "claude[bot]": 209825114,
    "chatgpt-codex-connector[bot]": 199175422,
}


class Thing:
    """A record whose JSON is kept until one of its attributes is set."""

    __slots__ = ("kept_json",)
    kept_json: bytes | None

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)
        if name != "kept_json":
            object.__setattr__(self, "kept_json", None)


class LogState(enum.StrEnum):
    """What happens to somebody who asks for a log."""

    AUTO = "auto"
    """As GitHub does: 404 while the job runs and for a skipped one, else the text."""
    NEVER = "never"
    """The API redirects, and the blob host knows nothing of it (404 in XML)."""
    EXPIRED = "expired"
    """410: older than the retention."""
    NOT_YET = "not yet"
    """404 from the API although the job has completed, as long as its run goes on."""


@dataclass(slots=True, eq=False)
class Account(Thing):
    """A user, organisation or bot; its id comes from the login, so that it is the same in every world."""

    login: str
    kind: str = "User"

    @property
    def id(self) -> int:
        """A known bot's own id, else a number worked out from the login."""
        return BOT_IDS.get(self.login) or 1_000_000 + zlib.crc32(self.login.encode()) % 100_000_000


@dataclass(slots=True, eq=False)
class Repository(Thing):
    """``former_names`` answer 301; ``readable`` False answers 404 to everybody, as a private one does."""

    id: int
    full_name: str
    owner: Account
    created_at: dt.datetime
    default_branch: str = "main"
    private: bool = False
    fork: bool = False
    readable: bool = True
    description: str | None = "An inference engine"
    former_names: tuple[str, ...] = ()
    workflows: list[Workflow] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    pulls: list[Pull] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    has_issues: bool = True
    busy_commits: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """The part behind the slash."""
        return self.full_name.partition("/")[2]


@dataclass(slots=True, eq=False)
class Workflow(Thing):
    """A workflow file, or ``dynamic/…`` for the built-in ones."""

    id: int
    name: str
    path: str
    created_at: dt.datetime
    state: str = "active"
    runs: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """A step, ``start_s`` after its job began. ``length_s`` None: it has not ended; ``start_s`` None: nor begun."""

    number: int
    name: str
    conclusion: str | None = "success"
    start_s: int | None = 0
    length_s: int | None = 1


@dataclass(frozen=True, slots=True)
class Annotation:
    """What a check run says about a line of a file."""

    path: str
    message: str
    level: str = "failure"
    line: int = 1
    title: str | None = None


@dataclass(slots=True, eq=False)
class Job(Thing):
    """A job of one attempt. ``started_at`` None is sent as GitHub sends it: the time of creation.

    ``overrides`` are fields of the body that shall be other than they would be, strange values too.
    """

    id: int
    name: str
    attempt: int
    created_at: dt.datetime
    status: str = "completed"
    conclusion: str | None = "success"
    started_at: dt.datetime | None = None
    completed_at: dt.datetime | None = None
    steps: tuple[Step, ...] = ()
    labels: tuple[str, ...] = ("ubuntu-latest",)
    runner_id: int | None = None
    runner_name: str | None = None
    runner_group: str | None = None
    log: LogText = None
    log_state: LogState = LogState.AUTO
    annotations: tuple[Annotation, ...] = ()
    in_archive: bool = True
    overrides: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Attempt(Thing):
    """One attempt of a run. ``created_at`` may lie after ``started_at`` for a re-run, as it does on GitHub."""

    number: int
    created_at: dt.datetime
    started_at: dt.datetime
    updated_at: dt.datetime
    status: str
    conclusion: str | None
    triggering_actor: Account
    jobs: list[Job] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Run(Thing):
    """A workflow run: what stays the same over its attempts. ``wrong_pulls`` are numbers of other repositories.

    ``overrides`` are fields of the body that shall be other than they would be, strange values too.
    """

    id: int
    number: int
    workflow: Workflow
    event: str
    head_branch: str | None
    head_sha: str
    head_repository: Repository
    actor: Account
    title: str
    check_suite_id: int
    name: str | None
    path: str
    created_at: dt.datetime
    message: str = ""
    attempts: list[Attempt] = field(default_factory=list)
    referenced_workflows: tuple[str, ...] = ()
    wrong_pulls: tuple[int, ...] = ()
    log_state: LogState = LogState.AUTO
    archive_without_steps: bool = False
    overrides: Mapping[str, object] = field(default_factory=dict)

    def __setattr__(self, name: str, value: object) -> None:
        Thing.__setattr__(self, name, value)
        if name in ("name", "head_branch", "head_sha"):
            for attempt in getattr(self, "attempts", ()):
                for job in attempt.jobs:
                    job.kept_json = None

    @property
    def latest(self) -> Attempt:
        """The newest attempt."""
        return self.attempts[-1]

    @property
    def status(self) -> str:
        """That of the newest attempt."""
        return self.latest.status

    @property
    def conclusion(self) -> str | None:
        """That of the newest attempt."""
        return self.latest.conclusion


@dataclass(slots=True, eq=False)
class Pull(Thing):
    """A pull request; ``base`` is the repository it wants to go into."""

    id: int
    number: int
    title: str
    base: Repository
    head_repository: Repository | None
    head_branch: str
    head_sha: str
    author: Account
    created_at: dt.datetime
    updated_at: dt.datetime
    base_branch: str = "main"
    state: str = "open"
    merged_at: dt.datetime | None = None
    merge_commit_sha: str | None = None
    draft: bool = False
    commits: tuple[str, ...] = ()
    text: str | None = None


@dataclass(slots=True, eq=False)
class Issue(Thing):
    """An issue, whose number no pull request has. ``deleted`` answers 410."""

    id: int
    number: int
    title: str
    body: str | None
    author: Account
    created_at: dt.datetime
    updated_at: dt.datetime
    state: str = "open"
    state_reason: str | None = None
    closed_at: dt.datetime | None = None
    labels: tuple[str, ...] = ()
    locked: bool = False
    deleted: bool = False


@dataclass(slots=True, eq=False)
class Comment(Thing):
    """A comment on an issue or pull request, told by its number."""

    id: int
    number: int
    body: str
    author: Account
    created_at: dt.datetime
    updated_at: dt.datetime


@dataclass(slots=True, eq=False)
class Artifact(Thing):
    """A file a run left behind. ``in_storage`` False: the API redirects, and the blob host knows nothing of it.

    ``overrides`` are fields of the body that shall be other than they would be, strange values too.
    """

    id: int
    name: str
    run: Run
    content: bytes
    created_at: dt.datetime
    expired: bool = False
    in_storage: bool = True
    overrides: Mapping[str, object] = field(default_factory=dict)
