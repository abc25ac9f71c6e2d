"""A plugin for mypy: on the class, a model's field is a query field.

    [tool.mypy]
    plugins = ["ommi.mypy"]

Without it `User.age > 18` checks as a comparison of integers, `User.name.contains("a")` is an error, and
so is any use of a dataclass field that has no default.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mypy.nodes import TypeInfo, Var
from mypy.plugin import AttributeContext, ClassDefContext, Plugin
from mypy.types import AnyType, Instance, Type, TypeOfAny, UnionType, get_proper_type

__all__ = ["OmmiPlugin", "plugin"]

_DECORATORS = ("ommi.models.models.ommi_model", "ommi.models.ommi_model", "ommi.ommi_model")
_OWN = ("fetch", "count", "save", "delete", "reload", "get_driver", "get_primary_key_fields")


def _mark(context: ClassDefContext) -> bool:
    context.cls.info.metadata["ommi"] = {"model": True}
    return True


def _query_field(context: AttributeContext) -> Type:
    return context.api.named_generic_type("ommi._core.ASTReferenceNode", [])


def _object_field(_context: AttributeContext) -> Type:
    # the type does not say whether the object is embedded, and has fields, or is a document
    return AnyType(TypeOfAny.special_form)


def _is_structured(declared: Type | None) -> bool:
    kind = None if declared is None else get_proper_type(declared)
    if isinstance(kind, UnionType):
        return any(map(_is_structured, kind.items))
    if not isinstance(kind, Instance):
        return False
    is_pydantic = any(base.fullname == "pydantic.main.BaseModel" for base in kind.type.mro)
    return is_pydantic or not {"dataclass", "attrs"}.isdisjoint(kind.type.metadata)


class OmmiPlugin(Plugin):
    """Gives the fields of models their types on the class."""

    def get_class_decorator_hook_2(self, fullname: str) -> Callable[[ClassDefContext], bool] | None:
        return _mark if fullname in _DECORATORS else None

    def get_class_attribute_hook(self, fullname: str) -> Callable[[AttributeContext], Type] | None:
        of, _, name = fullname.rpartition(".")
        if name.startswith("_") or name in _OWN:
            return None
        found = self.lookup_fully_qualified(of)
        info = found.node if found is not None else None
        if not isinstance(info, TypeInfo) or not any("ommi" in base.metadata for base in info.mro):
            return None
        symbol: Any = info.get(name)
        declared: Any = symbol.node if symbol is not None else None
        if not isinstance(declared, Var) or declared.is_classvar:
            return None
        kind: Any = declared.type
        if kind is not None and "LazyQueryField" in [
            base.name for base in getattr(getattr(kind, "type", None), "mro", [])
        ]:
            return None
        assert symbol is not None
        # the class has an attribute for each field, whether the field has a default or a slot
        symbol.implicit = False
        info.slots = None
        return _object_field if _is_structured(kind) else _query_field


def plugin(version: str) -> type[Plugin]:
    """What mypy calls."""
    return OmmiPlugin
