"""What it costs to compile programs with each mapper: `dev/bench --compile [--models N] [--rounds N]`.

The table goes into docs/performance.md where there are at least as many models and rounds as by default.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from programs import LIMIT, MAPPERS, Mapper
from report import REPOSITORY, machine, put, spread

MODELS = 100
ROUNDS = 5
BUILDS = 2
"""In how many rounds the programs are built too: that takes long."""


@dataclass
class Figures:
    """What was measured of a mapper; times in seconds."""

    whole: dict[str, list[float]] = field(default_factory=lambda: {"check": [], "build": []})
    edited: dict[str, list[float]] = field(default_factory=lambda: {"check": [], "build": []})
    dependencies: float = 0
    crates: int = 0
    size: int = 0
    stripped: int = 0
    lines: int = 0


class Programs:
    """The programs of a mapper, and what Cargo makes of them."""

    def __init__(self, mapper: Mapper, models: int) -> None:
        self.mapper = mapper
        self.folder = Path(os.environ["OMMI_CACHE"]) / "compile-bench" / mapper.folder
        self.target = self.folder / "target"
        # what changes how Cargo compiles by default would be measured too
        strange = (
            "CARGO_BUILD_RUST",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_INCREMENTAL",
            "CARGO_PROFILE_",
            "RUSTC_",
            "RUSTFLAGS",
        )
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
        self.environment |= {"CARGO_TARGET_DIR": str(self.target), "CARGO_TERM_COLOR": "never"}
        # in the middle, and one that belongs to another
        self.edited = models // 2 | 1 if models > 1 else 0
        mapper.write(self.folder, models)  # into an empty folder, so that nothing is compiled yet
        # drops what the lock file has and these programs do not need
        self.run("cargo", "fetch")

    def run(self, *command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment | environment, capture_output=True, text=True
        )
        if done.returncode != 0:
            sys.exit(f"{self.mapper.name}: {' '.join(map(str, command))}\n{done.stderr}")
        return done

    def cargo(self, command: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run("cargo", command, "--locked", "--offline", *arguments, **environment)

    def timed(self, command: str) -> float:
        """How long a check or a build takes."""
        begun = time.perf_counter()
        done = self.cargo(command, "-p", "models")
        took = time.perf_counter() - begun
        if not re.search("(Checking|Compiling) models", done.stderr):
            sys.exit(f"{self.mapper.name}: nothing was compiled\n{done.stderr}")
        return took

    def whole(self, command: str) -> float:
        """The program's own crate, of which nothing is known from before."""
        for known in (self.target / "debug" / "incremental").glob("models-*"):
            shutil.rmtree(known)
        (self.folder / "models" / "src" / "main.rs").touch()
        return self.timed(command)

    def after_edit(self, command: str, limit: int) -> float:
        """Another limit in one function."""
        file = self.folder / "models" / "src" / f"model_{self.edited}.rs"
        file.write_text(self.mapper.module(self.edited, limit))
        return self.timed(command)

    def crates(self) -> int:
        tree = self.cargo("tree", "--prefix", "none", "--edges", "normal", "-p", "minimal").stdout
        # a crate that was named before has a star
        return len({line.removesuffix(" (*)") for line in tree.splitlines()}) - 1

    def sizes(self) -> tuple[int, int]:
        """Of the minimal program, and of it stripped."""
        program = self.target / "release" / f"minimal{'.exe' if os.name == 'nt' else ''}"
        self.cargo("build", "--release", "-p", "minimal")
        size = program.stat().st_size
        self.cargo("rustc", "--release", "-p", "minimal", "--", "-C", "strip=symbols")
        if "Ada" not in self.run(program).stdout:
            sys.exit(f"{self.mapper.name}: the minimal program does not find its row")
        return size, program.stat().st_size

    def lines(self) -> int:
        """Those that a model is without its macros. Dependencies are compiled once more, as for a nightly compiler."""
        with_model, without = (self.expanded(program) for program in ("one", "none"))
        return with_model - without

    def expanded(self, program: str) -> int:
        expand = ("rustc", "--profile", "check", "-p", program, "--", "-Zunpretty=expanded")
        file = self.folder / f"{program}.rs"
        file.write_text(self.cargo(*expand, RUSTC_BOOTSTRAP="1").stdout)
        self.run("rustfmt", "--edition", "2024", "--config-path", REPOSITORY, file)
        return len(file.read_text().splitlines())


def measure(models: int, rounds: int) -> dict[str, Figures]:
    figures = {mapper.name: Figures() for mapper in MAPPERS}
    programs = [Programs(mapper, models) for mapper in MAPPERS]
    for of in programs:
        say(f"{of.mapper.name}: check with all dependencies")
        figures[of.mapper.name].dependencies = of.timed("check")
    for of in programs:
        say(f"{of.mapper.name}: build of all dependencies")
        of.cargo("build", "-p", "minimal")
    for round in range(rounds):
        say(f"round {round + 1} of {rounds}")
        # another one begins each time
        for place in range(len(programs)):
            of = programs[(place + round) % len(programs)]
            mapper = figures[of.mapper.name]
            commands = [("check", LIMIT + 1 + 2 * round)]
            if round < BUILDS:
                commands.append(("build", LIMIT + 2 + 2 * round))
            for command, limit in commands:
                mapper.whole[command].append(of.whole(command))
                mapper.edited[command].append(of.after_edit(command, limit))
    for of in programs:
        say(f"{of.mapper.name}: minimal program")
        mapper = figures[of.mapper.name]
        mapper.crates = of.crates()
        mapper.size, mapper.stripped = of.sizes()
    for of in programs:
        say(f"{of.mapper.name}: lines of a model")
        figures[of.mapper.name].lines = of.lines()
    return figures


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def table(figures: dict[str, Figures]) -> str:
    def row(what: str, cells: list[str]) -> str:
        return f"| {' | '.join([what, *cells])} |\n"

    of = list(figures.values())
    return (
        row("cost", list(figures))
        + f"|---|{'---:|' * len(of)}\n"
        + row("check of the program, s", [spread(mapper.whole["check"]) for mapper in of])
        + row("check after one edit, s", [spread(mapper.edited["check"]) for mapper in of])
        + row("build of the program, s", [spread(mapper.whole["build"]) for mapper in of])
        + row("build after one edit, s", [spread(mapper.edited["build"]) for mapper in of])
        + row("check with all dependencies, s", [f"{mapper.dependencies:.1f}" for mapper in of])
        + row("crates", [str(mapper.crates) for mapper in of])
        + row("minimal program, MiB", [mebibytes(mapper.size) for mapper in of])
        + row("minimal program stripped, MiB", [mebibytes(mapper.stripped) for mapper in of])
        + row("lines generated for a model", [str(mapper.lines) for mapper in of])
    )


def mebibytes(size: int) -> str:
    return f"{size / 2**20:.2f}"


def circumstances(machine: str, models: int, rounds: int) -> str:
    """With what and on what it was measured."""
    versions = ", ".join(f"{mapper.name} {version(mapper)}" for mapper in MAPPERS)
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    return f"{versions}; rustc {rustc}.\n{machine} before; {models} models, {rounds} rounds."


def version(mapper: Mapper) -> str:
    found = re.search(rf'^name = "{mapper.package}"\nversion = "(.*)"', (REPOSITORY / mapper.lock).read_text(), re.M)
    return found[1] if found else "?"


def main() -> None:
    arguments = argparse.ArgumentParser(prog="dev/bench --compile", description=__doc__)
    arguments.add_argument("--models", type=int, default=MODELS, help="how many each program has (%(default)s)")
    arguments.add_argument("--rounds", type=int, default=ROUNDS, help="how often it is checked (%(default)s)")
    given = arguments.parse_args()
    if given.models < 1 or given.rounds < 1:
        arguments.error("there must be a model and a round")
    before = machine()
    figures = measure(given.models, given.rounds)
    text = f"{circumstances(before, given.models, given.rounds)}\n\n{table(figures)}"
    print(text)
    if given.models >= MODELS and given.rounds >= ROUNDS:
        put("compile", text)


if __name__ == "__main__":
    main()
