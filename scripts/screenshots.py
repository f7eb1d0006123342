"""Take the pictures of the documentation: every page of the demo's site into ``docs/images``.

``make screenshots`` runs it. The site is made if it is not there: from the same made-up world at one moment, so that
pictures differ only where pages do.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from PIL import Image

ROOT: Final = Path(__file__).resolve().parent.parent
if __package__ in (None, ""):
    sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from playwright.sync_api import Browser

IMAGES: Final = ROOT / "docs" / "images"
SITE: Final = ROOT / "demo-output" / "site"
MOST_BYTES: Final = 250_000
_COLOURS: Final = (None, 256, 128, 64, 32)
_FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--font-render-hinting=none", "--no-first-run")
_SETTLED_MS: Final = 1_500
_READY_MS: Final = 30_000


class Shot(msgspec.Struct, frozen=True, kw_only=True):
    """A picture: ``page`` is a path below the site, or a pattern whose first match is meant.

    ``at`` is what is scrolled to, as a selector; the top of the page without one.
    """

    name: str
    page: str
    width: int = 1440
    height: int = 900
    scheme: str = "light"
    at: str = ""


SHOTS: Final = (
    Shot(name="home", page="index.html", height=1000),
    Shot(name="home-dark", page="index.html", scheme="dark", height=1000),
    Shot(name="home-phone", page="index.html", width=390, height=844),
    Shot(name="ci", page="ci.html", height=1100),
    Shot(name="ci-dark", page="ci.html", scheme="dark", height=1100),
    Shot(name="job", page="ci/jobs/pr-test-unit-test-1-gpu-[0-9a-f]*.html", height=1100),
    Shot(name="performance", page="performance.html", height=1100),
    Shot(name="test", page="performance/*part-1-test-online-latency-ea-*.html", height=1100, at=".plot"),
    Shot(name="benchmarks", page="benchmarks.html"),
    Shot(name="report", page="benchmarks/*.html", height=1100),
    Shot(name="agents", page="agentops.html", height=1100),
    Shot(name="agents-dark", page="agentops.html", scheme="dark", height=1100),
    Shot(name="health", page="health.html", height=1000),
)


def main() -> None:
    """Take the pictures that were asked for, all of them if none was."""
    parser = argparse.ArgumentParser(prog="python scripts/screenshots.py", description=__doc__)
    names = [shot.name for shot in SHOTS]
    parser.add_argument("--only", action="append", choices=names, help="a picture; can be given again, else all")
    parser.add_argument("--site", type=Path, default=SITE, help="the folder of the site; demo-output/site")
    parser.add_argument("--output", type=Path, default=IMAGES, help="where pictures go; docs/images")
    told = parser.parse_args()
    site: Path = told.site.resolve()
    if not (site / "index.html").is_file():
        make_site(site)
    told.output.mkdir(parents=True, exist_ok=True)
    wanted = [shot for shot in SHOTS if shot.name in (told.only or names)]
    for path in take(wanted, site, told.output):
        sys.stdout.write(f"{path}  {path.stat().st_size / 1000:,.0f} kB\n")


def make_site(site: Path) -> None:
    """The demo's site with its benchmark runs, of one moment of the made-up world."""
    from benchmarks.demo_site import benchmark_runs, build_site, sync_site

    room = site.parent
    sync_site(room, room / "store", _tell)
    build_site(room / "store", site, benchmark_runs(room), _tell)


def take(shots: list[Shot], site: Path, output: Path) -> list[Path]:
    """The files of the pictures that were taken."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("No Chromium was found: scripts/setup.sh --browser sees to one.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*_FLAGS])
        try:
            return [_take(browser, shot, site, output / f"{shot.name}.png") for shot in shots]
        finally:
            browser.close()


def _take(browser: Browser, shot: Shot, site: Path, path: Path) -> Path:
    context = browser.new_context(
        viewport={"width": shot.width, "height": shot.height},
        color_scheme="dark" if shot.scheme == "dark" else "light",
        reduced_motion="reduce",
        timezone_id="UTC",
        offline=True,
    )
    page = context.new_page()
    page.goto(page_of(shot, site).as_uri())
    page.wait_for_selector("html[data-ready]", state="attached", timeout=_READY_MS)
    if shot.at:
        page.locator(shot.at).first.evaluate("one => scrollTo(0, one.getBoundingClientRect().top + scrollY - 200)")
    page.wait_for_timeout(_SETTLED_MS)
    # How long it took to load is another number each time.
    page.add_style_tag(content="#load-time, #banners { visibility: hidden; }")
    path.write_bytes(small_png(page.screenshot()))
    context.close()
    return path


def page_of(shot: Shot, site: Path) -> Path:
    """The file that a picture is of; the end of the program, saying so, where there is none."""
    found = sorted(site.glob(shot.page))
    if not found:
        sys.exit(
            f"The site in {site} has no page {shot.page} for the picture {shot.name}: remove it, it is made again."
        )
    return found[0]


def small_png(content: bytes, most: int = MOST_BYTES) -> bytes:
    """The picture as it is, where it has at most ``most`` bytes, else with as many colours as fit into them."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    for colours in _COLOURS:
        made = io.BytesIO()
        shown = (
            image if colours is None else image.quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        )
        shown.save(made, "PNG", optimize=True)
        if made.tell() <= most:
            return made.getvalue()
    msg = f"A picture of {image.width} × {image.height} has more than {most:,} bytes in {_COLOURS[-1]} colours."
    raise ValueError(msg)


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    main()
