"""``POST /graphql``: the query is checked by graphql-core, weighed by GitHub's formula, and answered."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import msgspec
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    build_schema,
    execute,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

from tests.fake_github.answers import Answers
from tests.fake_github.bodies import error
from tests.fake_github.exchange import Reply, Request
from tests.fake_github.graph_cost import Cost, Weigher
from tests.fake_github.graph_query import Planner
from tests.fake_github.graph_values import Asked, BadCursorError, TooMuchError
from tests.fake_github.rates import Rates
from tests.fake_github.settings import Settings
from tests.fake_github.world import World

_PAGE = "https://docs.github.com/graphql/guides/forming-calls-with-graphql#authenticating-with-graphql"
_TIMED_OUT = (
    "Something went wrong while executing your query. This may be the result of a timeout, or it could be a GitHub "
    "bug. Please include `FA4E` when reporting this issue."
)


class BadQueryError(Exception):
    """A query that is answered with errors only; they are its argument."""


@cache
def schema() -> GraphQLSchema:
    """The schema, read once."""
    return build_schema(Path(__file__).with_name("schema.graphql").read_text(encoding="utf-8"))


@lru_cache(maxsize=256)
def checked(query: str) -> DocumentNode:
    """The query as a tree; raises BadQueryError with what is wrong with it."""
    try:
        tree = parse(query)
    except GraphQLError as problem:
        raise BadQueryError([problem.formatted]) from problem
    problems = validate(schema(), tree)
    if problems:
        raise BadQueryError([problem.formatted for problem in problems])
    return tree


def asks_for_schema(operation: OperationDefinitionNode) -> bool:
    """Whether the query wants to know the schema itself."""
    names = [node.name.value for node in operation.selection_set.selections if isinstance(node, FieldNode)]
    return "__schema" in names or "__type" in names


class Graph:
    """Answers queries about workflow runs; points are taken from a rate of their own."""

    def __init__(self, world: World, answers: Answers, rates: Rates, settings: Settings) -> None:
        self.world, self.bodies, self.rates, self.settings = world, answers.bodies, rates, settings

    def answer(self, request: Request) -> Reply:
        """200 with data, errors or both; 401 without a token; 502 for a query that takes too long."""
        if request.caller.anonymous:
            return Reply(401, error("This endpoint requires you to be authenticated.", 401, _PAGE))
        reply = Reply(200, resource="graphql")
        try:
            told = msgspec.json.decode(request.body, type=dict[str, Any])
            if not isinstance(told.get("query"), str):
                raise BadQueryError([{"message": "A query attribute must be specified and must be a string."}])
            data = self._run(request, told["query"], told.get("variables") or {})
        except msgspec.DecodeError:
            reply.status, reply.body = 400, error("Problems parsing JSON", 400)
        except BadQueryError as bad:
            reply.body = msgspec.json.encode({"errors": bad.args[0]})
        except BadCursorError as bad:
            text = f"`{bad}` does not appear to be a valid cursor."
            reply.body = msgspec.json.encode({"errors": [{"type": "INVALID_CURSOR_ARGUMENTS", "message": text}]})
        except TooMuchError:
            reply.status, reply.body = 502, msgspec.json.encode({"data": None, "errors": [{"message": _TIMED_OUT}]})
        else:
            reply.body = msgspec.json.encode(data)
        return reply

    def _run(self, request: Request, query: str, variables: dict[str, Any]) -> dict[str, object]:
        tree = checked(query)
        operations = [part for part in tree.definitions if isinstance(part, OperationDefinitionNode)]
        if len(operations) != 1 or operations[0].operation is not OperationType.QUERY:
            raise BadQueryError([{"message": "One query is answered at a time, and nothing else."}])
        fragments = {part.name.value: part for part in tree.definitions if isinstance(part, FragmentDefinitionNode)}
        if asks_for_schema(operations[0]):
            return dict(execute(schema(), tree, variable_values=variables).formatted)  # type: ignore[union-attr]
        coerced = get_variable_values(schema(), operations[0].variable_definitions or (), variables)
        if isinstance(coerced, list):
            raise BadQueryError([problem.formatted for problem in coerced])
        values = coerced.coerced
        cost = self._weigh(request, operations[0], fragments, values)
        bucket, login = self.rates.bucket(request.caller, "graphql"), request.caller.login
        asked = Asked(self.world, self.bodies, self.settings, cost, bucket, login)
        root = schema().query_type
        assert root is not None
        project = Planner(schema(), fragments, values).plan([operations[0].selection_set], root)
        answer: dict[str, object] = {"data": project(asked, None)}
        return {**answer, "errors": asked.errors} if asked.errors else answer

    def _weigh(
        self,
        request: Request,
        operation: OperationDefinitionNode,
        fragments: dict[str, FragmentDefinitionNode],
        variables: dict[str, Any],
    ) -> Cost:
        root = schema().query_type
        assert root is not None
        weigher = Weigher(schema(), fragments, variables)
        weigher.weigh(operation.selection_set, root, 1, ())
        cost = weigher.finish()
        if cost.problems:
            raise BadQueryError(cost.problems)
        self.rates.spend(request.caller, cost.points, "graphql")
        return cost
