"""Making models of classes."""

from __future__ import annotations

import sys
import types
import typing
from abc import ABCMeta
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, overload

from ommi import _core
from ommi.models import relations
from ommi.models.collections import ModelCollection, get_global_collection
from ommi.models.embedded import EmbeddedField
from ommi.models.field_metadata import (
    AggregateMetadata,
    Auto,
    Created,
    Embedded,
    FieldMetadata,
    FieldType,
    Index,
    Key,
    MaxLength,
    ReferenceTo,
    StoreAs,
    Unique,
    Updated,
    Version,
    create_metadata_type,
)
from ommi.models.metadata import OmmiMetadata
from ommi.models.query_fields import LazyQueryField
from ommi.models.references import LazyReferenceBuilder, target_of

# `dataclasses` and `ommi.models.types` are imported where models are made: the modules that these need take a third of
# the time of `import ommi`

__all__ = ["OmmiModel", "ommi_model"]

T = TypeVar("T")
C = TypeVar("C", bound=type[Any])

_MISSING: Any = object()
_PYDANTIC = "__pydantic_fields__"


class OmmiModel(metaclass=ABCMeta):
    """What models can do. Decorated classes have these methods, and count as subclasses."""

    __ommi__: ClassVar[OmmiMetadata]

    @classmethod
    def get_driver(cls, driver: Any = None) -> Any:
        """The driver given, or the active one."""
        from ommi.driver_context import get_current_driver

        return driver if driver is not None else get_current_driver()

    @classmethod
    def get_primary_key_fields(cls) -> tuple[FieldMetadata, ...]:
        """The fields of the key."""
        return tuple(cls.__ommi__.fields[name] for name in _core_of(cls).key)

    @classmethod
    def fetch(cls, *predicates: Any, driver: Any = None, **values: Any) -> Any:
        """A query of rows that pass predicates and have values, by the active driver."""
        from ommi.database.handle import find_with

        return find_with(cls.get_driver(driver), cls, *predicates, *_equalities(cls, values))

    @classmethod
    def count(cls, *predicates: Any, driver: Any = None, **values: Any) -> Any:
        """How many rows pass predicates and have values."""
        return cls.fetch(*predicates, driver=driver, **values).count

    def save(self, driver: Any = None) -> Any:
        """Writes all fields: adds the row, or updates the one of its key."""
        from ommi.database.handle import save_with

        return save_with(type(self).get_driver(driver), self)

    def delete(self, driver: Any = None) -> Any:
        """Deletes the row."""
        from ommi.database.handle import delete_with

        return delete_with(type(self).get_driver(driver), self)

    def reload(self, driver: Any = None) -> Any:
        """Reads all fields anew, and gives the instance."""
        from ommi.database.handle import reload_with

        return reload_with(type(self).get_driver(driver), self)


_METHODS = ("get_driver", "get_primary_key_fields", "fetch", "count", "save", "delete", "reload")


def _equalities(model: type[Any], values: dict[str, Any]) -> list[Any]:
    for name in values:
        if name not in model.__ommi__.fields:
            raise ValueError(f"{model.__name__} has no field {name!r}; it has {', '.join(model.__ommi__.fields)}")
    return [_core.field(_core_of(model), name) == value for name, value in values.items()]


def _core_of(model: type[Any]) -> _core.Model:
    core: _core.Model = model.__ommi_core__
    return core


if TYPE_CHECKING:

    @overload
    def ommi_model(model_type: type[T], /) -> type[T]: ...
    @overload
    def ommi_model(
        *, collection: ModelCollection | None = None, name: str | None = None, validate: bool = False
    ) -> Callable[[type[T]], type[T]]: ...


def ommi_model(
    model_type: type[Any] | None = None,
    /,
    *,
    collection: ModelCollection | None = None,
    name: str | None = None,
    validate: bool = False,
) -> Any:
    """Makes a dataclass, an attrs class or a Pydantic model a model, and gives the class itself back.

    `name` is the stored name, in place of the class's. With `validate`, rows are read through the
    class's own `__init__`, Pydantic's validation included.
    """
    frame = sys._getframe(1)
    around = frame.f_globals
    local: dict[str, Any] = frame.f_locals if frame.f_locals is not around else {}

    def decorate(cls: type[Any]) -> type[Any]:
        return _register(cls, collection, name, validate, ChainMap(dict(local), around))

    return decorate if model_type is None else decorate(model_type)


def _register(
    cls: type[Any],
    collection: ModelCollection | None,
    name: str | None,
    validate: bool,
    local: Any,
) -> type[Any]:
    if not isinstance(cls, type):
        raise TypeError(f"@ommi_model decorates classes, not {cls!r}")
    kind = _kind_of(cls)
    own: dict[str, Any] = dict(vars(cls))
    of: Any = collection if collection is not None else own.get("__ommi_collection__")
    stored_name: Any = name or own.get("__ommi_model_name__") or cls.__name__
    return _register_as(cls, kind, get_global_collection() if of is None else of, stored_name, validate, local)


def _register_as(
    cls: type[Any], kind: str, collection: ModelCollection, name: str, validate: bool, local: Any
) -> type[Any]:
    namespace = ChainMap(local, {cls.__name__: cls}, _Names(collection))
    stored, lazy = _fields(cls, kind, namespace)
    if not stored:
        raise TypeError(f"{cls.__name__} has no fields: declare at least one, with its type")

    metadata = dict(_flat(stored))
    _check_names(cls, metadata)
    cls.__ommi__ = OmmiMetadata(
        model_name=name,
        fields=types.MappingProxyType(metadata),
        references=LazyReferenceBuilder(metadata, cls, collection),
        collection=collection,
    )
    if lazy:
        relations.prepare_class(cls, kind, lazy)
    core = _core.Model(cls, _description(cls, kind, name, stored, list(lazy), validate, collection))
    cls.__ommi_core__ = core
    for field in stored:
        expression = _expression(core, cls.__name__, "", field)
        if field.slot is not None:
            setattr(cls, field.name, _SlotField(expression, field.slot))
        elif kind == "pydantic":
            setattr(cls, field.name, _PydanticField(expression, cls, field.name))
        else:
            setattr(cls, field.name, expression)
    if lazy:
        relations.attach(cls, core, kind, lazy, namespace)
    if OmmiModel not in cls.__mro__:
        for method in _METHODS:
            if not _has(cls, method):
                setattr(cls, method, vars(OmmiModel)[method])
        OmmiModel.register(cls)
    collection.add(cls)
    return cls


def _expression(core: _core.Model, of: str, within: str, field: _Field) -> Any:
    """What stands for a field on its model's class."""
    name = within + field.name
    if field.embedded is None:
        return _core.field(core, name)
    parts = {part.name: _expression(core, of, f"{name}.", part) for part in field.embedded.fields}
    return EmbeddedField(f"{of}.{name}", parts)


def _has(cls: type[Any], name: str) -> bool:
    """Whether a class has an attribute of its own or of a user's base: a model's own stays."""
    return any(
        name in vars(base) and not base.__module__.startswith("pydantic.") for base in cls.__mro__ if base is not object
    )


class _Names(dict[str, Any]):
    """The models of a collection by name, as a namespace."""

    def __init__(self, collection: ModelCollection) -> None:
        super().__init__()
        self._collection = collection

    def __missing__(self, name: str) -> Any:
        found = self._collection._find(name)
        if found is None:
            raise KeyError(name)
        return found

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._collection._find(name) is not None


class _SlotField:
    """A field of a class with slots: the field on the class, the slot's value on instances."""

    __slots__ = ("__delete", "__get", "__set", "expression")

    def __init__(self, expression: Any, slot: Any) -> None:
        self.expression = expression
        self.__get = slot.__get__
        self.__set = slot.__set__
        self.__delete = slot.__delete__

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self.expression if instance is None else self.__get(instance, owner)

    def __set__(self, instance: Any, value: Any) -> None:
        self.__set(instance, value)

    def __delete__(self, instance: Any) -> None:
        self.__delete(instance)


class _PydanticField:
    """A field of a Pydantic model, which Pydantic does not take for the default of a subclass's."""

    __slots__ = ("expression", "name", "owner")

    def __init__(self, expression: Any, owner: type[Any], name: str) -> None:
        self.expression = expression
        self.owner = owner
        self.name = name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is not None:
            raise AttributeError(self.name)
        if owner is not self.owner and not vars(owner).get("__pydantic_complete__", False):
            raise AttributeError(self.name)
        return self.expression


class _Field:
    """A stored field of a class."""

    __slots__ = ("annotation", "default", "embedded", "metadata", "name", "nullable", "parameter", "said", "slot")

    def __init__(
        self,
        *,
        name: str,
        annotation: Any,
        said: list[Any],
        nullable: bool,
        default: Any,
        parameter: str,
        metadata: AggregateMetadata,
        slot: Any,
        embedded: _EmbeddedClass | None,
    ) -> None:
        self.name = name
        self.annotation = annotation
        self.said = said
        self.nullable = nullable
        self.default = default
        self.parameter = parameter
        self.metadata = metadata
        self.slot = slot
        self.embedded = embedded


class _EmbeddedClass:
    """The class of an embedded object, and its stored fields."""

    __slots__ = ("cls", "fields", "kind")

    def __init__(self, cls: type[Any], kind: str, fields: list[_Field]) -> None:
        self.cls = cls
        self.kind = kind
        self.fields = fields


def _flat(stored: list[_Field], within: str = "", stored_within: str = "") -> Iterator[tuple[str, AggregateMetadata]]:
    """All fields of a model by their names, with those of embedded objects: `home.city`."""
    for field in stored:
        name, stored_name = within + field.name, stored_within + field.metadata.get("store_as")
        if field.embedded is not None:
            yield from _flat(field.embedded.fields, f"{name}.", f"{stored_name}_")
        elif within:
            yield name, AggregateMetadata(_facts(name, field.annotation), StoreAs(stored_name), field.metadata)
        else:
            yield name, field.metadata


def _facts(name: str, annotation: Any) -> FieldMetadata:
    return create_metadata_type("FieldFacts", field_name=name, field_type=annotation)()


def _kind_of(cls: type[Any]) -> str:
    if "__attrs_attrs__" in vars(cls):
        return "attrs"
    if hasattr(cls, _PYDANTIC) and hasattr(cls, "model_fields"):
        return "pydantic"
    if "__dataclass_fields__" in vars(cls):
        return "dataclass"
    if hasattr(cls, "__attrs_attrs__"):
        raise TypeError(
            f"{cls.__name__} derives from an attrs class and is none itself: decorate it with @attrs.define"
        )
    if "__init__" in vars(cls) or "__new__" in vars(cls):
        raise TypeError(
            f"{cls.__name__} is no dataclass, attrs class or Pydantic model: put @dataclass below @ommi_model"
        )
    from dataclasses import dataclass

    dataclass(cls)
    return "dataclass"


def _raw_annotations(cls: type[Any]) -> dict[str, tuple[Any, type[Any]]]:
    """The annotations of a class and its bases, each with the class that it stands in."""
    found: dict[str, tuple[Any, type[Any]]] = {}
    for base in reversed(cls.__mro__):
        own = vars(base).get("__annotations__")
        if own is None and sys.version_info >= (3, 14):
            import annotationlib

            own = annotationlib.get_annotations(base, format=annotationlib.Format.FORWARDREF)
        for name, annotation in (own or {}).items():
            found[name] = (annotation, base)
    return found


def _fields(
    cls: type[Any], kind: str, namespace: Any, around: tuple[type[Any], ...] = ()
) -> tuple[list[_Field], dict[str, relations.Declared]]:
    from ommi.models.types import split

    annotations = _raw_annotations(cls)
    names: list[tuple[str, Any, str, Any]] = []
    if kind == "dataclass":
        import dataclasses

        for field in dataclasses.fields(cls):
            default = field.default if field.default is not dataclasses.MISSING else _MISSING
            names.append((field.name, default, field.name, field.type))
    elif kind == "attrs":
        for attribute in cls.__attrs_attrs__:
            default = _MISSING if attribute.default.__class__.__name__ in ("_Nothing", "Factory") else attribute.default
            names.append((attribute.name, default, attribute.alias or attribute.name, attribute.type))
    else:
        for name, info in cls.model_fields.items():
            default = _MISSING if type(info.default).__name__ == "PydanticUndefinedType" else info.default
            names.append((name, default, name, info.annotation))
    stored: list[_Field] = []
    lazy: dict[str, relations.Declared] = {}
    for name, default, parameter, known in names:
        annotation, owner = annotations.get(name, (known, cls))
        declared = relations.declared(annotation, owner)
        if declared is None:
            annotation = _evaluate(annotation, owner, namespace, f"{cls.__name__}.{name}")
            declared = relations.declared(annotation, owner)
        if declared is not None:
            declared.has_default = default is not _MISSING
            lazy[name] = declared
            continue
        plain, said, nullable = split(annotation)
        if isinstance(default, LazyQueryField):
            raise TypeError(f"{cls.__name__}.{name} has a lazy default and is no relation: annotate it `Lazy[..]`")
        said_here = [part for part in said if isinstance(part, FieldMetadata)]
        metadata = AggregateMetadata(*said_here, FieldType(plain))
        if not metadata.matches(StoreAs):
            metadata = metadata | StoreAs(name)
        metadata = metadata | _facts(name, plain)
        embedded = None
        if metadata.matches(Embedded):
            embedded = _embedded(f"{cls.__name__}.{name}", plain, metadata, namespace, (*around, cls))
            if (nullable or default is None) and all(part.nullable for part in embedded.fields):
                raise TypeError(
                    f"{cls.__name__}.{name} is embedded and may be None, and each field of {plain.__name__} may be "
                    "None too, so that the two could not be told apart: give it a field that never is, or store it "
                    "as a document, without `Embedded`"
                )
        stored.append(
            _Field(
                name=name,
                annotation=plain,
                said=said,
                nullable=nullable or default is None or plain in (Any, object),
                default=default,
                parameter=parameter,
                metadata=metadata,
                slot=_slot_of(cls, name),
                embedded=embedded,
            )
        )
    return stored, lazy


_OF_MODELS: tuple[FieldMetadata | type[FieldMetadata], ...] = (Key, Auto, Version, Created, Updated, ReferenceTo)


def _embedded(
    where: str, cls: Any, metadata: FieldMetadata, namespace: Any, around: tuple[type[Any], ...]
) -> _EmbeddedClass:
    """What an embedded object of a class stores."""
    from ommi.models.types import is_structured

    if not isinstance(cls, type) or not is_structured(cls) or hasattr(cls, "__ommi__"):
        raise TypeError(
            f"{where} is embedded, and {getattr(cls, '__name__', cls)} is no dataclass, attrs class or Pydantic model "
            "that is no model of its own: only those have fields that can be stored among the model's"
        )
    if cls in around:
        raise TypeError(f"{where} embeds {cls.__name__} in itself: store it as a document, without `Embedded`")
    unfit = [flag for flag in (*_OF_MODELS, Unique, Index) if metadata.matches(flag)]
    kind = _kind_of(cls)
    fields, lazy = _fields(cls, kind, namespace, around)
    if lazy:
        raise TypeError(
            f"{cls.__name__}.{next(iter(lazy))} is a relation, which only models have: put it into the model"
        )
    if not fields:
        raise TypeError(f"{where} is embedded, and {cls.__name__} has no fields")
    if unfit:
        raise TypeError(f"{where} is embedded, and cannot be {_shown(unfit[0])} as a whole: say that of a field")
    for field in fields:
        for flag in _OF_MODELS:
            if field.metadata.matches(flag):
                raise TypeError(
                    f"{cls.__name__}.{field.name} is {_shown(flag)}, which fields of an embedded class cannot be: put "
                    "the field into the model"
                )
    return _EmbeddedClass(cls, kind, fields)


def _shown(flag: FieldMetadata | type[FieldMetadata]) -> str:
    return flag.__name__ if isinstance(flag, type) else repr(flag)


def _slot_of(cls: type[Any], name: str) -> Any:
    """The descriptor of a slot, where a class has one under a name."""
    for base in cls.__mro__:
        found = vars(base).get(name)
        if isinstance(found, types.MemberDescriptorType):
            return found
        if isinstance(found, _SlotField):
            return found._SlotField__set.__self__  # type: ignore[attr-defined]
    return None


def _evaluate(annotation: Any, owner: type[Any], namespace: Any, where: str) -> Any:
    """An annotation that is text, as what it means in the class's module."""
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    if not isinstance(annotation, str):
        return annotation
    module = sys.modules.get(owner.__module__)
    try:
        return eval(annotation, vars(module) if module else {}, ChainMap(dict(vars(owner)), namespace))
    except NameError as error:
        raise TypeError(
            f"the annotation of {where}, {annotation!r}, names what is not defined yet ({error}): define it first; "
            f'a reference to a later model is written ReferenceTo("Model.field")'
        ) from error
    except Exception as error:
        raise TypeError(f"the annotation of {where}, {annotation!r}, is wrong: {error}") from error


def _check_names(cls: type[Any], fields: Mapping[str, FieldMetadata]) -> None:
    seen: dict[str, str] = {}
    for name, metadata in fields.items():
        other = seen.setdefault(metadata.get("store_as").lower(), name)
        if other != name:
            raise ValueError(
                f"{cls.__name__}.{other} and {cls.__name__}.{name} have stored names that are the same but "
                f'for case: give one another with StoreAs("..")'
            )


def _key_of(cls: type[Any], stored: list[_Field]) -> list[str]:
    stored = [field for field in stored if field.embedded is None]
    if not stored:
        raise TypeError(f"{cls.__name__} has embedded fields alone: give it one of its own that can be its key")
    keys = [field.name for field in stored if field.metadata.matches(Key)]
    if keys:
        return keys
    for field in stored:
        if field.metadata.get("store_as") in ("id", "_id"):
            return [field.name]
    for field in stored:
        if isinstance(field.annotation, type) and issubclass(field.annotation, int) and field.annotation is not bool:
            return [field.name]
    return [stored[0].name]


def _description(
    cls: type[Any],
    kind: str,
    name: str,
    stored: list[_Field],
    lazy: list[str],
    validate: bool,
    collection: ModelCollection,
) -> dict[str, Any]:
    key = _key_of(cls, stored)
    fields = _described(cls, stored, key)
    groups: dict[tuple[bool, str], list[str]] = {}
    references = []
    for index, (field_name, metadata) in enumerate(_flat(stored)):
        for part in metadata:
            if isinstance(part, Unique):
                groups.setdefault((True, part.get("unique") or f"\0{field_name}"), []).append(field_name)
            elif isinstance(part, Index):
                groups.setdefault((False, part.get("index") or f"\0{field_name}"), []).append(field_name)
            elif isinstance(part, ReferenceTo) and part.enforced:
                target, target_field = target_of(part.get("reference_to"), cls, field_name, collection)
                references.append(
                    {
                        "fields": [index],
                        "target": target.__ommi__.model_name,
                        "target_fields": [target_field] if target_field else [],
                        "on_delete": part.on_delete,
                        "on_update": part.on_update,
                        "enforced": True,
                    }
                )
    indexes = [(unique, names, None if group.startswith("\0") else group) for (unique, group), names in groups.items()]
    allocate, post_init, extras = _building(cls, kind, stored, lazy, validate)
    return {
        "name": name,
        "table": name,
        "fields": fields,
        "key": key,
        "indexes": indexes,
        "references": references,
        "allocate": allocate,
        "post_init": post_init,
        "extras": extras,
    }


def _described(cls: type[Any], stored: list[_Field], key: list[str]) -> list[dict[str, Any]]:
    """The fields of a class, and of what is embedded in it, as the core takes them."""
    from ommi.models.types import Unfit, describe

    fields: list[dict[str, Any]] = []
    for field in stored:
        metadata = field.metadata
        is_key = field.name in key
        described: dict[str, Any] = {
            "name": field.name,
            "column": metadata.get("store_as"),
            "nullable": field.nullable and not is_key,
            "parameter": field.parameter,
            "slot": field.slot,
        }
        fields.append(described)
        if field.embedded is not None:
            inner = field.embedded
            allocate, post_init, extras = _building(inner.cls, inner.kind, inner.fields, [], False)
            described["embedded"] = {
                "class": inner.cls,
                "fields": _described(inner.cls, inner.fields, []),
                "allocate": allocate,
                "post_init": post_init,
                "extras": extras,
            }
            continue
        try:
            described["type"] = describe(field.annotation, field.said)
        except Unfit as error:
            raise TypeError(f"{cls.__name__}.{field.name}: {error}") from None
        described["auto"] = metadata.matches(Auto) or (is_key and len(key) == 1 and described["type"][0] == "int")
        described["version"] = metadata.matches(Version)
        described["created"] = metadata.matches(Created)
        described["updated"] = metadata.matches(Updated)
        described["max_length"] = metadata.get("max_length") if metadata.matches(MaxLength) else None
    return fields


def _building(
    cls: type[Any], kind: str, stored: list[_Field], lazy: list[str], validate: bool
) -> tuple[bool, bool, dict[str, Any]]:
    """How instances are made of rows: whether they are allocated without `__init__`, and what else is
    then to be done."""
    calls: tuple[bool, bool, dict[str, Any]] = (False, False, {})
    if validate:
        return calls
    try:
        # refuses classes whose instances are more than their attributes
        object.__new__(cls)
    except TypeError:
        return calls
    if vars(cls).get("__new__") is not None and kind != "pydantic":
        return calls
    if kind == "dataclass":
        import dataclasses

        names = {field.name for field in dataclasses.fields(cls)}
        pseudo = any(
            getattr(field, "_field_type", None) is getattr(dataclasses, "_FIELD_INITVAR", None)
            for field in cls.__dataclass_fields__.values()
        )
        params = getattr(cls, "__dataclass_params__", None)
        own_init = "__init__" in vars(cls) and not getattr(params, "init", True)
        if pseudo or own_init or not {field.name for field in stored} <= names:
            return calls
        return True, hasattr(cls, "__post_init__"), {}
    if kind == "attrs":
        attributes = cls.__attrs_attrs__
        runs = any(attribute.validator is not None or attribute.converter is not None for attribute in attributes)
        hooks = any(hasattr(cls, f"__attrs_{when}_init__") for when in ("pre", "post"))
        if runs or hooks or "__attrs_init__" in vars(cls) or hasattr(cls, "__weakref_slot__"):
            return calls
        return True, False, {}
    if cls.__init__ is not _pydantic_init(cls) or cls.model_post_init is not _pydantic_post_init():
        return calls
    extras: dict[str, Any] = {
        "__pydantic_fields_set__": {field.name for field in stored},
        "__pydantic_extra__": {} if cls.model_config.get("extra") == "allow" else None,
        "__pydantic_private__": None,
        # as the instances have it that a program makes, which are equal to those that are read
        **dict.fromkeys(lazy),
    }
    return True, False, extras


def _pydantic_init(cls: type[Any]) -> Any:
    from pydantic import BaseModel

    wrapped = getattr(cls.__init__, "__ommi_wrapped__", None)
    return cls.__init__ if wrapped is BaseModel.__init__ else BaseModel.__init__


def _pydantic_post_init() -> Any:
    from pydantic import BaseModel

    return BaseModel.model_post_init
