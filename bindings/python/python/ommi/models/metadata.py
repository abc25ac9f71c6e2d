"""What a model knows of itself, as `Model.__ommi__`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ommi.models.collections import ModelCollection
    from ommi.models.field_metadata import AggregateMetadata
    from ommi.models.references import LazyReferenceBuilder

__all__ = ["OmmiMetadata"]


@dataclass
class OmmiMetadata:
    """A model's name, fields, references and collection."""

    model_name: str
    fields: Mapping[str, AggregateMetadata]
    references: LazyReferenceBuilder
    collection: ModelCollection

    def clone(self, **changes: Any) -> OmmiMetadata:
        """The same, with changes."""
        return replace(self, **changes)
