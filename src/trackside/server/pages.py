"""The pages and files of the site: from memory, packed once, with what lets a client keep them."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from trackside.report.safe_text import safe_text
from trackside.server.answers import takes_gzip
from trackside.server.builds import Builds
from trackside.server.site_folder import ServedFile
from trackside.site.pages import Section

FIRST: Final = Section.HOME.value
_REFRESH_S: Final = 2
_ASSETS: Final = "assets/"
_DIGITS: Final = 8
"""Of the digest that pages put behind the address of an asset."""
_FOREVER: Final = "public, max-age=31536000, immutable"


class Pages:
    """What is answered at every address that is nothing else."""

    def __init__(self, builds: Builds, repo: str) -> None:
        self._builds, self._repo = builds, repo

    async def answer(self, request: Request) -> Response:
        """The file at the path; a page that says so while there is no site yet, or no such file."""
        path = request.path_params["path"] or FIRST
        if not self._builds.is_ready:
            return self._waiting(path)
        file = self._builds.site.files.get(path)
        if file is None:
            return self._missing(path, "../" * (request.scope["raw_path"].count(b"/") - 1) or "./")
        return await file_answer(request, file, _FOREVER if _is_versioned(request, path, file) else "no-cache")

    def _waiting(self, path: str) -> Response:
        if not _is_page(path):
            raise HTTPException(503, "The site is being built for the first time.", {"Retry-After": "2"})
        error = self._builds.error
        values = {
            "title": "The site is being built" if error is None else "The site could not be built",
            "text": "This page looks again every two seconds.",
            "error": None if error is None else safe_text(error),
            "refresh_s": _REFRESH_S,
            "home": None,
        }
        return self._page(503, values, {"Retry-After": str(_REFRESH_S)})

    def _missing(self, path: str, home: str) -> Response:
        if not _is_page(path):
            raise HTTPException(404, "There is no such file.")
        text = "What it was about may have left the window of the site."
        return self._page(404, {"title": "No such page", "text": text, "error": None, "refresh_s": None, "home": home})

    def _page(self, status: int, values: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
        html = _environment().get_template("waiting.html.j2").render(repo=safe_text(self._repo), **values)
        return Response(html, status, {"Cache-Control": "no-store", **(headers or {})}, media_type="text/html")


async def file_answer(request: Request, file: ServedFile, keep: str) -> Response:
    """The file packed or plain, as the client takes it; 304 where it has it already."""
    packed = file.packed and takes_gzip(request)
    tags = (f'"{file.digest[:32]}"', f'"{file.digest[:32]}-gz"')
    headers = {"ETag": tags[packed], "Cache-Control": keep, "Vary": "Accept-Encoding"}
    if _has_one(request, tags):
        return Response(None, 304, headers)
    if packed:
        headers["Content-Encoding"] = "gzip"
    body = file.content if packed == file.packed else await asyncio.to_thread(lambda: file.plain)
    return Response(body, 200, headers, media_type=file.kind)


def _has_one(request: Request, tags: tuple[str, str]) -> bool:
    told = ",".join(request.headers.getlist("if-none-match"))
    known = {tag.strip().removeprefix("W/") for tag in told.split(",")}
    return "*" in known or not known.isdisjoint(tags)


def _is_versioned(request: Request, path: str, file: ServedFile) -> bool:
    return path.startswith(_ASSETS) and request.query_params.get("v") == file.digest[:_DIGITS]


def _is_page(path: str) -> bool:
    return path.endswith((".html", "/")) or "." not in path.rsplit("/", 1)[-1]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("trackside.server"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.lstrip_blocks = True
    return environment
