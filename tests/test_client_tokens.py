"""Where tokens come from, when they are renewed, and that nothing ever shows one."""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.clocks import StillClock
from tests.connecting import TOKEN, Talk, talking
from tests.scripted_server import Received, Reply, answer
from trackside.errors import GitHubError, MissingExtraError, UsageError
from trackside.github.client import GitHub
from trackside.github.tokens import AppToken, StaticToken, find_token

GOOD = answer(200, {})
PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEY = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PUBLIC = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


class App:
    """GitHub as an App sees it: gives tokens that live for an hour, refuses what was not signed rightly."""

    def __init__(self, clock: StillClock, server_ahead_s: float = 0.0) -> None:
        self.given: list[str] = []
        self.revoked: set[str] = set()
        self._clock = clock
        self._ahead = dt.timedelta(seconds=server_ahead_s)

    def __call__(self, request: Received) -> Reply:
        now = self._clock.now() + self._ahead
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        date = f"{now:%a, %d %b %Y %H:%M:%S} GMT"
        if request.path.endswith(("/installation", "/access_tokens")):
            if not self._is_signed(bearer, now):
                return answer(401, {"message": "'Expiration time' claim is too far in the future"}, date=date)
            if request.path.endswith("/installation"):
                return answer(200, {"id": 99}, date=date)
            self.given.append(f"ghs_installation{len(self.given)}")
            until = f"{now + dt.timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
            return answer(201, {"token": self.given[-1], "expires_at": until}, date=date)
        if request.path == "/gone":
            return answer(422, {"message": f"not for {bearer}"})
        good = bearer in self.given and bearer not in self.revoked
        return answer(200, {"token": bearer}, date=date) if good else answer(401, {"message": "Bad credentials"})

    def _is_signed(self, bearer: str, now: dt.datetime) -> bool:
        claims = jwt.decode(bearer, PUBLIC, algorithms=["RS256"], options={"verify_exp": False, "verify_iat": False})
        lasts = claims["exp"] - claims["iat"]
        in_time = claims["iat"] <= now.timestamp() < claims["exp"] <= now.timestamp() + 600
        return bool(claims["iss"] == "123" and in_time and lasts <= 660)


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def app_talk(clock: StillClock) -> Iterator[tuple[App, Talk]]:
    app = App(clock)
    with talking(app, clock=clock, token=AppToken("123", KEY, "o/r")) as talk:
        yield app, talk


def test_an_app_asks_for_a_token_once_and_uses_it(app_talk: tuple[App, Talk]) -> None:
    _, talk = app_talk
    assert [json.loads(talk.get())["token"] for _ in range(3)] == ["ghs_installation0"] * 3
    assert talk.server.targets == [
        "GET /repos/o/r/installation",
        "POST /app/installations/99/access_tokens",
        "GET /thing",
        "GET /thing",
        "GET /thing",
    ]
    assert talk.github.meter().calls == 5


def test_an_apps_token_is_renewed_before_it_expires(app_talk: tuple[App, Talk], clock: StillClock) -> None:
    _, talk = app_talk
    talk.get()
    clock.advance(54 * 60)
    assert json.loads(talk.get())["token"] == "ghs_installation0"
    clock.advance(2 * 60)
    assert json.loads(talk.get())["token"] == "ghs_installation1"


def test_an_apps_token_that_is_refused_is_renewed_once(app_talk: tuple[App, Talk]) -> None:
    app, talk = app_talk
    talk.get()
    app.revoked.add("ghs_installation0")
    assert json.loads(talk.get())["token"] == "ghs_installation1"
    app.revoked |= {f"ghs_installation{number}" for number in range(99)}
    with pytest.raises(GitHubError, match="not valid or has expired"):
        talk.get()
    assert len(app.given) == 3


def test_a_refusal_of_an_old_token_does_not_cost_the_new_one(clock: StillClock) -> None:
    app, source = App(clock), AppToken("123", KEY, "o/r")
    with talking(app, clock=clock, token=source) as talk:
        talk.get()
        assert source.renew("ghs_installation0")
        talk.get()
        assert source.renew("ghs_installation0")  # another call that was under way with the old one
        talk.get()
    assert len(app.given) == 2


def test_many_calls_at_once_renew_a_token_once(app_talk: tuple[App, Talk]) -> None:
    app, talk = app_talk
    assert all(one.error is None for one in talk.github.each(lambda n: talk.get(f"/{n}"), range(20)))
    assert len(app.given) == 1


@pytest.mark.parametrize("ahead_s", [-3000.0, 3000.0])
def test_a_clock_that_is_off_is_put_right_by_githubs(clock: StillClock, ahead_s: float) -> None:
    app = App(clock, server_ahead_s=ahead_s)
    with talking(app, clock=clock, token=AppToken("123", KEY, "o/r")) as talk:
        talk.get()
        assert talk.server.targets.count("GET /repos/o/r/installation") == 2


def test_an_app_that_is_not_installed_is_said(clock: StillClock) -> None:
    with (
        talking([answer(404, {})], clock=clock, token=AppToken("123", KEY, "o/r")) as talk,
        pytest.raises(GitHubError, match="/repos/o/r/installation is not there"),
    ):
        talk.get()


@pytest.mark.parametrize(
    "given", [{}, {"token": 1}, {"token": "ghs_x"}, {"token": "a b", "expires_at": "2026-11-22T13:00:00Z"}]
)
def test_an_answer_without_a_token_is_an_error_that_shows_nothing(clock: StillClock, given: dict[str, object]) -> None:
    script = [answer(200, {"id": 1}), answer(201, given)]
    with talking(script, clock=clock, token=AppToken("123", KEY, "o/r")) as talk:
        with pytest.raises(GitHubError) as caught:
            talk.get()
        assert "ghs_x" not in str(caught.value)
        assert "a b" not in str(caught.value)


def test_the_token_is_shown_nowhere(app_talk: tuple[App, Talk], caplog: pytest.LogCaptureFixture) -> None:
    app, talk = app_talk
    caplog.set_level(logging.DEBUG)
    talk.get()
    app.revoked.add("ghs_installation0")
    talk.get()
    with pytest.raises(GitHubError) as caught:
        talk.github.get("/gone", endpoint="things")
    source = AppToken("123", KEY, "o/r")
    shown = [repr(source), repr(talk.github), repr(talk.github.meter()), str(caught.value), caplog.text]
    shown += talk.said + talk.traced + [repr(part) for part in vars(talk.github).values()]
    for secret in (*app.given, "BEGIN PRIVATE KEY", "eyJ"):
        assert secret not in "".join(shown)


def test_a_static_token_is_not_in_its_representation_or_that_of_the_client() -> None:
    source = StaticToken(TOKEN)
    with GitHub(token=source) as github:
        assert TOKEN not in f"{source!r} {source} {github!r} {github}"


@pytest.mark.parametrize("bad", ["ghp_a b", "ghp_a\nX-Evil: 1", "ghp_a\r", "gh\tp", "ghp_é", "\x00", "ghp_a\x7f"])
def test_what_cannot_be_a_token_is_wrong_usage_and_not_shown(bad: str) -> None:
    with pytest.raises(UsageError, match=r"GITHUB_TOKEN is not a token") as caught:
        find_token(None, {"GITHUB_TOKEN": f"x{bad}x"}, "o/r")
    assert bad not in str(caught.value)


@pytest.mark.parametrize(
    ("option", "environ", "expected"),
    [
        ("t0", {"GITHUB_TOKEN": "t1", "GH_TOKEN": "t2"}, "t0"),
        (None, {"GITHUB_TOKEN": "t1", "GH_TOKEN": "t2"}, "t1"),
        ("  ", {"GITHUB_TOKEN": " ", "GH_TOKEN": "t2\n"}, "t2"),
        (None, {"GITHUB_TOKEN": "", "GH_TOKEN": ""}, None),
        (None, {}, None),
    ],
)
def test_the_option_goes_before_the_environment(
    option: str | None, environ: dict[str, str], expected: str | None
) -> None:
    source = find_token(option, environ, "o/r")
    with talking([GOOD], token=source) as talk:
        talk.get()
    assert talk.server.received[0].headers.get("authorization") == (expected and f"Bearer {expected}")


def test_an_app_in_the_environment_goes_before_its_tokens(tmp_path: Path) -> None:
    key = tmp_path / "app.pem"
    key.write_bytes(KEY)
    environ = {"TRACKSIDE_APP_ID": "123", "TRACKSIDE_APP_KEY": str(key), "GITHUB_TOKEN": "t1"}
    assert isinstance(find_token(None, environ, "o/r"), AppToken)
    assert isinstance(find_token("t0", environ, "o/r"), StaticToken)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"TRACKSIDE_APP_ID": "1"}, "TRACKSIDE_APP_ID is set, but TRACKSIDE_APP_KEY is not"),
        ({"TRACKSIDE_APP_KEY": "x"}, "TRACKSIDE_APP_KEY is set, but TRACKSIDE_APP_ID is not"),
        ({"TRACKSIDE_APP_ID": "1", "TRACKSIDE_APP_KEY": "missing.pem"}, "missing.pem cannot be read"),
        ({"TRACKSIDE_APP_ID": "1", "TRACKSIDE_APP_KEY": KEY.decode()}, "must be the path of the key file"),
    ],
)
def test_half_an_app_is_wrong_usage(environ: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        find_token(None, environ, "o/r")
    assert "BEGIN" not in str(caught.value)


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b"not a key",
        PUBLIC,
        KEY[:200],
        ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    ],
)
def test_what_is_no_private_rsa_key_is_wrong_usage(key: bytes) -> None:
    with pytest.raises(UsageError, match="not a private RSA key"):
        AppToken("1", key, "o/r")


def test_without_the_extra_an_app_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jwt", None)
    with pytest.raises(MissingExtraError, match=r"trackside\[app\]"):
        AppToken("1", KEY, "o/r")
