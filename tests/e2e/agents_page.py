"""What tests ask of an opened page of agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

TABLES: Final = """() => Object.fromEntries(["workflows", "agents", "runs", "recent"].map((key) => [key,
    [...document.querySelectorAll(`#${key} tbody tr`)].map((row) => [...row.cells].map((cell) => cell.innerHTML))]))"""
FIGURES: Final = """() => Object.fromEntries([...document.querySelectorAll("[data-kpi]")].map((card) => [
    card.dataset.kpi, [card.querySelector("b").textContent, card.querySelector(".basis").textContent]]))"""

_HAS_LOOKED = """() =>
    performance.getEntriesByName(new URL("data/agentops-runs.json", location.href).href).length > 0"""


def until_it_has_looked(page: Page) -> None:
    """Waits until a served page has read the data file that it asks for when it is opened.

    A reading that is wanted before that end is the same one, and may have begun before a file was exchanged.
    """
    page.wait_for_function(_HAS_LOOKED)
    page.evaluate("() => trackside.agents.refresh()")


def field(page: Page, name: str, table: str = "runs") -> Locator:
    return page.locator(f"#{table} .tools").get_by_label(name, exact=True)


def count(page: Page, table: str = "runs") -> str:
    return page.locator(f"#{table} .count").inner_text()


def column(page: Page, number: int, table: str = "runs") -> set[str]:
    cells = page.locator(f"#{table} tbody td:nth-child({number})")
    return {text.split("\n")[0].strip(" ✓✗◷") for text in cells.all_inner_texts()}
