"""Both checkers accept what is right, and report what is wrong."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent / "python"


def marked(file: Path) -> set[int]:
    return {number for number, line in enumerate(file.read_text().splitlines(), 1) if "# wrong" in line}


def checked_by_mypy(tmp_path: Path, file: str, plugin: bool) -> set[int]:
    pytest.importorskip("mypy")
    config = tmp_path / "mypy.ini"
    config.write_text("[mypy]\nstrict = true\n" + ("plugins = ommi.mypy\n" if plugin else ""))
    command = [sys.executable, "-m", "mypy", "--config-file", str(config), "--cache-dir", str(tmp_path / "cache")]
    environment = {**os.environ, "MYPYPATH": str(PACKAGE)} if (PACKAGE / "ommi" / "_core.abi3.so").exists() else None
    answer = subprocess.run(
        [*command, str(HERE / "typing" / file)], capture_output=True, text=True, env=environment, timeout=300
    )
    assert "rror" not in answer.stderr, answer.stderr
    return {int(found[1]) for found in re.finditer(rf"{file}:(\d+): error", answer.stdout)}


def test_mypy_accepts_what_is_right(tmp_path):
    assert checked_by_mypy(tmp_path, "right.py", plugin=False) == set()


def test_mypy_reports_what_is_wrong(tmp_path):
    assert checked_by_mypy(tmp_path, "wrong.py", plugin=False) == marked(HERE / "typing" / "wrong.py")


def test_mypy_knows_query_fields_by_the_plugin(tmp_path):
    assert checked_by_mypy(tmp_path, "fields.py", plugin=True) == marked(HERE / "typing" / "fields.py")


@pytest.mark.parametrize("file", ["right.py", "wrong.py"])
def test_pyright_agrees(file):
    pytest.importorskip("pyright")
    # pyright is a program of Node, which the package of that name brings along
    answer = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, str(HERE / "typing" / file)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(PACKAGE)},
        cwd=HERE.parent,
    )
    if not answer.stdout.startswith("{"):
        pytest.skip("pyright does not run here")
    errors = [entry for entry in json.loads(answer.stdout)["generalDiagnostics"] if entry["severity"] == "error"]
    lines = {entry["range"]["start"]["line"] + 1 for entry in errors}
    assert lines == (marked(HERE / "typing" / file) if file == "wrong.py" else set()), errors
