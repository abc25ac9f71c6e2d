"""What a model knows of itself, as `Model.__ommi__`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ommi.models.collections import ModelCollection
    from ommi.models.field_metadata import AggregateMetadata
    from ommi.models.references import LazyReferenceBuilder

__all__ = ["OmmiMetadata"]


class OmmiMetadata:
    """A model's name, fields, references and collection."""

    def __init__(
        self,
        model_name: str,
        fields: Mapping[str, AggregateMetadata],
        references: LazyReferenceBuilder,
        collection: ModelCollection,
    ) -> None:
        self.model_name = model_name
        self.fields = fields
        self.references = references
        self.collection = collection

    def clone(self, **changes: Any) -> OmmiMetadata:
        """The same, with changes."""
        return OmmiMetadata(**{**vars(self), **changes})

    def __repr__(self) -> str:
        return f"<metadata of {self.model_name}>"
