"""The cases of `conformance/` are those of the suite that every driver runs, seen from Python."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
SUITE = HERE.parents[2] / "crates" / "ommi-conformance" / "src" / "cases"


def names() -> list[str]:
    found = []
    for file in sorted((HERE / "conformance").glob("test_*.py")):
        for part in ast.parse(file.read_text()).body:
            if isinstance(part, ast.AsyncFunctionDef) and part.name.startswith("test_"):
                found.append(part.name.removeprefix("test_").replace("_", " "))
    return found


def test_there_are_more_than_150_cases_and_each_is_one_of_the_suite():
    sources = "".join(file.read_text() for file in SUITE.rglob("*.rs"))
    known = {name.replace("_", " ") for name in re.findall(r"\bfn (\w+)", sources)}
    cases = names()
    assert len(cases) >= 150 and len(set(cases)) == len(cases)
    assert [case for case in cases if case not in known] == []
