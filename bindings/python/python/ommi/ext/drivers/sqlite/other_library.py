"""Two copies of SQLite in one process.

The package has SQLite inside, and Python's `sqlite3` usually brings another copy. Two copies in one
process must not have the same file open: each keeps the POSIX locks of the process by itself, and the
first that closes the file drops the locks of both, after which two writers can destroy it. SQLite
guards against this within one copy only.

So Ommi refuses to open a file that `sqlite3` has open in this process, and, while Ommi has a file open,
`sqlite3.connect` of that file is refused. `db.raw` runs statements on Ommi's own connection. Whoever
knows better sets the environment's `OMMI_ALLOW_SECOND_SQLITE=1`.
"""

from __future__ import annotations

import os
import sys
from typing import Any
from urllib.parse import unquote

from ommi import _core
from ommi.errors import ConfigError

__all__ = ["check", "opened_elsewhere"]

_watching = False


def _path_of(url: str) -> str | None:
    rest = url.partition(":")[2].partition("?")[0]
    path = unquote(rest.removeprefix("//"))
    return None if path in ("", ":memory:") else path


def _file_of(path: Any) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except (OSError, TypeError, ValueError):
        return None
    return status.st_dev, status.st_ino


def _open_files() -> set[tuple[int, int]]:
    """Device and number of the files that this process has open; none where that cannot be told."""
    directory = next((name for name in ("/proc/self/fd", "/dev/fd") if os.path.isdir(name)), None)
    found: set[tuple[int, int]] = set()
    for name in os.listdir(directory) if directory else ():
        try:
            status = os.stat(int(name))
        except (OSError, ValueError):
            continue
        found.add((status.st_dev, status.st_ino))
    return found


def _is_allowed() -> bool:
    return os.name == "nt" or os.environ.get("OMMI_ALLOW_SECOND_SQLITE") == "1"


def opened_elsewhere(path: str) -> bool:
    """Whether `sqlite3` of the standard library has a file open in this process."""
    if "_sqlite3" not in sys.modules:
        return False
    file = _file_of(path)
    return file is not None and not _core.has_open(*file) and file in _open_files()


def check(url: str) -> None:
    """Refuses a file that another copy of SQLite has open, and begins to watch for others."""
    path = _path_of(url)
    if path is None or _is_allowed():
        return
    if opened_elsewhere(path):
        raise ConfigError(
            f"`{path}` is open in this process by another copy of SQLite, that of Python's `sqlite3`: two copies "
            "break each other's locks and can destroy the file. Close the other connection first, or use `db.raw` "
            "in its place"
        )
    _watch()


def _watch() -> None:
    global _watching
    if not _watching:
        _watching = True
        sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "sqlite3.connect" or _is_allowed():
        return
    name = arguments[0]
    if isinstance(name, bytes):
        name = os.fsdecode(name)
    if isinstance(name, str) and name.startswith("file:"):
        name = unquote(name.removeprefix("file:").removeprefix("//").partition("?")[0])
    file = _file_of(name)
    if file is not None and _core.has_open(*file):
        raise ConfigError(
            f"`{name}` is open in this process by Ommi, which has a copy of SQLite of its own: a second copy, that of "
            "`sqlite3`, would break its locks and could destroy the file. Use `db.raw`, or close Ommi's database first"
        )
