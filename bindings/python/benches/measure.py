"""Interleaved rounds of two ways to the same answer.

`ratio` is that of the median times, `least` that of the fastest rounds, and `cpu` that of the median times which
the process itself computed: on a busy machine it is the one to trust, where no server is involved.
"""

from __future__ import annotations

import gc
import inspect
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

HEAD = f"{'work':38} {'raw us':>11} {'ommi us':>11} {'ratio':>6} {'least':>6} {'cpu':>6}"


async def done(work: Any) -> Any:
    """The answer of work that may be synchronous."""
    return await work if inspect.isawaitable(work) else work


async def timed(run: Callable[[], Any]) -> tuple[float, float]:
    """How long it takes until the answer is there, and how long the process computed; letting go of it is not
    measured."""
    begun, computed = time.perf_counter(), time.process_time()
    answer = await done(run())
    took = time.perf_counter() - begun, time.process_time() - computed
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
    raws: list[tuple[float, float]] = []
    ommis: list[list[tuple[float, float]]] = [[] for _ in forms]
    for _ in range(rounds):
        gc.collect()
        raws.append(await timed(raw))
        for index, (_, run) in enumerate(forms):
            ommis[index].append(await timed(run))
    base, base_computed = (statistics.median(of) for of in zip(*raws, strict=True))
    for (form, _), measured in zip(forms, ommis, strict=True):
        median, computed = (statistics.median(of) for of in zip(*measured, strict=True))
        what = f"{name}, {form}"
        print(
            f"{what:38} {base / times * 1e6:11.2f} {median / times * 1e6:11.2f} {median / base:6.2f} "
            f"{min(measured)[0] / min(raws)[0]:6.2f} {computed / base_computed:6.2f}",
            flush=True,
        )


shown: list[str] = []
