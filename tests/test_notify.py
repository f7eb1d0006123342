"""Messages on what changed: short, harmless, and sent over a real socket without a word of the secrets in their URL."""

from __future__ import annotations

import builtins
import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scripted_server import Received, ScriptedServer, answer
from trackside.ci.changes import Change, ChangeKind, Changes
from trackside.errors import MissingExtraError, OutputError, UsageError
from trackside.notify.messages import MOST_CHARACTERS, MOST_LINES, Message, harmless, message_of
from trackside.notify.sender import masked, open_sender, without_secrets

RUN = "https://github.com/octo/engine/actions/runs/1007"
BROKE = Change(
    kind=ChangeKind.BROKEN, what="PR Test / unit (4)", url=RUN, since=7, count=3, where=("main",), cause="test"
)
FIXED = Change(kind=ChangeKind.FIXED, what="PR Test / lint", url=RUN, since=9)
GONE = Change(kind=ChangeKind.GONE, what="PR Test / old", since=5)
ERROR = Change(
    kind=ChangeKind.ERROR,
    what="RuntimeError: NCCL error: unhandled system error",
    url=RUN,
    since=8,
    count=12,
    where=("PR Test / unit (1)", "PR Test / unit (2)"),
    cause="gpu_fault",
)
FLAKY = Change(kind=ChangeKind.FLAKY, what="PR Test / unit (1)", url=RUN, count=2)


def told(*items: Change, **more: Any) -> Message | None:
    return message_of(Changes(repo="octo/engine", items=items, notices=(), **more))


def text_of(*items: Change, **more: Any) -> str:
    message = told(*items, **more)
    assert message is not None
    return message.text


def test_a_message_says_what_broke_what_is_fixed_and_what_is_new_each_with_its_link() -> None:
    assert text_of(BROKE, FIXED, GONE, ERROR, FLAKY).splitlines() == [
        "octo/engine: 1 newly broken, 1 fixed, 1 no longer run, 1 new error, 1 newly flaky",
        f"Broken: `PR Test / unit (4)` (on `main`, since run #7, 3 runs in a row, test) {RUN}",
        f"Fixed: `PR Test / lint` (in run #9) {RUN}",
        "No longer run: `PR Test / old` (last seen in run #5)",
        "New error: `RuntimeError: NCCL error: unhandled system error` "
        f"(gpu fault, in `PR Test / unit (1)` and 1 more, 12 ×) {RUN}",
        f"Flaky: `PR Test / unit (1)` (passed and failed on 2 commits) {RUN}",
    ]


def test_where_nothing_changed_there_is_no_message() -> None:
    assert told() is None
    assert told(is_first=True, flaky_known=3) is None


def test_the_first_message_tells_what_is_broken_now_and_what_is_known_besides() -> None:
    assert text_of(BROKE, is_first=True, flaky_known=12, errors_known=1).splitlines() == [
        "octo/engine: 1 job is broken on the default branch",
        f"Broken: `PR Test / unit (4)` (on `main`, since run #7, 3 runs in a row, test) {RUN}",
        "Known besides: 12 flaky jobs and 1 error. From now on only changes are told.",
    ]


def test_a_message_of_many_changes_is_cut_and_says_how_many_are_left() -> None:
    lines = text_of(*[BROKE] * 30).splitlines()
    assert len(lines) == MOST_LINES
    assert lines[0] == "octo/engine: 30 newly broken"
    assert lines[-1] == "… and 22 more."


@given(st.lists(st.text(max_size=400), min_size=1, max_size=40), st.booleans())
def test_a_message_is_never_longer_than_ten_lines_and_1500_characters(names: list[str], first: bool) -> None:
    items = [Change(kind=ChangeKind.BROKEN, what=name, url=RUN, where=(name,), count=10**9) for name in names]
    text = text_of(*items, is_first=first, flaky_known=5)
    assert len(text) <= MOST_CHARACTERS
    assert len(text.splitlines()) <= MOST_LINES


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("@here everybody", "`＠here everybody`"),
        ("<!channel> hi", "`‹！channel› hi`"),
        ("!channel|all>", "`！channel¦all›`"),
        ("<@U123>", "`‹＠U123›`"),
        ("[click](https://evil.test/x)", "`[click](https:⁄⁄evil.test/x)`"),
        ("www.evil.test", "`www․evil.test`"),
        ("a` *b* `c", "`aˋ *b* ˋc`"),
        ("one\ntwo\x1b[31m\u202ethree", "`one two [31m three`"),
        ("", "`?`"),
        ("x" * 500, "`" + "x" * 119 + "…`"),
    ],
)
def test_names_mention_nobody_and_link_nowhere(name: str, shown: str) -> None:
    assert harmless(name) == shown


@given(st.text())
def test_no_name_gets_out_of_its_code_span(name: str) -> None:
    shown = harmless(name)
    assert shown[0] == shown[-1] == "`"
    assert not set(shown[1:-1]) & set("`@<>|!\\\n\r")
    assert "://" not in shown


def test_a_link_that_is_no_link_is_left_out() -> None:
    odd = Change(kind=ChangeKind.FIXED, what="job", url="javascript:alert(1)")
    broken_out = Change(kind=ChangeKind.FIXED, what="job", url="https://github.com/x) @here <!channel>")
    assert text_of(odd).splitlines()[1:] == ["Fixed: `job`"]
    assert text_of(broken_out).splitlines()[1:] == ["Fixed: `job`"]


def test_a_hostile_repository_name_does_nothing_in_the_title() -> None:
    message = message_of(Changes(repo="@everyone/<!here>", items=(FIXED,), notices=()))
    assert message is not None
    assert message.title == "＠everyone/‹！here›: 1 fixed"


def test_a_message_arrives_at_a_server_as_it_was_written() -> None:
    with ScriptedServer(lambda _request: answer(200, {"ok": True})) as server:
        open_sender(server.url.replace("http://", "json://") + "/s3cret-path").send(Message("a title", "one\ntwo `x`"))
    (request,) = server.received
    assert request.path == "/s3cret-path"
    body = json.loads(request.body)
    assert (body["title"], body["message"]) == ("a title", "one\ntwo `x`")


def refused(status: int, url_end: str = "/s3cret-path?token=hunter2hunter2") -> tuple[str, list[Received]]:
    with ScriptedServer(lambda _request: answer(status, {})) as server:
        sender = open_sender(server.url.replace("http://", "json://user:passw0rd@") + url_end)
        with pytest.raises(OutputError) as caught:
            sender.send(Message("title", "body"))
    return str(caught.value), server.received


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_a_message_that_is_refused_is_an_error_that_names_the_status_and_no_secret(status: int) -> None:
    said, received = refused(status)
    assert received
    assert said.startswith("The message was not sent to json://***")
    assert str(status) in said
    assert said.endswith("the next run tells it again.")
    assert not any(secret in said for secret in ("s3cret", "hunter2", "passw0rd", "127.0.0.1"))


def test_a_message_to_nobody_is_an_error_without_a_secret() -> None:
    with ScriptedServer([]) as server:
        url = server.url.replace("http://", "json://") + "/s3cret-path"
    with pytest.raises(OutputError) as caught:
        open_sender(url).send(Message("title", "body"))
    assert "s3cret" not in str(caught.value)


def test_nothing_is_printed_by_the_library_while_it_sends(capfd: pytest.CaptureFixture[str]) -> None:
    refused(500)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("url", ["nonsense", "foo://s3cret", "slack://s3cret", "", "   ", "https://", "mailto:"])
def test_a_url_that_names_no_service_is_wrong_usage_and_is_not_shown(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_sender(url)
    assert "s3cret" not in str(caught.value)
    assert "--notify" in str(caught.value)


def test_without_the_extra_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "apprise":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    for name in [name for name in sys.modules if name.partition(".")[0] == "apprise"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingExtraError, match=r"pip install 'trackside\[notify\]'"):
        open_sender("json://localhost/")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("slack://TokenA/TokenB/TokenC", "slack://***"),
        ("https://hooks.example/services/T/B/X", "https://***"),
        ("no scheme at all", "***"),
        ("MAILTO://me:pw@example.test", "mailto://***"),
    ],
)
def test_of_a_url_only_its_scheme_is_ever_shown(url: str, shown: str) -> None:
    assert masked(url) == shown


def test_secrets_are_taken_out_of_what_a_service_says_encoded_or_not() -> None:
    url = "slack://T0ken%2FA/B0xx?key=abc%20def"
    assert without_secrets("bad token T0ken/A\nor B0xx, key abc def", url) == "bad token ***/A or ***, *** *** ***"


def test_a_sender_does_not_show_its_secrets() -> None:
    assert repr(open_sender("json://user:passw0rd@localhost/s3cret")) == "Sender(json://***)"
