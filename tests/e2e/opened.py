"""A page in a browser that has no network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


class Opened:
    """A page and everything that went wrong on it."""

    def __init__(self, browser: Browser, path: Path, width: int = 1280, scheme: str = "light", script: bool = True):
        self.faults: list[str] = []
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,  # type: ignore[arg-type]
            offline=True,
            java_script_enabled=script,
        )
        page: Page = context.new_page()
        page.on("console", lambda said: self.faults.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("requestfailed", lambda request: self.faults.append(f"failed: {request.url}"))
        self.requests: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(path.as_uri())
        self.page = page
        if script:
            page.wait_for_selector("html[data-ready]", state="attached")
