"""What a GraphQL query costs, by the formula GitHub publishes, and what it may not ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    Undefined,
    get_named_type,
    value_from_ast_untyped,
)

MOST_NODES, MOST_IN_ONE, MOST_IDS = 500_000, 100, 100


def arguments_of(node: FieldNode | DirectiveNode, variables: Mapping[str, Any]) -> dict[str, Any]:
    """What is told in brackets behind a field, with the variables put in; one that is not there is left out."""
    told = {one.name.value: value_from_ast_untyped(one.value, dict(variables)) for one in node.arguments or ()}
    if isinstance(told.get("ids"), str):
        told["ids"] = [told["ids"]]
    return {name: value for name, value in told.items() if value is not Undefined}


@dataclass
class Cost:
    """``requests`` is how many connections the server would have to open, ``nodes`` how many things may come."""

    requests: int = 0
    nodes: int = 0
    problems: list[dict[str, object]] = field(default_factory=list)

    @property
    def points(self) -> int:
        """A hundredth of the requests, rounded, at least 1."""
        return max(1, int(self.requests / 100 + 0.5))


@dataclass
class Weigher:
    """Adds up one operation."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    cost: Cost = field(default_factory=Cost)

    def weigh(self, chosen: SelectionSetNode, of: GraphQLNamedType, times: int, path: tuple[str, ...]) -> None:
        """Add the fields of a selection that is answered ``times`` over."""
        for node in chosen.selections:
            if isinstance(node, FieldNode):
                self._field(node, of, times, path)
            elif isinstance(node, InlineFragmentNode):
                inner = self.schema.get_type(node.type_condition.name.value) if node.type_condition else of
                self.weigh(node.selection_set, inner or of, times, path)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self.fragments[node.name.value]
                inner = self.schema.get_type(fragment.type_condition.name.value)
                self.weigh(fragment.selection_set, inner or of, times, path)

    def _field(self, node: FieldNode, of: GraphQLNamedType, times: int, path: tuple[str, ...]) -> None:
        name = node.name.value
        if name.startswith("__") or not isinstance(of, GraphQLObjectType | GraphQLInterfaceType):
            return
        inner = get_named_type(of.fields[name].type)
        path = (*path, node.alias.value if node.alias else name)
        told = arguments_of(node, self.variables)
        if inner.name.endswith("Connection"):
            self.cost.requests += times
            times *= self._size(name, told, path)
            self.cost.nodes += times
        elif name == "nodes" and "ids" in told:
            times *= len(told["ids"])
            self.cost.nodes += times
            if len(told["ids"]) > MOST_IDS:
                text = f"You may not provide more than {MOST_IDS} node ids; you provided {len(told['ids'])}."
                self._problem("ARGUMENT_LIMIT", text, path)
        if node.selection_set:
            self.weigh(node.selection_set, inner, times, path)

    def _size(self, name: str, told: Mapping[str, Any], path: tuple[str, ...]) -> int:
        which = "first" if told.get("first") is not None else "last"
        size = told.get(which)
        if size is None:
            text = f"You must provide a `first` or `last` value to properly paginate the `{name}` connection."
            self._problem("MISSING_PAGINATION_BOUNDARIES", text, path)
            return 0
        if size < 0:
            text = f"The `{which}` argument of the `{name}` connection must not be negative."
            self._problem("ARGUMENT_LIMIT", text, path)
        if size > MOST_IN_ONE:
            text = f"Requesting {size} records on the `{name}` connection exceeds the `{which}` limit of 100 records."
            self._problem("EXCESSIVE_PAGINATION", text, path)
        return int(size)

    def _problem(self, kind: str, message: str, path: tuple[str, ...]) -> None:
        self.cost.problems.append({"type": kind, "path": ["query", *path], "message": message})

    def finish(self) -> Cost:
        """The sum, with a problem where it is too much at once."""
        if self.cost.nodes > MOST_NODES and not self.cost.problems:
            many = f"{self.cost.nodes:,} possible nodes which exceeds the maximum limit of {MOST_NODES:,}"
            text = f"This query requests up to {many}."
            self._problem("MAX_NODE_LIMIT_EXCEEDED", text, ())
        return self.cost
