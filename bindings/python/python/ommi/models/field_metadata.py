"""What `Annotated` says of a field beyond its type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

__all__ = [
    "AggregateMetadata",
    "Auto",
    "Created",
    "Digits",
    "Embedded",
    "FieldMetadata",
    "FieldType",
    "Index",
    "Key",
    "MaxLength",
    "MetadataFlag",
    "ReferenceTo",
    "StoreAs",
    "Unique",
    "Updated",
    "Version",
    "create_metadata_flag",
    "create_metadata_type",
]

D = TypeVar("D")


def _comparable(value: Any) -> Any:
    # fields and predicates make predicates of `==`: they are compared by what they are
    name = getattr(value, "name", None)
    model = getattr(value, "model", None)
    return (model, name) if isinstance(model, type) and isinstance(name, str) else value


class FieldMetadata:
    """Something that `Annotated` says of a field; several are put together with `|`."""

    metadata: Mapping[str, Any] = {}

    def __contains__(self, key: object) -> bool:
        return key in self.metadata

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, or a default."""
        return self.metadata.get(key, default)

    def matches(self, check_for: FieldMetadata | type[FieldMetadata]) -> bool:
        """Whether this is of a class, or says the same as another."""
        if isinstance(check_for, type):
            return issubclass(check_for, FieldMetadata) and isinstance(self, check_for)
        return self == check_for

    @property
    def name(self) -> str | None:
        """The field's name, once the field belongs to a model."""
        name: str | None = self.get("field_name")
        return name

    def __or__(self, other: FieldMetadata) -> AggregateMetadata:
        if not isinstance(other, FieldMetadata):
            return NotImplemented
        return AggregateMetadata(self, other)

    def _facts(self) -> tuple[Any, ...]:
        return tuple(sorted((key, _comparable(value)) for key, value in self.metadata.items()))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FieldMetadata):
            return NotImplemented
        ours = {key: _comparable(value) for key, value in self.metadata.items()}
        return ours == {key: _comparable(value) for key, value in other.metadata.items()}

    def __hash__(self) -> int:
        return hash((type(self).__name__, tuple(self.metadata)))

    def __repr__(self) -> str:
        facts = ", ".join(f"{key}={value!r}" for key, value in self.metadata.items())
        return f"{type(self).__name__}({facts})"


class AggregateMetadata(FieldMetadata):
    """Several metadata together."""

    _parts: tuple[FieldMetadata, ...]

    def __init__(self, *parts: FieldMetadata) -> None:
        flat: list[FieldMetadata] = []
        for part in parts:
            flat.extend(part._parts if isinstance(part, AggregateMetadata) else (part,))
        self._parts = tuple(flat)
        merged: dict[str, Any] = {}
        for part in flat:
            for key, value in part.metadata.items():
                merged.setdefault(key, value)
        self.metadata = merged

    def __iter__(self) -> Iterator[FieldMetadata]:
        return iter(self._parts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AggregateMetadata):
            return NotImplemented
        return self._parts == other._parts

    def __hash__(self) -> int:
        return hash(self._parts)

    def matches(self, check_for: FieldMetadata | type[FieldMetadata]) -> bool:
        return any(part.matches(check_for) for part in self._parts)


class MetadataFlag(FieldMetadata):
    """Metadata that is there or not."""

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, MetadataFlag) and self.metadata == other.metadata)

    __hash__ = FieldMetadata.__hash__

    def __repr__(self) -> str:
        return type(self).__name__


class FieldType(FieldMetadata):
    """The type as which a field is stored: a Python type, or an integer type such as `"i32"`."""

    def __init__(self, field_type: Any) -> None:
        self.metadata = {"field_type": field_type}


class StoreAs(FieldMetadata):
    """The stored name of a field."""

    def __init__(self, store_as: str) -> None:
        self.metadata = {"store_as": store_as}


class ReferenceTo(FieldMetadata):
    """The field or the model that a field's values are keys of: `User.id`, `User` or `"User.id"`.

    With `enforced`, no value may be stored that is no key there; `on_delete` and `on_update` then say
    what happens to the row: `restrict`, `cascade` or `set_null`.
    """

    def __init__(
        self,
        reference_to: Any,
        *,
        enforced: bool = False,
        on_delete: str = "restrict",
        on_update: str = "restrict",
    ) -> None:
        self.metadata = {"reference_to": reference_to}
        self.enforced = enforced
        self.on_delete = on_delete
        self.on_update = on_update


class Unique(FieldMetadata):
    """No two rows share a value; fields with the same `group` are unique together."""

    def __init__(self, group: str | None = None) -> None:
        self.metadata = {"unique": group}


class Index(FieldMetadata):
    """The field is indexed; fields with the same `group` share an index."""

    def __init__(self, group: str | None = None) -> None:
        self.metadata = {"index": group}


class MaxLength(FieldMetadata):
    """The greatest number of characters of a text."""

    def __init__(self, characters: int) -> None:
        self.metadata = {"max_length": characters}


class Digits(FieldMetadata):
    """The digits of a decimal: how many in all, and how many after the point."""

    def __init__(self, precision: int, scale: int) -> None:
        self.metadata = {"digits": (precision, scale)}


def create_metadata_type(
    name: str, metadata_type: type[FieldMetadata] | None = None, /, **metadata: Any
) -> type[FieldMetadata]:
    """A class of metadata with fixed content."""
    made: Any = type(name, (metadata_type or FieldMetadata,), {"metadata": metadata})
    kind: type[FieldMetadata] = made
    return kind


def create_metadata_flag(name: str) -> FieldMetadata:
    """A flag of a name."""
    return create_metadata_type(name, MetadataFlag, **{f"is_{name}": True})()


Key = create_metadata_flag("Key")
"""The field is the key, or a part of it."""

Auto = create_metadata_flag("Auto")
"""The field is assigned where it is `None`: an integer by the database, a UUID by Ommi."""

Version = create_metadata_flag("Version")
"""The field counts writes, so that `save` and `delete` notice a row that others changed."""

Created = create_metadata_flag("Created")
"""The field notes the time of the first write."""

Updated = create_metadata_flag("Updated")
"""The field notes the time of the last write."""

Embedded = create_metadata_flag("Embedded")
"""The fields of the field's class are stored as fields of the model: `home.city` as `home_city`, or in a sub-document
where the database has those."""
