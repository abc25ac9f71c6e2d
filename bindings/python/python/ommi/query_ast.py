"""Predicates: `when(User.age > 18).And(User.name == "Ada")`."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

from ommi._core import ASTComparisonNode, ASTGroupNode, ASTReferenceNode, count, field, when

__all__ = [
    "ASTComparisonNode",
    "ASTGroupFlagNode",
    "ASTGroupNode",
    "ASTLiteralNode",
    "ASTLogicalOperatorNode",
    "ASTOperatorNode",
    "ASTReferenceNode",
    "ResultOrdering",
    "count",
    "fields",
    "when",
    "where",
]

where = when


class fields:
    """The query fields of a model, with types for checkers that take `User.name` for a text:
    `fields(User).name.contains("a")`."""

    def __init__(self, model: type[Any]) -> None:
        self._model = model

    def __getattr__(self, name: str) -> ASTReferenceNode:
        if name.startswith("__"):
            raise AttributeError(name)
        return field(self._model, name)


class ResultOrdering(Enum):
    """Upwards or downwards."""

    ASCENDING = auto()
    DESCENDING = auto()


class ASTLogicalOperatorNode(Enum):
    """What stands between the parts of a group."""

    AND = auto()
    OR = auto()


class ASTGroupFlagNode(Enum):
    """Where a group begins and ends when it is iterated."""

    OPEN = auto()
    CLOSE = auto()


class ASTOperatorNode(Enum):
    """What a comparison tests."""

    EQUALS = auto()
    NOT_EQUALS = auto()
    GREATER_THAN = auto()
    GREATER_THAN_OR_EQUAL = auto()
    LESS_THAN = auto()
    LESS_THAN_OR_EQUAL = auto()
    IN = auto()
    NOT_IN = auto()
    CONTAINS = auto()
    NOT_CONTAINS = auto()
    OVERLAPS = auto()
    STARTS_WITH = auto()
    ENDS_WITH = auto()
    ICONTAINS = auto()
    ISTARTS_WITH = auto()
    IENDS_WITH = auto()
    IEQUALS = auto()
    LIKE = auto()
    NOT_LIKE = auto()
    ILIKE = auto()
    REGEX = auto()
    BETWEEN = auto()


class ASTLiteralNode:
    """A value on a side of a comparison."""

    __slots__ = ("value",)
    __match_args__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ASTLiteralNode) and bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash(("literal", self.value))

    def __repr__(self) -> str:
        return f"ASTLiteralNode({self.value!r})"
