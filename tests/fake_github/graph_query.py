"""Runs a GraphQL query that graphql-core has checked. Of its own because answers have millions of fields.

The selection is turned into a plan once: for each field its key, how its value is found, its arguments and the plan of
what is inside. What comes out is what graphql-core's own execution gives; a test holds the two side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
)

from tests.fake_github.graph_cost import arguments_of
from tests.fake_github.graph_fields import FIELDS
from tests.fake_github.graph_values import Asked, Resolver

Project = Callable[[Asked, Any], Any]


@dataclass(frozen=True)
class Planner:
    """Turns selections into functions from a value to its JSON."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: dict[str, Any]

    def plan(self, chosen: list[SelectionSetNode], of: GraphQLNamedType) -> Project:
        """The function for a value of this type; of an abstract type each value brings its type's name along."""
        if is_abstract_type(of):
            by_name = {name: self._object(chosen, name) for name in FIELDS if self._is_a(name, of)}
            return lambda asked, value: by_name[value[0]](asked, value[1])
        return self._object(chosen, of.name)

    def _is_a(self, name: str, of: GraphQLNamedType) -> bool:
        concrete = self.schema.get_type(name)
        if concrete is of:
            return True
        return is_abstract_type(of) and self.schema.is_sub_type(of, concrete)  # type: ignore[arg-type]

    def _object(self, chosen: list[SelectionSetNode], name: str) -> Project:
        fields: dict[str, list[FieldNode]] = {}
        for selection in chosen:
            self._collect(selection, name, fields)
        projects = [(key, self._field(nodes, name)) for key, nodes in fields.items()]
        return lambda asked, value: {key: project(asked, value) for key, project in projects}

    def _collect(self, chosen: SelectionSetNode, name: str, into: dict[str, list[FieldNode]]) -> None:
        for node in chosen.selections:
            if self._left_out(node):
                continue
            if isinstance(node, FieldNode):
                into.setdefault((node.alias or node.name).value, []).append(node)
                continue
            inner = self.fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            assert isinstance(inner, FragmentDefinitionNode | InlineFragmentNode)
            condition = inner.type_condition
            wanted = self.schema.get_type(condition.name.value) if condition else None
            if wanted is None or self._is_a(name, wanted):
                self._collect(inner.selection_set, name, into)

    def _left_out(self, node: SelectionNode) -> bool:
        told = {one.name.value: arguments_of(one, self.variables).get("if") for one in node.directives or ()}
        return told.get("skip") is True or told.get("include") is False

    def _field(self, nodes: list[FieldNode], name: str) -> Project:
        field = nodes[0].name.value
        if field == "__typename":
            return lambda asked, value: name
        of = self.schema.get_type(name)
        assert isinstance(of, GraphQLObjectType)
        arguments = arguments_of(nodes[0], self.variables)
        resolver, inner = FIELDS[name][field], get_named_type(of.fields[field].type)
        if not is_composite_type(inner):
            return lambda asked, value: resolver(asked, value, arguments)
        project = self.plan([node.selection_set for node in nodes if node.selection_set], inner)
        return _nested(resolver, arguments, project)


def _nested(resolver: Resolver, arguments: dict[str, Any], project: Project) -> Project:
    def answer(asked: Asked, value: Any) -> Any:
        found = resolver(asked, value, arguments)
        if isinstance(found, list):
            return [None if one is None else project(asked, one) for one in found]
        return None if found is None else project(asked, found)

    return answer
