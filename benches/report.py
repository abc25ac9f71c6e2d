"""What the programs of Python among the benches put into docs/performance.md."""

from __future__ import annotations

import datetime
import os
import platform
import re
import statistics
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
REPORT = REPOSITORY / "docs" / "performance.md"


def spread(values: list[float]) -> str:
    """The median, and the middle half."""
    low, middle, high = statistics.quantiles(values * 2 if len(values) == 1 else values, n=4, method="inclusive")
    return f"{middle:.2f} ({low:.2f}–{high:.2f})"  # noqa: RUF001


def machine() -> str:
    """The day, the machine and its load."""
    cpuinfo = Path("/proc/cpuinfo")
    model = re.search(r"^model name\s*: (.*)$", cpuinfo.read_text() if cpuinfo.exists() else "", re.MULTILINE)
    kernel = re.split("[-+]", platform.release())[0]
    day = datetime.datetime.now(datetime.timezone.utc).date()
    return (
        f"{day}, {os.cpu_count()} cores ({model[1] if model else platform.machine()}), "
        f"{platform.system()} {kernel}, load {os.getloadavg()[0]:.2f}"
    )


def put(part: str, text: str) -> None:
    """Puts a part into the report, in place of the same part before."""
    begin, end = f"<!-- {part} -->\n", f"\n<!-- end of {part} -->"
    head, rest = REPORT.read_text().split(begin, 1)
    tail = rest.split(end, 1)[1]
    REPORT.write_text(f"{head}{begin}\n{text.rstrip()}\n{end}{tail}")
    print(f"written to {REPORT.relative_to(REPOSITORY)}")
