"""The client's decisions as properties: whatever answers come in whatever order, none breaks a rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.clocks import StillClock
from trackside.github.budget import Allowance, Leave, Marks, may_go, read_allowance, read_count
from trackside.github.lanes import Lane
from trackside.github.links import ApiAddress, next_link, resolve
from trackside.github.refusals import expiry_warning, explain
from trackside.github.retries import (
    Kind,
    classify,
    limit_wait_s,
    read_http_date,
    retry_after_s,
    retry_wait_s,
)

NAMES: Final = [
    "retry-after",
    "x-ratelimit-remaining",
    "x-ratelimit-limit",
    "x-ratelimit-reset",
    "content-type",
    "location",
    "x-accepted-github-permissions",
    "x-github-sso",
    "github-authentication-token-expiration",
]
values = st.one_of(st.text(max_size=20), st.integers(-(10**20), 10**20).map(str), st.just("0"))
headers = st.dictionaries(st.sampled_from(NAMES), values)
messages = st.sampled_from(
    ["", "Not Found", "API rate limit exceeded", "secondary rate limit", "abuse detection", "Bad credentials"]
)
bodies = st.one_of(st.binary(max_size=50), messages.map(lambda text: msgspec.json.encode({"message": text})))
counts = st.one_of(st.none(), st.integers(0, 20_000))
chances = st.floats(0, 1, exclude_max=True)
NOW_S: Final = StillClock().now().timestamp()


@given(st.sampled_from([400, 401, 404, 405, 406, 409, 410, 415, 422, 451]), headers, bodies, st.booleans())
def test_a_refusal_is_a_refusal_whatever_comes_with_it(
    status: int, given_headers: dict[str, str], body: bytes, graphql: bool
) -> None:
    assert classify(status, given_headers, body, graphql=graphql).kind is Kind.REFUSED


@pytest.mark.parametrize("half", ["\\ud83d", "\\ude00", "\\ud83d x", "x \\ud83d\\ud83d\\ude00"])
@pytest.mark.parametrize("graphql", [False, True])
def test_half_of_a_surrogate_pair_in_a_title_spoils_no_page_and_a_cut_page_stays_cut(half: str, graphql: bool) -> None:
    body = f'{{"title": "{half}"}}'.encode()
    assert classify(200, {"content-type": "application/json"}, body, graphql=graphql).kind is Kind.GOOD
    assert classify(200, {"content-type": "application/json"}, body[:-1], graphql=graphql).kind is Kind.AGAIN


@given(st.integers(100, 599), headers, bodies, st.booleans(), st.booleans())
def test_every_answer_has_one_meaning_and_words_for_it(
    status: int, given_headers: dict[str, str], body: bytes, graphql: bool, has_token: bool
) -> None:
    verdict = classify(status, given_headers, body, graphql=graphql)
    assert verdict.reason or verdict.kind is Kind.GOOD
    assert (verdict.kind is Kind.GOOD) <= (200 <= status < 300 or status == 304)
    assert (verdict.kind is Kind.AGAIN) <= (status >= 500 or status == 408 or 200 <= status < 300)
    words = explain(status, given_headers, body, has_token=has_token)
    assert words.isprintable()
    expiry_warning(given_headers, StillClock().now())


@given(headers, bodies)
def test_a_403_is_a_permission_only_without_any_sign_of_a_limit(given_headers: dict[str, str], body: bytes) -> None:
    if classify(403, given_headers, body).kind is Kind.REFUSED:
        assert "retry-after" not in given_headers
        assert given_headers.get("x-ratelimit-remaining", "").strip() != "0"
        assert b"rate limit" not in body
        assert b"abuse" not in body


@given(st.integers(0, 1000), chances, st.one_of(st.none(), st.floats(0, 1e12)))
def test_a_retry_waits_from_two_to_sixty_seconds(tried: int, chance: float, asked_s: float | None) -> None:
    assert 2 <= retry_wait_s(tried, chance, asked_s) <= 60


@given(
    st.sampled_from([Kind.PRIMARY, Kind.SECONDARY]),
    headers,
    st.floats(-1e12, 1e12) | st.none(),
    st.integers(0, 1000),
    chances,
)
def test_a_limit_waits_from_one_second_to_about_an_hour(
    kind: Kind, given_headers: dict[str, str], reset_s: float | None, hits: int, chance: float
) -> None:
    wait_s = limit_wait_s(kind, given_headers, Allowance(remaining=0, reset_s=reset_s), NOW_S, hits, chance)
    assert 1 <= wait_s <= 3660


@given(st.integers(1, 3600), st.integers(0, 5), chances)
def test_what_retry_after_asks_for_wins(asked_s: int, hits: int, chance: float) -> None:
    given_headers = {"retry-after": str(asked_s)}
    assert limit_wait_s(Kind.SECONDARY, given_headers, Allowance(), NOW_S, hits, chance) == asked_s


@given(headers, st.text(max_size=60))
def test_headers_of_any_kind_are_read_without_an_exception(given_headers: dict[str, str], text: str) -> None:
    known = read_allowance(given_headers, NOW_S)
    assert known.remaining is None or known.remaining >= 0
    assert known.reset_s is None or abs(known.reset_s - NOW_S) <= 7200
    assert (read_count(text) or 0) >= 0
    assert (retry_after_s({"retry-after": text}, NOW_S) or 0) >= 0
    read_http_date(text)


@given(st.text(max_size=60), st.text(max_size=60))
def test_links_of_any_kind_are_read_without_an_exception(link: str, text: str) -> None:
    api = ApiAddress("https://api.github.com")
    for found in (next_link(link, "https://api.github.com/a"), next_link(f"<{text}>; rel=next", "https://h/a")):
        if found is not None and api.owns(found):
            assert found.startswith(
                ("https://api.github.com/", "https://api.github.com?", "https://api.github.com:443")
            )
        assert api.shown(found or text).isprintable()
    target = resolve("https://api.github.com/a", text)
    assert target is None or target.isprintable()


@given(st.lists(st.tuples(counts, st.sampled_from([NOW_S + 100, NOW_S + 101, None]))))
def test_within_a_period_what_is_left_never_grows(seen: list[tuple[int | None, float | None]]) -> None:
    known = Allowance()
    for remaining, reset_s in seen:
        before = known.remaining
        known = known.after(Allowance(limit=20_000, remaining=remaining, reset_s=reset_s))
        assert before is None or (known.remaining is not None and known.remaining <= before)


@given(counts.filter(bool), st.integers(0, 100), st.one_of(st.none(), st.integers(1, 20_000)), counts, counts)
def test_nobody_goes_where_nothing_is_left(
    remaining: int | None, in_flight: int, limit: int | None, pause: int | None, stop: int | None
) -> None:
    known = Allowance(limit=limit, remaining=remaining, reset_s=NOW_S + 10)
    leave = may_go(known, in_flight, NOW_S, Marks(pause_below=pause, stop_below=stop))
    if leave is Leave.GO:
        assert remaining is None or remaining - in_flight >= 1


@given(st.integers(1, 100_000))
def test_the_breaker_is_never_above_the_pause(limit: int) -> None:
    pause, stop = Marks().at(limit)
    assert 0 <= stop <= pause <= max(100, 1)
    assert stop <= limit * 0.1
    assert pause <= max(limit * 0.2, 1)


def test_what_was_sent_before_a_hold_says_nothing_about_after_it() -> None:
    lane = Lane("core", probe=True)
    before = lane.epoch
    lane.hold(10.0, "why")
    lane.hits = 2
    assert not lane.is_held(10.0)
    lane.answered(before)
    assert lane.probe
    assert lane.hits == 2
    lane.answered(lane.epoch)
    assert not lane.probe
    assert lane.hits == 0


@dataclass
class _Flying:
    """A call on its way back, with what the server wrote into its answer; None before the server has seen it."""

    seen: Allowance | None = None


class OneConsumer(RuleBasedStateMachine):
    """A server that counts, and calls that start, are served, come back in any order, or are lost on the way."""

    LIMIT: Final = 40
    MARKS: Final = Marks()

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.reset_s = 3600.0
        self.left = self.LIMIT
        self.known = Allowance()
        self.flying: list[_Flying] = []
        self.lowest = self.LIMIT

    @rule()
    def start(self) -> None:
        leave = may_go(self.known, len(self.flying), self.now_s, self.MARKS)
        if leave is Leave.RENEWED:
            self.known = self.known.renewed()
        # Where nothing is known one call goes alone, as the lane has it.
        alone_or_known = self.known.remaining is not None or not self.flying
        if leave in (Leave.GO, Leave.RENEWED) and alone_or_known and len(self.flying) < 10:
            self.flying.append(_Flying())

    @precondition(lambda self: any(one.seen is None for one in self.flying))
    @rule(data=st.data())
    def serve(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from([one for one in self.flying if one.seen is None]))
        self.left -= 1
        self.lowest = min(self.lowest, self.left)
        call.seen = Allowance(limit=self.LIMIT, remaining=max(self.left, 0), reset_s=self.reset_s)

    @precondition(lambda self: any(one.seen is not None for one in self.flying))
    @rule(data=st.data(), lost=st.booleans())
    def come_back(self, data: st.DataObject, lost: bool) -> None:
        index = data.draw(st.sampled_from([at for at, one in enumerate(self.flying) if one.seen is not None]))
        seen = self.flying.pop(index).seen
        assert seen is not None
        self.known = self.known.spent() if lost else self.known.after(seen)

    @precondition(lambda self: not self.flying)
    @rule()
    def wait_for_the_renewal(self) -> None:
        self.now_s = self.reset_s + 1
        self.reset_s += 3600
        self.left = self.LIMIT

    @invariant()
    def the_limit_is_never_overdrawn(self) -> None:
        pause, _ = self.MARKS.at(self.LIMIT)
        assert self.lowest >= pause - 1


TestOneConsumer = OneConsumer.TestCase
