"""Addresses from outside that become links, and those that do not."""

from __future__ import annotations

import pytest

from trackside.report.safe_links import link_within

SITE = "https://github.com"


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/octo/engine/actions/runs/1/job/2",
        "http://github.com/octo/engine",
        "https://GitHub.com/octo/engine/compare/a...b",
        "https://github.com/octo/engine/issues/7#issuecomment-1",
    ],
)
def test_addresses_of_the_host_are_links(url: str) -> None:
    assert link_within(url, SITE) == url


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "JaVaScRiPt://github.com/%0aalert(1)",
        "data:text/html,x",
        "//github.com/octo",
        "/octo/engine",
        "https://github.com.evil.example/x",
        "https://github.com@evil.example/x",
        "https://evil.example@github.com/x",
        "https://github.com:8443/x",
        "https://evil.example/github.com",
        "https:\\\\github.com/x",
        "https://github.com/\"onmouseover='x'",
        "https://github.com/a b",
        "https://github.com/\nx",
        "https://github.com/\u202ex",
        "https://[github.com/x",
        "https://gіthub.com/x",
    ],
)
def test_everything_else_is_text(url: str | None) -> None:
    assert link_within(url, SITE) is None


def test_the_host_of_a_server_of_ones_own_counts() -> None:
    url = "https://git.example:8443/octo/engine/actions/runs/1"

    assert link_within(url, "https://git.example:8443") == url
    assert link_within("https://github.com/octo/engine", "https://git.example:8443") is None
