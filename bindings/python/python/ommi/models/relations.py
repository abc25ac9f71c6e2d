"""Relations of models: what they are declared by, and how they are loaded.

A relation is loaded for all rows of the result that its row came from, by one query.
"""

from __future__ import annotations

import re
import sys
import typing
from collections import ChainMap
from collections.abc import Callable, Iterable
from dataclasses import fields
from functools import wraps
from typing import Annotated, Any, cast, get_args, get_origin

from ommi import _core
from ommi.models.field_metadata import ReferenceTo
from ommi.models.query_fields import (
    AssociateUsing,
    LazyLoadEveryRelated,
    LazyLoadTheRelated,
    LazyQueryField,
    QueryStrategy,
)
from ommi.results import DBSuccess, _QueryResultBuilder

_SIBLINGS = "_ommi_siblings"
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

    def __init__(self, model: type[Any], name: str, declared: Declared, namespace: Any) -> None:
        self.model = model
        self.name = name
        self.many = declared.lazy._many
        self._declared = declared
        self._namespace = namespace
        self._path: Path | None = None

    def path(self) -> Path:
        """The way to the related rows, found at its first use."""
        if self._path is None:
            target, strategy = self._target()
            association = strategy.association_model if isinstance(strategy, AssociateUsing) else None
            if association is not None:
                association = self._evaluate(association)
            self._path = path_of(self.model, target, association)
        return self._path

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
        return _core.related(self.model, self.path()._parts, *predicates)

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

    @property
    def _parts(self) -> tuple[Any, ...]:
        return self.target, self.source, self.near, self.association, self.far, self.end

    def predicate(self, instance: Any) -> Any:
        """The predicate of the rows that are related to an instance."""
        if self.association is not None:
            return _ThroughAssociation(self, instance)
        return _core.when(
            *(
                _core.field(self.target, near) == getattr(instance, source)
                for source, near in zip(self.source, self.near, strict=True)
            )
        )


class _ThroughAssociation:
    """The rows that are related to an instance through an association."""

    def __init__(self, path: Path, instance: Any) -> None:
        self.path = path
        self.key = tuple(getattr(instance, name) for name in path.source)


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


def _parts_between(model: type[Any], other: type[Any]) -> tuple[Any, ...]:
    """The way from the model of a query to another that its predicates name."""
    try:
        return path_of(model, other, None)._parts
    except RuntimeError as error:
        raise TypeError(
            f"the query is of {model.__name__}, and a predicate of {other.__name__} cannot be joined to it: {error}"
        ) from None


def _finder(driver: Any) -> Callable[..., Any]:
    from ommi.database.handle import find_with

    return lambda *predicates: find_with(driver, *predicates)


async def _rows(driver: Any, *predicates: Any) -> list[Any]:
    found = await _finder(driver)(*predicates).all.or_raise()
    return list(found)


def _equal(model: type[Any], names: tuple[str, ...], keys: list[tuple[Any, ...]]) -> Any:
    if len(names) == 1:
        return _core.field(model, names[0]).in_([key[0] for key in keys])
    any_of = None
    for key in keys:
        same = _core.when(*(_core.field(model, name) == value for name, value in zip(names, key, strict=True)))
        any_of = same if any_of is None else any_of | same
    return any_of


def _key(instance: Any, names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(getattr(instance, name) for name in names)


async def _related(driver: Any, path: Path, keys: list[tuple[Any, ...]]) -> dict[tuple[Any, ...], list[Any]]:
    """The rows that are related to each of some keys."""
    keys = list(dict.fromkeys(key for key in keys if None not in key))
    related: dict[tuple[Any, ...], list[Any]] = {key: [] for key in keys}
    if not keys:
        return related
    if path.association is None:
        rows = await _rows(driver, _equal(path.target, path.near, keys))
        if len(path.near) == 1:
            (name,) = path.near
            by_value = {key[0]: found for key, found in related.items()}
            for row in rows:
                by_value[getattr(row, name)].append(row)
        else:
            for row in rows:
                related[_key(row, path.near)].append(row)
        return related
    links = await _rows(driver, _equal(path.association, path.near, keys))
    ends = list(dict.fromkeys(_key(link, path.far) for link in links))
    ending: dict[tuple[Any, ...], Any] = {}
    if ends:
        for row in await _rows(driver, _equal(path.target, path.end, ends)):
            ending[_key(row, path.end)] = row
    for link in links:
        row = ending.get(_key(link, path.far))
        if row is not None:
            related[_key(link, path.near)].append(row)
    return related


async def fetch_by_predicate(predicate: Any, driver: Any, many: bool) -> Any:
    """What a predicate finds, for a lazy field that was made from one."""
    from ommi.driver_context import get_current_driver

    driver = driver if driver is not None else get_current_driver()
    if isinstance(predicate, _ThroughAssociation):
        rows = (await _related(driver, predicate.path, [predicate.key]))[predicate.key]
    else:
        rows = await _rows(driver, predicate)
    return rows if many else _only(rows)


def _only(rows: list[Any]) -> Any:
    if not rows:
        from ommi.errors import NotFound

        raise NotFound("no row is related")
    return rows[0]


class Siblings:
    """What the rows of a result share: their keys, and what was loaded for them."""

    __slots__ = ("_loaded", "columns", "database")

    def __init__(self, database: Any, columns: dict[str, list[Any]]) -> None:
        self.database = database
        self.columns = columns
        self._loaded: dict[str, dict[tuple[Any, ...], list[Any]]] = {}

    def __eq__(self, other: object) -> bool:
        # relations do not make rows differ, loaded or not
        return other is None or isinstance(other, (Siblings, LazyQueryField))

    def __hash__(self) -> int:
        return hash(LazyQueryField)

    def __deepcopy__(self, memo: Any) -> None:
        return None

    def __reduce__(self) -> Any:
        # a pickled row is not related to the others of its result any more
        return LazyLoadTheRelated, ()

    async def load(self, relation: Relation, key: tuple[Any, ...]) -> list[Any]:
        """The rows that are related to a row of a key."""
        loaded = self._loaded.get(relation.name)
        if loaded is None or key not in loaded:
            path = relation.path()
            columns = [self.columns.get(name, []) for name in path.source]
            keys = [key, *zip(*columns, strict=True)] if loaded is None else [key]
            loaded = {**(loaded or {}), **await _related(self.database, path, keys)}
            self._loaded[relation.name] = loaded
        return loaded[key]


class Source:
    """Where an instance's relation comes from."""

    __slots__ = ("instance", "relation", "siblings")

    def __init__(self, relation: Relation, instance: Any, siblings: Siblings | None) -> None:
        self.relation = relation
        self.instance = instance
        self.siblings = siblings

    async def load(self, fresh: bool) -> Any:
        from ommi.driver_context import get_current_driver

        path = self.relation.path()
        key = _key(self.instance, path.source)
        if None in key:
            rows: list[Any] = []
            if not self.relation.many:
                return None
        elif self.siblings is not None and not fresh:
            rows = await self.siblings.load(self.relation, key)
        else:
            driver = self.siblings.database if self.siblings is not None else get_current_driver()
            rows = (await _related(driver, path, [key]))[key]
        return list(rows) if self.relation.many else _only(rows)


class LazyField:
    """The descriptor of a lazy field: the relation on the class, a lazy value on instances."""

    def __init__(self, relation: Relation, slot: Any) -> None:
        self.relation = relation
        self.name = relation.name
        self._slot = slot

    def _stored(self, instance: Any) -> Any:
        if self._slot is None:
            attributes = instance.__dict__
            stored = attributes.get(self.name)
            return attributes.get(_SIBLINGS) if stored is None else stored
        try:
            return self._slot.__get__(instance, type(instance))
        except AttributeError:
            return None

    def _place(self, instance: Any, value: Any) -> None:
        if self._slot is None:
            instance.__dict__[self.name] = value
        else:
            self._slot.__set__(instance, value)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self.relation
        stored = self._stored(instance)
        if isinstance(stored, LazyQueryField) and (
            stored._query_factory is not None
            or (stored._source is not None and stored._source.instance is instance)
            or (stored._source is None and stored.is_loaded)
        ):
            return stored
        lazy = self.relation._declared.lazy()
        if stored is None or isinstance(stored, (Siblings, LazyQueryField)):
            lazy._source = Source(self.relation, instance, stored if isinstance(stored, Siblings) else None)
        else:
            lazy._source = Source(self.relation, instance, None)
            lazy._set_loaded(stored)
        self._place(instance, lazy)
        return lazy

    def __set__(self, instance: Any, value: Any) -> None:
        self._place(instance, value)

    def __delete__(self, instance: Any) -> None:
        self._place(instance, None)


def _slot_of(cls: type[Any], name: str) -> Any:
    import types

    for base in cls.__mro__:
        found = vars(base).get(name)
        if isinstance(found, types.MemberDescriptorType):
            return found
        if isinstance(found, LazyField):
            return found._slot
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


def attach(cls: Any, core: _core.Model, lazy: dict[str, Declared], namespace: Any) -> None:
    """Gives a class the descriptors of its relations."""
    descriptors = []
    for name, declaration in lazy.items():
        descriptor = LazyField(Relation(cls, name, declaration, namespace), _slot_of(cls, name))
        setattr(cls, name, descriptor)
        descriptors.append(descriptor)
    # which fields are keys of relations is known at their first use: these are likely to be
    names = list(cls.__ommi__.fields)
    columns = [
        index for index, name in enumerate(names) if name in core.key or cls.__ommi__.fields[name].matches(ReferenceTo)
    ]
    slots = [descriptor._slot for descriptor in descriptors if descriptor._slot is not None]
    core.set_relations(Siblings, slots, _SIBLINGS, columns)


class EagerQuery:
    """A query whose rows are given with some of their relations loaded."""

    def __init__(self, query: Any, relations: tuple[Any, ...]) -> None:
        self._query = query
        self._relations = relations

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._query, name)
        if name in ("limit", "page", "offset", "sort", "order_by", "filter", "where", "strict"):
            return lambda *args, **kwargs: EagerQuery(found(*args, **kwargs), self._relations)
        return found

    def with_(self, *relations: Any) -> EagerQuery:
        """Loads more relations with the rows."""
        return EagerQuery(self._query, (*self._relations, *relations))

    prefetch = with_

    def _end(self, name: str) -> Any:
        async def run() -> Any:
            found = await getattr(self._query, name).or_raise()
            rows = found if isinstance(found, list) else [] if found is None else [found]
            for relation in self._relations:
                await load(rows, relation)
            return found

        return _QueryResultBuilder(run)

    @property
    def all(self) -> Any:
        """All rows, as a list."""
        return self._end("all")

    @property
    def one(self) -> Any:
        """The only row."""
        return self._end("one")

    @property
    def first(self) -> Any:
        """The first row, or `None`."""
        return self._end("first")

    @property
    def optional(self) -> Any:
        """The only row, or `None`."""
        return self._end("optional")

    def __await__(self) -> Any:
        return self.all.__await__()

    def or_raise(self) -> Any:
        """All rows, with exceptions raised."""
        return self.all.or_raise()

    def or_use(self, default: Any, *, any_error: bool = False) -> Any:
        """All rows, or a default."""
        return self.all.or_use(default, any_error=any_error)


async def load(rows: list[Any], relation: Any) -> None:
    """Loads a relation of rows, and the relations of the related rows that are named with it."""
    if isinstance(relation, Nested):
        inner, relation = relation.inner, relation.relation
    else:
        inner = ()
    if not isinstance(relation, Relation):
        raise TypeError(f"{relation!r} is no relation: name a lazy field of the model, such as Author.books")
    related = await _load_all(rows, relation)
    for further in inner:
        await load(related, further)


async def _load_all(rows: list[Any], relation: Relation) -> list[Any]:
    """Loads a relation of rows by one query, and gives all that is related."""
    if not rows:
        return []
    descriptor: LazyField = vars(relation.model)[relation.name]
    path = relation.path()
    lazies = [descriptor.__get__(row) for row in rows]
    siblings = lazies[0]._source.siblings if lazies[0]._source is not None else None
    if siblings is None:
        for lazy in lazies:
            await lazy.refresh_if_needed()
        return []
    keys = [_key(row, path.source) for row in rows]
    found = await _related(siblings.database, path, keys)
    siblings._loaded[relation.name] = found
    everything: list[Any] = []
    many = relation.many
    for lazy, key in zip(lazies, keys, strict=True):
        related = found.get(key, [])
        if many:
            lazy._cache = DBSuccess(list(related))
        elif related or None in key:
            lazy._cache = DBSuccess(related[0] if related else None)
    for related in found.values():
        everything.extend(related)
    return everything


class Nested:
    """A relation, and relations of what is related: `Author.books.with_(Book.tags)`."""

    __slots__ = ("inner", "relation")

    def __init__(self, relation: Relation, inner: tuple[Any, ...]) -> None:
        self.relation = relation
        self.inner = inner
