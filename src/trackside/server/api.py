"""The JSON API: documents of the site and of the store, runs, and how the server stands."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from trackside.records.run_lists import Attempt, RunPage, RunRow
from trackside.server.answers import json_answer
from trackside.server.backend import Backend, Figures, Serving
from trackside.server.builds import Builds
from trackside.server.chores import Chores
from trackside.server.documents import ApiDocument
from trackside.server.openapi import openapi
from trackside.server.pages import file_answer
from trackside.server.queries import no_query, run_id_of, run_query
from trackside.server.reads import Reads
from trackside.server.shapes import RunAnswer, RunsAnswer, StatusAnswer


class Api:
    """The answers of ``/api/v1`` that read."""

    def __init__(self, serving: Serving, backend: Backend, reads: Reads, builds: Builds, chores: Chores) -> None:
        self._serving, self._backend, self._reads = serving, backend, reads
        self._builds, self._chores = builds, chores

    async def status(self, request: Request) -> Response:
        """How the server stands."""
        no_query(request)
        figures: Figures = await self._reads.ask(self._backend.figures)
        serving, builds, chores = self._serving, self._builds, self._chores
        told = StatusAnswer(
            repository=serving.repo,
            version=serving.version,
            generated_at=builds.site.generated_at,
            is_building=builds.is_building,
            build_error=builds.error,
            is_syncing=chores.is_syncing,
            sync_error=chores.sync_error,
            synced_at=figures.synced_at,
            sync_status=figures.sync_status,
            takes_webhooks=serving.secret is not None,
            analyses_runs=serving.token is not None,
        )
        return await json_answer(request, told)

    async def runs(self, request: Request) -> Response:
        """A page of the list of runs."""
        asked, agent = run_query(request)
        if agent is not None:
            asked = msgspec.structs.replace(asked, among=self._of_agent(agent))
        page: RunPage = await self._reads.ask(lambda: self._backend.runs(asked))
        told = RunsAnswer(
            repository=self._serving.repo,
            total=page.total,
            limit=page.limit,
            offset=page.offset,
            runs=self._with_agents(page.runs),
        )
        return await json_answer(request, told)

    async def run(self, request: Request) -> Response:
        """A run in detail."""
        run_id = run_id_of(request)
        no_query(request)
        found = await self._reads.ask(lambda: self._backend.run(run_id))
        if found is None:
            raise HTTPException(404, f"The store has no run {run_id} of {self._serving.repo}.")
        told = RunAnswer(repository=self._serving.repo, attempts=self._with_agents(found.attempts), jobs=found.jobs)
        return await json_answer(request, told)

    def document(self, document: ApiDocument) -> Callable[[Request], object]:
        """What answers for a document: as the site has it, or as the store tells it now."""

        async def answer(request: Request) -> Response:
            no_query(request)
            if document.file is None:
                body = await self._reads.ask(lambda: self._backend.document(document.path))
                return await json_answer(request, body)
            if not self._builds.is_ready:
                raise HTTPException(503, "The site is being built for the first time.", {"Retry-After": "2"})
            file = self._builds.site.files.get(document.file)
            if file is None:
                raise HTTPException(
                    404, f"The site has no {document.file}: its store tells nothing of that, or too much for a file."
                )
            return await file_answer(request, file, "no-cache")

        return answer

    async def description(self, request: Request) -> Response:
        """This API in OpenAPI."""
        no_query(request)
        return await json_answer(request, openapi(self._serving.version))

    def _of_agent(self, agent: str) -> frozenset[Attempt]:
        return frozenset(key for key, name in self._builds.site.agents.items() if name == agent)

    def _with_agents(self, runs: tuple[RunRow, ...]) -> tuple[RunRow, ...]:
        agents = self._builds.site.agents
        return tuple(msgspec.structs.replace(run, agent=agents.get((run.run_id, run.run_attempt))) for run in runs)
