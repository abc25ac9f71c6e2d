"""Interleaved rounds of two ways to the same answer."""

from __future__ import annotations

import gc
import inspect
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

HEAD = f"{'work':38} {'raw us':>11} {'ommi us':>11} {'ratio':>6} {'least':>6}"


async def timed(run: Callable[[], Any]) -> float:
    """How long it takes until the answer is there; letting go of it is not measured."""
    begun = time.perf_counter()
    answer = run()
    if inspect.isawaitable(answer):
        answer = await answer
    took = time.perf_counter() - begun
    del answer
    return took


async def compare(
    name: str,
    driver: str,
    times: int,
    raw: Callable[[], Any],
    forms: list[tuple[str, Callable[[], Awaitable[Any]]]],
    rounds: int,
) -> None:
    """Prints the medians of both, their ratio, and the ratio of the fastest rounds."""
    if HEAD not in shown:
        shown.append(HEAD)
        print(HEAD)
    raws: list[float] = []
    ommis: list[list[float]] = [[] for _ in forms]
    for _ in range(rounds):
        gc.collect()
        raws.append(await timed(raw))
        for index, (_, run) in enumerate(forms):
            ommis[index].append(await timed(run))
    base = statistics.median(raws)
    for (form, _), measured in zip(forms, ommis, strict=True):
        median = statistics.median(measured)
        what = f"{name}, {form}"
        print(
            f"{what:38} {base / times * 1e6:11.2f} {median / times * 1e6:11.2f} "
            f"{median / base:6.2f} {min(measured) / min(raws):6.2f}",
            flush=True,
        )


shown: list[str] = []
