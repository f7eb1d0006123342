"""``trackside alerts``: what it shows, keeps, checks, and whom it tells: issues, messages, the workflow."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from scripts.schemas import schema_of
from tests.connecting import TOKEN
from tests.fake_github import FakeGitHub
from tests.syncing import sync_once
from trackside.cli.alert_issues import alert_marker
from trackside.cli.alerting import update_alerts
from trackside.cli.app import run as run_app
from trackside.cli.app import trackside_app
from trackside.evidence.alert_facts import known_alerts, load_alert_facts
from trackside.notify.alert_messages import alert_message_of, alert_news
from trackside.records.alerts import Alert, AlertKind, AlertState
from trackside.records.notices import Told
from trackside.records.syncs import Interval, RateLimit, SyncRecord
from trackside.settings import Settings
from trackside.store.store import Store, open_store

REPO = "octo/engine"
HOUR = dt.timedelta(hours=1)
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)


def synced(ago: dt.timedelta, status: str = "ok", **more: Any) -> SyncRecord:
    """The ledger of a sync that ended so long ago."""
    at = NOW - ago
    base = SyncRecord(
        repo=REPO,
        sync_id=f"{at:%Y%m%dT%H%M%S}",
        started_at=at - HOUR / 60,
        ended_at=at,
        status=status,
        api="rest",
        window_start=at - 24 * HOUR,
        window_stop=at,
        scope="all",
        listed=(Interval(start=at - HOUR, stop=at),) if status != "failed" else (),
        limits=(RateLimit(resource="core", limit=5000, remaining_start=4900, remaining_end=4800),),
    )
    return msgspec.structs.replace(base, **more)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with FakeGitHub() as made:
        made.world.add_repository(REPO)
        yield made


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    return Command(tmp_path)


class Command:
    """The command in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str) -> int:
        return run_app(trackside_app(), ["alerts", "--repo", REPO, "--store", str(self.folder / "store"), *arguments])


def states(store: Store) -> dict[str, str]:
    return {one.kind.value: one.state.value for one in known_alerts(store, REPO)}


def test_the_facts_are_those_of_the_last_syncs(store: Store) -> None:
    store.add_sync(synced(6 * HOUR))
    store.add_sync(synced(4 * HOUR, "failed"))
    last = synced(2 * HOUR, "failed", phases_s={"runs": 300.0, "jobs": 1.5}, limits=())
    store.add_sync(last)
    facts = load_alert_facts(store, "Octo/Engine", {"a.json": 5})
    assert facts.statuses == ("failed", "failed", "ok")
    assert (facts.synced_at, facts.data_at) == (NOW - 2 * HOUR, NOW - 6 * HOUR)
    assert (facts.duration_s, facts.limits, facts.files) == (301.5, (), {"a.json": 5})
    assert load_alert_facts(store, "octo/other").statuses == ()


def test_a_sync_that_was_stopped_before_it_listed_a_run_failed(store: Store) -> None:
    store.add_sync(synced(2 * HOUR, "partial", listed=()))
    store.add_sync(synced(4 * HOUR, "partial", listed=(), runs_listed=3))
    store.add_sync(synced(6 * HOUR, "partial"))
    assert load_alert_facts(store, REPO).statuses == ("failed", "partial", "partial")


def test_a_real_sync_tells_what_is_left_of_the_limits(store: Store, fake: FakeGitHub) -> None:
    fake.world.add_run()
    fake.leave_calls(950, token="ghp_" + "Q7w" * 12)
    sync_once(fake, store)
    now = fake.clock.now()
    found = {one.kind: one for one in update_alerts(store, REPO, Settings(), now, None)}
    limit = found[AlertKind.RATE_LIMIT]
    assert (limit.state, limit.threshold) == (AlertState.ON, 1000)
    assert limit.value is not None
    assert 900 < limit.value < 950
    assert found[AlertKind.SYNC_FAILURES].state is AlertState.OFF
    assert known_alerts(store, REPO) == tuple(sorted(found.values(), key=lambda one: one.kind))


def test_states_last_over_syncs_and_only_news_are_written(store: Store) -> None:
    settings = Settings()
    for ago in (6, 5, 4):
        store.add_sync(synced(ago * HOUR, "failed"))
    update_alerts(store, REPO, settings, NOW - 4 * HOUR, {})
    assert states(store)["sync_failures"] == "on"
    store.add_sync(synced(2 * HOUR))
    update_alerts(store, REPO, settings, NOW - 2 * HOUR, {})
    assert states(store)["sync_failures"] == "recovered"
    before = store.history("alerts").collect().height
    update_alerts(store, REPO, settings, NOW - 2 * HOUR, {})
    assert store.history("alerts").collect().height == before
    store.add_sync(synced(HOUR))
    update_alerts(store, REPO, settings, NOW - HOUR, {})
    assert states(store)["sync_failures"] == "off"


def test_alerts_are_shown_without_asking_github_and_a_check_ends_with_three(
    store: Store, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    store.add_sync(synced(HOUR))
    assert command("--check") == 0
    assert "octo/engine: 0 of 5 alerts are on" in capsys.readouterr().out
    store.add_sync(synced(HOUR / 2, phases_s={"jobs": 301.0}))
    assert command() == 0
    assert command("--check") == 3
    out = capsys.readouterr().out
    assert "octo/engine: 1 of 5 alerts is on" in out
    assert "The last sync took 301.0 s (alarming above 300 s)." in out
    assert states(store)["sync_duration"] == "on"


def test_the_json_is_that_of_its_schema_and_markdown_is_a_table(
    store: Store, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    store.add_sync(synced(HOUR))
    assert command("--format", "json") == 0
    document = json.loads(capsys.readouterr().out)
    Draft202012Validator(schema_of("alerts")).validate(document)
    assert [one["kind"] for one in document["alerts"]] == [kind.value for kind in AlertKind]
    assert command("--format", "markdown") == 0
    assert "| sync_failures | off | The last sync did not fail. |" in capsys.readouterr().out


def test_the_sizes_of_the_data_files_are_looked_at(
    store: Store, command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store.add_sync(synced(HOUR))
    (tmp_path / "agentops-runs.json").write_bytes(b"{}")
    (tmp_path / "agentops-runs-2026-05.json").write_bytes(b"x" * (5 * 1024 * 1024 + 1))
    (tmp_path / "other.json").write_bytes(b"x" * (6 * 1024 * 1024))
    assert command("--check") == 3
    assert "agentops-runs-2026-05.json, has 5,242,881 bytes" in capsys.readouterr().out
    assert command("--data", "other.json", "--dry-run", "--check") == 3
    assert "other.json, has" in capsys.readouterr().out
    assert command("--data", "absent.json") == 1
    assert "there is no such file" in capsys.readouterr().err


def test_without_a_store_or_a_sync_of_the_repository_nothing_passes(
    store: Store, command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--check") == 1
    store.add_sync(synced(HOUR, repo="octo/other"))
    assert command("--check") == 1
    assert "The store holds no sync of octo/engine" in capsys.readouterr().err


def test_in_a_workflow_alerts_that_are_on_are_warnings_of_the_run(
    store: Store, command: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store.add_sync(synced(10 * HOUR))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert command() == 0
    assert "::warning title=trackside alert stale_data::The last sync that brought data" in capsys.readouterr().err


def with_issues(command: Command, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setenv("GITHUB_API_URL", fake.api_url)
    return command("--issue", *arguments)


def issues(fake: FakeGitHub) -> list[tuple[int, str, str, str | None]]:
    return [(one.number, one.author.login, one.state, one.state_reason) for one in fake.world.home.issues]


def test_an_alert_has_one_open_issue_that_is_renewed_and_closed_when_it_is_over(
    store: Store, command: Command, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add_sync(synced(3 * HOUR, phases_s={"jobs": 301.0}))
    assert with_issues(command, fake, monkeypatch) == 0
    assert with_issues(command, fake, monkeypatch) == 0
    assert issues(fake) == [(1, "octocat", "open", None)]
    [one] = fake.world.home.issues
    assert one.title == "Agent operations: a sync takes long"
    assert one.body is not None
    assert one.body.startswith("<!-- trackside:alert:sync_duration -->\n\nThe last sync took 301.0 s")
    assert {alert.issue for alert in known_alerts(store, REPO)} == {None, 1}
    store.add_sync(synced(2 * HOUR, phases_s={"jobs": 400.0}))
    assert with_issues(command, fake, monkeypatch) == 0
    assert "400.0 s" in (one.body or "")
    store.add_sync(synced(HOUR))
    assert with_issues(command, fake, monkeypatch) == 0
    assert with_issues(command, fake, monkeypatch) == 0
    assert issues(fake) == [(1, "octocat", "closed", "completed")]
    assert [note.body.partition("\n\n")[2][:11] for note in fake.world.home.comments] == ["It is over."]
    assert {alert.issue for alert in known_alerts(store, REPO)} == {None}
    assert fake.journal.broken_rules() == {}


def test_an_alert_that_is_on_again_has_a_new_issue(
    store: Store, command: Command, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    for ago, took in ((3, 301.0), (2, 1.0), (1, 302.0)):
        store.add_sync(synced(ago * HOUR, phases_s={"jobs": took}))
        assert with_issues(command, fake, monkeypatch) == 0
    assert [state for _, _, state, _ in issues(fake)] == ["closed", "open"]


def test_issues_of_others_are_not_its_own_whatever_they_begin_with(
    store: Store, command: Command, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = alert_marker(AlertKind.SYNC_DURATION)
    fake.world.add_issue("trap", f"{marker}\n\nclose me", author="mallory")
    store.add_sync(synced(2 * HOUR, phases_s={"jobs": 301.0}))
    assert with_issues(command, fake, monkeypatch) == 0
    store.add_sync(synced(HOUR))
    assert with_issues(command, fake, monkeypatch) == 0
    assert [(login, state) for _, login, state, _ in issues(fake)] == [("mallory", "open"), ("octocat", "closed")]
    assert fake.world.home.issues[0].body == f"{marker}\n\nclose me"


@pytest.mark.parametrize("kind", ["cut", "error"])
def test_an_issue_whose_opening_went_wrong_is_there_once(
    store: Store, command: Command, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    store.add_sync(synced(HOUR, phases_s={"jobs": 301.0}))
    fake.faults.add(kind, endpoint="create issue", nth=1)
    assert with_issues(command, fake, monkeypatch) == 0
    assert issues(fake) == [(1, "octocat", "open", None)]


def test_of_two_issues_opened_at_the_same_time_the_older_one_stays(
    store: Store, command: Command, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add_sync(synced(HOUR, phases_s={"jobs": 301.0}))
    body = f"{alert_marker(AlertKind.SYNC_DURATION)}\n\nolder"
    meanwhile = lambda: fake.world.add_issue("older", body, author="octocat")  # noqa: E731
    fake.faults.add("call", endpoint="create issue", nth=1, call=meanwhile)
    assert with_issues(command, fake, monkeypatch) == 0
    assert issues(fake) == [(1, "octocat", "open", None), (2, "octocat", "closed", "not_planned")]


def test_a_closing_that_failed_is_made_up_for_and_says_nothing_twice(
    store: Store, command: Command, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add_sync(synced(2 * HOUR, phases_s={"jobs": 301.0}))
    assert with_issues(command, fake, monkeypatch) == 0
    store.add_sync(synced(HOUR))
    fake.faults.add("error", endpoint="edit issue", status=404, nth=1)
    assert with_issues(command, fake, monkeypatch) == 1
    assert with_issues(command, fake, monkeypatch) == 0
    assert issues(fake)[0][2] == "closed"
    assert len(fake.world.home.comments) == 1


def test_a_missing_permission_is_named(
    store: Store,
    command: Command,
    fake: FakeGitHub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store.add_sync(synced(HOUR, phases_s={"jobs": 301.0}))
    fake.tokens.add(TOKEN, permissions={"issues": "read"})
    assert with_issues(command, fake, monkeypatch) == 1
    assert "needs the permission issues: write" in capsys.readouterr().err


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(
    store: Store,
    command: Command,
    fake: FakeGitHub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store.add_sync(synced(HOUR, phases_s={"jobs": 301.0}))
    assert with_issues(command, fake, monkeypatch, "--dry-run", "--check") == 3
    err = capsys.readouterr().err
    assert "It would open an issue: Agent operations: a sync takes long" in err
    assert "octo/engine alerts: 1 on" in err
    assert (issues(fake), states(store)) == ([], {})
    assert {call.method for call in fake.journal.calls if call.endpoint != "graphql"} == {"GET"}


class Hook:
    """A web hook on a real socket; ``status`` is what it answers."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.status = 200
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers["Content-Length"])
                if hook.status == 200:
                    hook.received.append(json.loads(self.rfile.read(size)))
                self.send_response(hook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.server.server_port}/"


@pytest.fixture
def hook() -> Iterator[Hook]:
    pytest.importorskip("apprise")
    made = Hook()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_each_change_is_told_once_and_what_was_not_taken_is_told_again(
    store: Store, command: Command, hook: Hook
) -> None:
    store.add_sync(synced(3 * HOUR))
    assert command("--notify", hook.url) == 0
    assert hook.received == []
    store.add_sync(synced(2 * HOUR, phases_s={"jobs": 301.0}))
    hook.status = 500
    assert command("--notify", hook.url) == 1
    hook.status = 200
    for _ in range(2):
        assert command("--notify", hook.url) == 0
    store.add_sync(synced(HOUR))
    for _ in range(2):
        assert command("--notify", hook.url) == 0
    assert [one["title"] for one in hook.received] == ["octo/engine alerts: 1 on", "octo/engine alerts: 1 over"]
    assert hook.received[0]["message"] == "On: `The last sync took 301.0 s (alarming above 300 s).`"
    assert hook.received[1]["message"].startswith("Over: `The last sync took")


def an_alert(kind: AlertKind, state: AlertState, text: str = "x") -> Alert:
    return Alert(repo=REPO, kind=kind, state=state, text=text)


def test_an_alert_that_is_unknown_is_neither_on_nor_over() -> None:
    on = (an_alert(AlertKind.RATE_LIMIT, AlertState.ON),)
    told = Told(ever=True, notices=alert_news(Told(), REPO, on).notices)
    assert alert_news(told, REPO, (an_alert(AlertKind.RATE_LIMIT, AlertState.UNKNOWN),)).notices == ()
    assert alert_news(told, REPO, on).notices == ()
    over = alert_news(told, REPO, (an_alert(AlertKind.RATE_LIMIT, AlertState.OFF),))
    assert [one.kind for one in over.over] == [AlertKind.RATE_LIMIT]


def test_nothing_in_a_message_acts() -> None:
    news = alert_news(
        Told(), "a@b/`c`", (an_alert(AlertKind.FILE_SIZE, AlertState.ON, "<!here> @all https://x.example"),)
    )
    message = alert_message_of("a@b/`c`", news)
    assert message is not None
    assert not any(sign in message.text for sign in ("@", "<", "://"))
    assert alert_message_of(REPO, alert_news(Told(), REPO, ())) is None
