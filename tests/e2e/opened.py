"""A page in a browser that has no network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

MOST_MS = 15_000
"""A page that is not there by then never comes."""


class Opened:
    """A page and everything that went wrong on it. An address is that of a server on this machine."""

    def __init__(
        self,
        browser: Browser,
        path: Path | str,
        width: int = 1280,
        scheme: str = "light",
        script: bool = True,
        zone: str | None = None,
    ):
        self.faults: list[str] = []
        url = path if isinstance(path, str) else path.as_uri()
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,  # type: ignore[arg-type]
            offline=not url.startswith("http"),
            java_script_enabled=script,
            timezone_id=zone,
        )
        context.set_default_timeout(MOST_MS)
        page: Page = context.new_page()
        page.on("console", lambda said: self.faults.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("requestfailed", lambda request: self.faults.append(f"failed: {request.url}"))
        self.requests: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(url)
        self.page = page
        if script:
            page.wait_for_selector("html[data-ready]", state="attached")


def address_of(page: Page) -> str:
    """The address as the page itself has it: ``page.url`` hears of a step within a page a moment later."""
    return str(page.evaluate("() => location.href"))
