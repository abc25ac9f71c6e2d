"""Relations of models: what they are declared by, and how they are loaded.

A relation is loaded for all rows of the result that its row came from, by one query.
"""

from __future__ import annotations

import re
import sys
import typing
from collections import ChainMap
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Annotated, Any, cast, get_args, get_origin

from ommi import _core
from ommi.models.query_fields import (
    AssociateUsing,
    LazyLoadEveryRelated,
    LazyLoadTheRelated,
    LazyQueryField,
    QueryStrategy,
)

_STATE = "_ommi_related"
"""The attribute of instances without slots that keeps what they share with the other rows of their result."""

_TEXT = re.compile(r"^\s*(?:\w+\.)*(Lazy|LazyList|LazyLoadTheRelated|LazyLoadEveryRelated)\s*\[(.*)\]\s*$", re.DOTALL)
_CLASSES: dict[str, type[LazyQueryField[Any]]] = {
    "Lazy": LazyLoadTheRelated,
    "LazyLoadTheRelated": LazyLoadTheRelated,
    "LazyList": LazyLoadEveryRelated,
    "LazyLoadEveryRelated": LazyLoadEveryRelated,
}


# these are no dataclasses, each of which would take a millisecond of the import


class Declared:
    """A lazy field as its class declares it."""

    __slots__ = ("has_default", "inner", "lazy", "owner")

    def __init__(self, lazy: type[LazyQueryField[Any]], inner: Any, owner: type[Any]) -> None:
        self.lazy = lazy
        self.inner = inner
        self.owner = owner
        self.has_default = False


def declared(annotation: Any, owner: type[Any]) -> Declared | None:
    """The relation that an annotation declares, if it does."""
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        found = _TEXT.match(annotation)
        return Declared(_CLASSES[found[1]], found[2], owner) if found else None
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    origin = get_origin(annotation)
    if isinstance(origin, type) and issubclass(origin, LazyQueryField):
        return Declared(origin, get_args(annotation)[0], owner)
    return None


class Relation:
    """A relation of a model: `Author.books` on the class."""

    def __init__(self, model: type[Any], name: str, declared: Declared, namespace: Any, position: int) -> None:
        self.model = model
        self.name = name
        self.many = declared.lazy._many
        self._declared = declared
        self._namespace = namespace
        self._position = position
        self._path: Path | None = None
        self._route: _core.Route | None = None

    def path(self) -> Path:
        """The way to the related rows, found at its first use."""
        if self._path is None:
            target, strategy = self._target()
            association = strategy.association_model if isinstance(strategy, AssociateUsing) else None
            if association is not None:
                association = self._evaluate(association)
            self._path = path_of(self.model, target, association)
        return self._path

    def route(self) -> _core.Route:
        """The way to the related rows, as the core knows it."""
        if self._route is None:
            self._route = self.path().route(self.name, self.many)
        return self._route

    def _eager(self) -> tuple[_core.Route, int, tuple[Any, ...]]:
        return self.route(), self._position, ()

    @property
    def target(self) -> type[Any]:
        """The related model."""
        return self.path().target

    def _evaluate(self, what: Any) -> Any:
        if isinstance(what, typing.ForwardRef):
            what = what.__forward_arg__
        if not isinstance(what, str):
            return what
        collection = self.model.__ommi__.collection
        if what.isidentifier() and (found := collection._find(what)) is not None:
            return found
        module = sys.modules.get(self._declared.owner.__module__)
        names = ChainMap({"Annotated": Annotated, "AssociateUsing": AssociateUsing}, self._namespace)
        try:
            return eval(what, vars(module) if module else {}, names)
        except NameError as error:
            raise TypeError(
                f"{self.model.__name__}.{self.name} is a relation to {what}, which is no model of its "
                f"collection: {error}"
            ) from error

    def _target(self) -> tuple[type[Any], QueryStrategy | None]:
        inner = self._evaluate(self._declared.inner)
        strategy = None
        if get_origin(inner) is Annotated:
            inner, *said = get_args(inner)
            strategy = next((part for part in said if isinstance(part, QueryStrategy)), None)
            inner = self._evaluate(inner)
        if not isinstance(inner, type) or not hasattr(inner, "__ommi__"):
            raise TypeError(
                f"{self.model.__name__}.{self.name} is a relation to {inner!r}, which is no model: decorate the class"
            )
        # a model that was declared anew takes the place of the first
        current = inner.__ommi__.collection._find(inner.__ommi__.model_name)
        return (current or inner), strategy

    def any(self, *predicates: Any) -> Any:
        """The predicate that there is a related row that passes predicates."""
        return self.route().any(*predicates)

    has = any

    def with_(self, *relations: Any) -> Nested:
        """The relation, with relations of what is related."""
        return Nested(self, relations)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.target, name)

    def __repr__(self) -> str:
        return f"<{self.model.__name__}.{self.name}>"


class Path:
    """The way from a model's rows to related ones.

    The values of `source` in a row are those of `near` in the related rows; with an association, in its
    rows, whose values of `far` are those of `end` in the related ones.
    """

    __slots__ = ("association", "end", "far", "model", "near", "source", "target")

    def __init__(
        self,
        model: type[Any],
        target: type[Any],
        source: tuple[str, ...],
        near: tuple[str, ...],
        association: type[Any] | None = None,
        far: tuple[str, ...] = (),
        end: tuple[str, ...] = (),
    ) -> None:
        self.model = model
        self.target = target
        self.source = source
        self.near = near
        self.association = association
        self.far = far
        self.end = end

    def route(self, name: str, many: bool) -> _core.Route:
        """The way as the core knows it."""
        between = None if self.association is None else (self.association, self.far, self.end)
        return _core.Route(name, many, self.model, self.target, self.source, self.near, between)

    def predicate(self, instance: Any) -> Any:
        """The predicate of the rows that are related to an instance."""
        model = self.target if self.association is None else self.association
        own = [
            _core.field(model, near) == getattr(instance, source)
            for source, near in zip(self.source, self.near, strict=True)
        ]
        if self.association is None:
            return _core.when(*own)
        return Path(self.target, self.association, self.end, self.far).route(model.__name__, True).any(*own)


def _names(references: Iterable[Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    pairs = [(reference.from_field.get("field_name"), reference.to_field.get("field_name")) for reference in references]
    return tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)


def _references(model: type[Any], target: type[Any]) -> Any:
    found = model.__ommi__.references.get(target)
    if found is not None:
        return found
    # a model that was declared anew under its name is referenced as the first was
    for known in model.__ommi__.references:
        if known.__ommi__.model_name == target.__ommi__.model_name:
            return model.__ommi__.references[known]
    return None


def path_of(model: type[Any], target: type[Any], association: type[Any] | None) -> Path:
    """The way from a model to another, by the references between them."""
    if association is not None:
        near, far = _references(association, model), _references(association, target)
        if not near or not far:
            raise RuntimeError(
                f"{association.__name__} does not reference both {model.__name__} and {target.__name__}: "
                "give it a field with ReferenceTo(..) for each"
            )
        near_fields, source = _names(near)
        far_fields, end = _names(far)
        return Path(model, target, source, near_fields, association, far_fields, end)
    if references := _references(model, target):
        source, near_fields = _names(references[:1] if len(references) > 1 else references)
        return Path(model, target, source, near_fields)
    if references := _references(target, model):
        near_fields, source = _names(references[:1] if len(references) > 1 else references)
        return Path(model, target, source, near_fields)
    raise RuntimeError(
        f"no reference leads from {model.__name__} to {target.__name__} or back: annotate the field that holds the "
        f"key with ReferenceTo({target.__name__})"
    )


def _route_between(model: type[Any], other: type[Any]) -> _core.Route:
    """The way from the model of a query to another that its predicates name."""
    try:
        return path_of(model, other, None).route(other.__name__, True)
    except RuntimeError as error:
        raise TypeError(
            f"the query is of {model.__name__}, and a predicate of {other.__name__} cannot be joined to it: {error}"
        ) from None


async def load_elsewhere(lazy: LazyQueryField[Any]) -> Any:
    """What a lazy field leads to that was not read from a database of the core."""
    from ommi.database.handle import find_with, native_of
    from ommi.driver_context import get_current_driver

    driver = lazy._driver if lazy._driver is not None else get_current_driver()
    if lazy._bound is None:
        rows = await find_with(driver, lazy._query_factory()).or_raise()
        return list(rows) if lazy._many else _only(rows)
    relation, instance = lazy._bound
    database = native_of(driver)
    if database is not None:
        return await database.load(relation.route(), instance)
    rows = await _rows_of_python_driver(driver, relation.path(), instance)
    return rows if lazy._many else _only(rows)


async def _rows_of_python_driver(driver: Any, path: Path, instance: Any) -> list[Any]:
    """The rows that are related to an instance, of a driver that is written in Python."""
    from ommi.database.handle import find_with

    if path.association is None:
        return list(await find_with(driver, path.predicate(instance)).or_raise())
    links = Path(path.model, path.association, path.source, path.near).predicate(instance)
    rows: list[Any] = []
    for link in await find_with(driver, links).or_raise():
        end = Path(path.association, path.target, path.far, path.end).predicate(link)
        rows.extend(await find_with(driver, end).or_raise())
    return rows


def _only(rows: list[Any]) -> Any:
    if not rows:
        from ommi.errors import NotFound

        raise NotFound("no row is related")
    return rows[0]


def _slot_of(cls: type[Any], name: str) -> Any:
    import types

    for base in cls.__mro__:
        found = vars(base).get(name)
        if isinstance(found, types.MemberDescriptorType):
            return found
        if isinstance(found, _core.LazyField):
            return found.slot
    return None


def prepare_class(cls: type[Any], kind: str, lazy: dict[str, Declared]) -> None:
    """Lets instances be made without their relations, and be shown without them."""
    if kind == "pydantic":
        _prepare_pydantic(cls, lazy)
        return
    required = [name for name, declaration in lazy.items() if not declaration.has_default]
    if required:
        _wrap_init(cls, required)
    names = _shown_names(cls, kind, lazy)
    if names is not None:
        cls.__repr__ = _repr_of(names)  # type: ignore[assignment]


def _wrap_init(cls: type[Any], required: list[str]) -> None:
    init: Any = cls.__init__
    code = getattr(init, "__code__", None)
    positions = {name: index for index, name in enumerate(code.co_varnames[: code.co_argcount])} if code else {}

    @wraps(init)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        # a place among the positional arguments is the relation's no more, where it was left out
        for name in required:
            if name not in kwargs and positions.get(name, sys.maxsize) > len(args):
                kwargs[name] = None
        init(self, *args, **kwargs)

    cls.__init__ = __init__


def _shown_names(cls: type[Any], kind: str, lazy: dict[str, Declared]) -> list[str] | None:
    if kind == "dataclass":
        params = getattr(cls, "__dataclass_params__", None)
        if (
            params is None
            or not params.repr
            or not getattr(vars(cls).get("__repr__"), "__qualname__", "").endswith("__repr__")
        ):
            return None
        from dataclasses import fields

        return [field.name for field in fields(cls) if field.repr and field.name not in lazy]
    if "__repr__" not in vars(cls):
        return None
    attributes: Any = cls.__attrs_attrs__
    return [attribute.name for attribute in attributes if attribute.repr and attribute.name not in lazy]


def _repr_of(names: list[str]) -> Callable[[Any], str]:
    from reprlib import recursive_repr

    @recursive_repr()
    def __repr__(self: Any) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({shown})"

    return __repr__


def _prepare_pydantic(cls: Any, lazy: dict[str, Declared]) -> None:
    from typing import Optional

    from pydantic.fields import FieldInfo

    cls.__annotations__ = {
        **cls.__annotations__,
        **{name: Optional[LazyQueryField] for name in lazy if name in cls.__annotations__},
    }
    for name in lazy:
        info = FieldInfo.from_annotated_attribute(
            cast("Any", Optional[LazyQueryField]),
            FieldInfo(default=None, repr=False, exclude=True, init_var=None),
        )
        cls.__pydantic_fields__[name] = info
    cls.model_rebuild(force=True)


def attach(cls: Any, core: _core.Model, kind: str, lazy: dict[str, Declared], namespace: Any) -> None:
    """Gives a class the descriptors of its relations."""
    relations = []
    slots = []
    for position, (name, declaration) in enumerate(lazy.items()):
        relation = Relation(cls, name, declaration, namespace, position)
        slot = _slot_of(cls, name)
        setattr(cls, name, _core.LazyField(relation, core, position, name, declaration.lazy, slot, kind == "pydantic"))
        relations.append(relation)
        slots.append(slot)
    names = list(cls.__ommi__.fields)

    def find_columns() -> tuple[list[int], bool]:
        """The fields by which rows find others; all are known once all relations lead somewhere."""
        columns: set[int] = set()
        are_all = True
        for relation in relations:
            try:
                columns.update(names.index(name) for name in relation.route().source)
            except (TypeError, RuntimeError):
                # its use says what is wrong
                are_all = False
        return sorted(columns), are_all

    core.set_relations(find_columns, slots[0], _STATE)


class Nested:
    """A relation, and relations of what is related: `Author.books.with_(Book.tags)`."""

    __slots__ = ("inner", "relation")

    def __init__(self, relation: Relation, inner: tuple[Any, ...]) -> None:
        self.relation = relation
        self.inner = inner

    def _eager(self) -> tuple[_core.Route, int, tuple[Any, ...]]:
        route, position, _ = self.relation._eager()
        return route, position, self.inner
