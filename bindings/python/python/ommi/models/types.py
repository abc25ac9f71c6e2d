"""Which type a field is stored as, found from its annotation."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

from ommi.models.field_metadata import FieldMetadata, FieldType

INTEGERS = ("i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64")

_SCALARS: dict[Any, tuple[Any, ...]] = {
    bool: ("bool",),
    int: ("int", "i64"),
    float: ("float",),
    str: ("text",),
    bytes: ("bytes",),
    bytearray: ("bytes",),
    Decimal: ("decimal", None, None),
    UUID: ("uuid",),
    date: ("date",),
    time: ("time",),
    timedelta: ("duration",),
    datetime: ("datetime",),
}

_JSON_NATIVE = (str, int, float, bool, type(None), Any, object)


class Unfit(TypeError):
    """An annotation that no field can have."""


def split(annotation: Any) -> tuple[Any, list[Any], bool]:
    """The type in an annotation, what `Annotated` says of it, and whether it may be `None`."""
    said: list[Any] = []
    nullable = False
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation, *more = get_args(annotation)
            said.extend(more)
        elif origin in (Union, types.UnionType):
            members = [member for member in get_args(annotation) if member is not type(None)]
            if len(members) == len(get_args(annotation)) or not members:
                return annotation, said, nullable
            nullable = True
            if len(members) > 1:
                return Union[tuple(members)], said, nullable
            annotation = members[0]
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = annotation.__value__
        elif isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        else:
            return annotation, said, nullable


def describe(annotation: Any, said: Sequence[Any]) -> tuple[Any, ...]:
    """The description of a type that the core makes a field's type of."""
    for metadata in said:
        if isinstance(metadata, FieldMetadata) and metadata.matches(FieldType):
            stored = metadata.get("field_type")
            if stored in INTEGERS:
                return ("int", stored)
            annotation = stored
    if annotation is datetime:
        return ("timestamp",) if any(isinstance(metadata, timezone) for metadata in said) else ("datetime",)
    if annotation is Decimal:
        for metadata in said:
            digits = metadata.get("digits") if isinstance(metadata, FieldMetadata) else None
            if digits:
                return ("decimal", *digits)
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    origin = get_origin(annotation)
    if origin is Literal:
        return _choice("Literal", [(value, value) for value in get_args(annotation)])
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _enum(annotation)
    if origin is list:
        (item,) = get_args(annotation)
        inner, inner_said, nullable = split(item)
        described = describe(inner, inner_said)
        if not nullable and described[0] not in ("json", "list"):
            return ("list", described)
        return ("json", *_hooks(annotation))
    if annotation in (list, dict, tuple, Any, object) or origin in (dict, tuple, set, frozenset):
        return ("json", *_hooks(annotation))
    if isinstance(annotation, type) and is_structured(annotation):
        return ("json", *_hooks(annotation))
    if origin in (Union, types.UnionType):
        return ("json", *_hooks(annotation))
    if origin is not None and isinstance(origin, type) and issubclass(origin, (Mapping, Sequence)):
        return ("json", *_hooks(annotation))
    if isinstance(annotation, type):
        for scalar in (str, int, float, bytes):
            if issubclass(annotation, scalar):
                return _SCALARS[scalar]
    raise Unfit(
        f"values of type {_shown(annotation)} cannot be stored: use a scalar type, an Enum, a list, a dict, "
        "a dataclass, or Annotated[.., FieldType(..)] with a type that can"
    )


def _shown(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _choice(name: str, members: list[tuple[Any, Any]]) -> tuple[Any, ...]:
    stored = [value for _, value in members]
    if all(isinstance(value, str) for value in stored) or all(type(value) is int for value in stored):
        return ("choice", name, members)
    raise Unfit(f"the values of {name} are neither all text nor all integers")


def _enum(cls: type[Enum]) -> tuple[Any, ...]:
    members = list(cls)
    if not members:
        raise Unfit(f"the enum {cls.__name__} has no members")
    values = [member.value for member in members]
    if all(isinstance(value, str) for value in values):
        return ("choice", cls.__name__, [(member, str(member.value)) for member in members])
    if all(type(value) is int for value in values):
        return ("choice", cls.__name__, [(member, member.value) for member in members])
    return ("choice", cls.__name__, [(member, member.name) for member in members])


def is_structured(cls: type[Any]) -> bool:
    """Whether a class is a dataclass, an attrs class or a Pydantic model."""
    return hasattr(cls, "__dataclass_fields__") or hasattr(cls, "__attrs_attrs__") or hasattr(cls, "model_fields")


Hook = Callable[[Any], Any]


def _hooks(annotation: Any) -> tuple[Hook | None, Hook | None]:
    """What makes a JSON document of a value, and a value of a document; `None` where nothing is to do."""
    if _is_plain(annotation):
        return None, None
    return _dump(annotation), _load(annotation)


def _is_plain(annotation: Any) -> bool:
    if annotation in _JSON_NATIVE or annotation in (list, dict):
        return True
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is list or origin in (Union, types.UnionType):
        return all(map(_is_plain, arguments))
    return origin is dict and arguments[0] is str and _is_plain(arguments[1])


def _same(value: Any) -> Any:
    return value


def _optional(hook: Hook) -> Hook:
    return lambda value: None if value is None else hook(value)


def _fields(cls: type[Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(cls, include_extras=True)
    names = getattr(cls, "__dataclass_fields__", None)
    if names is None:
        names = [attribute.name for attribute in cls.__attrs_attrs__]
    return {name: hints.get(name, Any) for name in names}


def _dump(annotation: Any) -> Hook:
    annotation, _, nullable = split(annotation)
    hook = _dump_required(annotation)
    return _optional(hook) if nullable else hook


def _dump_required(annotation: Any) -> Hook:
    if _is_plain(annotation):
        return _same
    if annotation in (date, time, datetime):
        return lambda value: value.isoformat()
    if annotation is timedelta:
        return lambda value: value // timedelta(microseconds=1)
    if annotation in (Decimal, UUID):
        return str
    if annotation in (bytes, bytearray):
        return lambda value: bytes(value).hex()
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return _same
    if origin in (Union, types.UnionType):
        return lambda value: _dump(type(value))(value)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return lambda value: annotation(value).value
    if isinstance(annotation, type) and hasattr(annotation, "model_fields"):
        model: Any = annotation
        return lambda value: model.model_validate(value).model_dump(mode="json")
    if isinstance(annotation, type) and is_structured(annotation):
        hooks: dict[str, Hook] = {}

        def dump_structured(value: Any) -> Any:
            if not isinstance(value, annotation):
                raise TypeError(f"a {annotation.__name__} is wanted, not {value!r}")
            if not hooks:
                hooks.update({name: _dump(of) for name, of in _fields(annotation).items()})
            return {name: hook(getattr(value, name)) for name, hook in hooks.items()}

        return dump_structured
    if annotation is tuple or (origin is tuple and arguments[1:] == (...,)):
        item = _dump(arguments[0]) if arguments else _same
        return lambda value: [item(element) for element in value]
    if origin is tuple:
        items = [_dump(argument) for argument in arguments]
        return lambda value: [hook(element) for hook, element in zip(items, value, strict=True)]
    if origin is dict or (isinstance(origin, type) and issubclass(origin, Mapping)):
        key, item = _dump_key(arguments[0]), _dump(arguments[1])
        return lambda value: {key(name): item(element) for name, element in value.items()}
    if arguments:
        item = _dump(arguments[0])
        if origin in (set, frozenset):
            return lambda value: [item(element) for element in sorted(value)]
        return lambda value: [item(element) for element in value]
    if isinstance(annotation, type):
        return _same
    raise Unfit(f"values of type {_shown(annotation)} cannot be stored as JSON")


def _dump_key(annotation: Any) -> Hook:
    if annotation in (str, Any):
        return _same
    dump = _dump(annotation)
    return lambda value: str(dump(value))


def _load(annotation: Any) -> Hook:
    annotation, _, nullable = split(annotation)
    hook = _load_required(annotation)
    return _optional(hook) if nullable else hook


def _load_required(annotation: Any) -> Hook:
    if _is_plain(annotation):
        return float if annotation is float else _same
    if annotation in (date, time, datetime):
        parse: Hook = annotation.fromisoformat
        return parse
    if annotation is timedelta:
        return lambda value: timedelta(microseconds=value)
    if annotation in (Decimal, UUID):
        return lambda value: annotation(value)
    if annotation in (bytes, bytearray):
        unhex: Hook = annotation.fromhex
        return unhex
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return _same
    if origin in (Union, types.UnionType):
        return lambda value: _load_any(arguments, value)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return lambda value: annotation(value)
    if isinstance(annotation, type) and hasattr(annotation, "model_fields"):
        pydantic_model: Any = annotation
        validate: Hook = pydantic_model.model_validate
        return validate
    if isinstance(annotation, type) and is_structured(annotation):
        hooks: dict[str, Hook] = {}

        def load_structured(value: Any) -> Any:
            if not hooks:
                hooks.update({name: _load(of) for name, of in _fields(annotation).items()})
            return annotation(**{name: hooks[name](element) for name, element in value.items() if name in hooks})

        return load_structured
    if annotation is tuple or (origin is tuple and arguments[1:] == (...,)):
        item = _load(arguments[0]) if arguments else _same
        return lambda value: tuple(item(element) for element in value)
    if origin is tuple:
        items = [_load(argument) for argument in arguments]
        return lambda value: tuple(hook(element) for hook, element in zip(items, value, strict=True))
    if origin is dict or (isinstance(origin, type) and issubclass(origin, Mapping)):
        key, item = _load_key(arguments[0]), _load(arguments[1])
        return lambda value: {key(name): item(element) for name, element in value.items()}
    if arguments:
        item = _load(arguments[0])
        if origin is set:
            return lambda value: {item(element) for element in value}
        if origin is frozenset:
            return lambda value: frozenset(item(element) for element in value)
        return lambda value: [item(element) for element in value]
    return _same


def _load_key(annotation: Any) -> Hook:
    if annotation in (str, Any):
        return _same
    if annotation is int:
        return int
    return _load(annotation)


def _load_any(members: tuple[Any, ...], value: Any) -> Any:
    """The value of the first member of a union that takes it."""
    for member in members:
        try:
            loaded = _load(member)(value)
            plain, _, _ = split(member)
            if not isinstance(plain, type) or isinstance(loaded, plain):
                return loaded
        except (TypeError, ValueError, AttributeError, KeyError):
            continue
    return value
