"""References from a model's fields to other models, resolved at their first use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ommi.models.field_metadata import FieldMetadata, ReferenceTo

if TYPE_CHECKING:
    from ommi.models.collections import ModelCollection

__all__ = ["FieldReference", "LazyReferenceBuilder"]


class FieldReference(NamedTuple):
    """A field whose values are those of a field of another model."""

    from_model: type[Any]
    from_field: FieldMetadata
    to_model: type[Any]
    to_field: FieldMetadata


def target_of(
    reference_to: Any, model: type[Any], field: str, collection: ModelCollection
) -> tuple[type[Any], str | None]:
    """The model that a `ReferenceTo` names, and the field; `None` for the model's key.

    A text is looked up by its parts: it is never evaluated.
    """
    where = f"{model.__name__}.{field}"
    if isinstance(reference_to, str):
        name, _, target_field = reference_to.partition(".")
        found = model if name in (model.__name__, model.__ommi__.model_name) else collection._find(name)
        if found is None:
            import sys

            found = getattr(sys.modules.get(model.__module__), name, None)
        if not isinstance(found, type) or not hasattr(found, "__ommi__"):
            raise TypeError(
                f"{where} references {reference_to!r}, and no model of that name is in its collection: "
                f"decorate the class {name} with @ommi_model"
            )
        return found, target_field or None
    if isinstance(reference_to, type) and hasattr(reference_to, "__ommi__"):
        return reference_to, None
    target = getattr(reference_to, "model", None)
    if isinstance(target, type):
        return target, reference_to.name
    raise TypeError(
        f"{where} references {reference_to!r}, which is no model: write ReferenceTo(User.id), "
        f'ReferenceTo(User) or ReferenceTo("User.id")'
    )


class LazyReferenceBuilder:
    """A model's references by the models that they are to."""

    def __init__(self, fields: Mapping[str, FieldMetadata], model: type[Any], collection: ModelCollection) -> None:
        self._fields = fields
        self._model = model
        self._collection = collection
        self._resolved: dict[type[Any], list[FieldReference]] | None = None

    def _all(self) -> dict[type[Any], list[FieldReference]]:
        if self._resolved is None:
            resolved: dict[type[Any], list[FieldReference]] = {}
            for name, metadata in self._fields.items():
                if not metadata.matches(ReferenceTo):
                    continue
                target, field = target_of(metadata.get("reference_to"), self._model, name, self._collection)
                targets = [field] if field else list(target.__ommi_core__.key)
                if targets[0] not in target.__ommi__.fields:
                    raise TypeError(
                        f"{self._model.__name__}.{name} references {target.__name__}.{targets[0]}, "
                        f"which is not a field of {target.__name__}"
                    )
                to_field = target.__ommi__.fields[targets[0]]
                resolved.setdefault(target, []).append(FieldReference(self._model, metadata, target, to_field))
            self._resolved = resolved
        return self._resolved

    def __contains__(self, model: object) -> bool:
        return model in self._all()

    def __getitem__(self, model: type[Any]) -> list[FieldReference]:
        return self._all()[model]

    def __iter__(self) -> Iterator[type[Any]]:
        return iter(self._all())

    def get(self, model: type[Any], default: Any = None) -> Any:
        """The references to a model, or a default."""
        return self._all().get(model, default)

    def __repr__(self) -> str:
        return f"<references of {self._model.__name__}>"
