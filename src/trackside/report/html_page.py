"""One self-contained HTML page.

Template, styles and scripts in one file, under a policy that lets nothing else run.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from bokeh.embed import json_item
from bokeh.model import Model
from bokeh.resources import Resources
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from trackside.engine.whole_files import write_atomically
from trackside.errors import OutputError


def render_page(template: str, scripts: Sequence[str], values: Mapping[str, Any]) -> str:
    """The page of a template.

    ``scripts`` are run in their order; the template finds them and the policy by name. The policy allows
    these scripts by their hash, inline styles (charts set them) and nothing from any network.
    """
    hashes = " ".join(f"'sha256-{_sha256(script)}'" for script in scripts)
    policy = (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; font-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    page = _environment().get_template(template)
    return page.render(**values, policy=policy, scripts=[_script(script) for script in scripts])


def render_part(template: str, values: Mapping[str, Any]) -> Markup:
    """What a template makes of its values, to stand in a page of others; it brings no scripts of its own."""
    return Markup(_environment().get_template(template).render(**values))  # noqa: S704 - a template that escapes


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("trackside.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.lstrip_blocks = True
    return environment


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _script(text: str) -> Markup:
    if "</script" in text.lower() or "<!--" in text:
        msg = "A script of the page holds text that would end it early."
        raise ValueError(msg)
    return Markup(text)  # noqa: S704 - our own files and BokehJS, allowed by hash


def static_text(name: str) -> str:
    """A style sheet or script of ours."""
    return resources.files("trackside.report").joinpath("static", name).read_text(encoding="utf-8")


def bokeh_script() -> str:
    """BokehJS from its own package, only the part that draws."""
    return "\n".join(Resources(mode="inline", components=["bokeh"], log_level="warn").js_raw)


def style_block(*names: str) -> Markup:
    """What every page looks like and the style sheets of this one, to stand between ``<style>`` tags."""
    return Markup("".join(map(static_text, ("page.css", *names))))  # noqa: S704 - our own files


def page_scripts(*names: str) -> list[str]:
    """What draws, the scripts of this page, and the button for light or dark, in the order in which they run."""
    return [bokeh_script(), *map(static_text, names), static_text("page_theme.js")]


def json_block(document: Any) -> Markup:
    """JSON to stand between ``<script type="application/json">`` tags, whatever text is in it."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - every character that HTML reads is escaped


def short_number(value: float, figures: int) -> float | int:
    """``value`` to so many figures, for a block of JSON: no point where none is needed."""
    short = float(f"{value:.{figures}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def figure_block(plot: Model, name: str) -> Markup:
    """A figure as a block of JSON. What it is made of is numbered within ``name``, so that equal figures are equal."""
    document = json_item(plot)
    numbers: dict[str, str] = {}
    return json_block(_renumbered(document, name, numbers))


def _renumbered(value: Any, name: str, numbers: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: numbers.setdefault(item, f"{name}-{len(numbers) + 1}")
            if key in _IDS and isinstance(item, str)
            else _renumbered(item, name, numbers)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_renumbered(item, name, numbers) for item in value]
    return value


_IDS: Final = ("id", "root_id")
"""Where Bokeh writes the numbers of its models, which it counts up as long as a process lives."""


def write_page(text: str, out: Path) -> Path:
    """Writes the whole file or none; returns its absolute path.

    A link stays a link, and what is no file (a device, a pipe) is written to, never replaced.
    """
    target = out.absolute()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, text.encode())
    except OSError as error:
        reason = "a file stands where a directory is needed" if isinstance(error, FileExistsError) else error.strerror
        msg = f"The report could not be written to {target}: {reason or error}."
        raise OutputError(msg) from error
    return target
