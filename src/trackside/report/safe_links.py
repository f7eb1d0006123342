"""Addresses from outside that a page may make links of."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

_PLAIN: Final = re.compile(r"https?://[\w.~:/?#@!$&'()*+,;=%-]+", re.ASCII)


@lru_cache(maxsize=100_000)
def link_within(url: str | None, site: str) -> str | None:
    """``url`` where it is a plain address on the host of ``site``, else None: then it is text.

    Another port, a name before an ``@`` and another scheme than http and https are other hosts. What was answered is
    kept: pages ask for the addresses of one run again and again.
    """
    if url is None or not _PLAIN.fullmatch(url):
        return None
    try:
        told, home = urlsplit(url), urlsplit(site)
    except ValueError:
        return None
    return url if told.netloc.lower() == home.netloc.lower() else None


def site_of(run_url: str | None) -> str:
    """Where the pages of GitHub are, as that of a run tells it: another server has them at another address."""
    if run_url is None or not _PLAIN.fullmatch(run_url):
        return "https://github.com"
    scheme, _, rest = run_url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"
