"""Memory over a million adds and reads: `python benches/memory.py [url] [times]`.

Prints what the process holds as it goes; the last line is the growth after the first tenth.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Annotated

from ommi import Auto, Key, ModelCollection, Ommi, auto, ommi_model

collection = ModelCollection()


@ommi_model(collection=collection)
@dataclass
class Row:
    name: str
    id: Annotated[int, Key | Auto] = auto()


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def main(url: str, times: int) -> None:
    async with Ommi(url) as db:
        await db.use_models(collection)
        base = objects = 0
        begun = time.monotonic()
        for step in range(10):
            for index in range(times // 10):
                (row,) = await db.add(Row(f"row {index}")).or_raise()
                assert await db.get(Row, row.id).or_raise() == row
                if index % 1_000 == 999:
                    # the table stays small, so that it is the process that is looked at
                    await db.find(Row).delete.or_raise()
            gc.collect()
            held = resident()
            if step == 0:
                base, objects = held, len(gc.get_objects())
            took = time.monotonic() - begun
            print(f"{(step + 1) * times // 10:>9,} adds and reads in {took:6.1f} s, {held / 1e6:7.2f} MB", flush=True)
        growth = (resident() - base) / base * 100
        tasks, more = len(asyncio.all_tasks()), len(gc.get_objects()) - objects
        print(f"growth {growth:+.2f} %, {tasks} task, {more:+} objects")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        url = sys.argv[1] if len(sys.argv) > 1 else f"sqlite://{directory}/memory.db?synchronous=off"
        asyncio.run(main(url, int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000))
