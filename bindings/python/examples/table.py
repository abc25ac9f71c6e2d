"""Tables in CSV files, read row by row into dataclasses."""

from __future__ import annotations

import csv
import dataclasses
import io
import types
import typing
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

SAMPLES = Path(__file__).resolve().parents[3] / "examples" / "data"
"""A small cut of the flights data."""


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


_READ: dict[Any, Callable[[str], Any]] = {str: str, int: int, float: float, datetime: _instant}


def _reader(annotation: Any) -> Callable[[str], Any]:
    """What makes a value of a type of a text; `NA` and nothing are null."""
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        (annotation,) = (member for member in typing.get_args(annotation) if member is not type(None))
        read = _READ[annotation]
        return lambda text: None if text in ("", "NA") else read(text)
    return _READ[annotation]


def rows(directory: Path, name: str, model: type[T]) -> Iterator[T]:
    """The rows of a table of a directory, zipped or not."""
    hints = typing.get_type_hints(model, include_extras=True)
    fields = [field for field in dataclasses.fields(model) if field.init]  # type: ignore[arg-type]
    archive = directory / f"{name}.csv.zip"
    with (
        zipfile.ZipFile(archive).open(f"{name}.csv")
        if archive.exists()
        else open(directory / f"{name}.csv", "rb") as file
    ):
        table = csv.reader(io.TextIOWrapper(file, encoding="utf-8", newline=""))
        head = {column: index for index, column in enumerate(next(table))}
        readers = [
            (field.name, head[column], _reader(hints[field.name]))
            for field in fields
            if (column := "type" if field.name == "kind" else field.name) in head
        ]
        for row in table:
            yield model(**{field: read(row[index]) for field, index, read in readers})
