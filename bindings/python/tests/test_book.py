"""The samples of the book, run."""

import ast
import asyncio
import inspect
import os
import re
import sys
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CHAPTERS = ["getting-started", "models", "queries", "writes", "relations", "testing"]


def samples(text: str) -> str:
    """The samples of a chapter as one program, on the chapter's own lines."""
    lines, inside = [], False
    for line in text.splitlines():
        fence = line.startswith("```")
        lines.append(line if inside and not fence else "")
        if fence:
            inside = not inside and line == "```python"
    return "\n".join(lines)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_samples_of_the_chapter_run(chapter, tmp_path, monkeypatch):
    file = ROOT / "docs" / "python" / f"{chapter}.md"
    monkeypatch.chdir(tmp_path)
    module = types.ModuleType(f"book_{chapter.replace('-', '_')}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    code = compile(samples(file.read_text()), str(file), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)

    async def run() -> None:
        made = eval(code, vars(module))
        if inspect.isawaitable(made):
            await made

    asyncio.run(run())


def test_the_sample_of_the_readme_runs(tmp_path, monkeypatch):
    text = (ROOT / "bindings" / "python" / "README.md").read_text()
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len([line for line in program.splitlines() if line.strip()]) < 20
    (tmp_path / "sample.py").write_text(program)
    monkeypatch.chdir(tmp_path)
    assert os.system(f"{sys.executable} sample.py > out.txt") == 0
    assert "User(name='Ada', age=36, id=1)" in (tmp_path / "out.txt").read_text()
