"""The everyday queries, on some flights out of New York: `python quickstart.py`."""

import asyncio
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Optional

from ommi import UTC, Key, Lazy, Ommi, ReferenceTo, count, ommi_model
from table import SAMPLES, rows


@ommi_model
@dataclass
class Plane:
    tailnum: Annotated[str, Key]
    manufacturer: Optional[str]


@ommi_model
@dataclass
class Flight:
    time_hour: Annotated[datetime, UTC, Key]
    carrier: Annotated[str, Key]
    flight: Annotated[int, Key]
    tailnum: Annotated[Optional[str], ReferenceTo(Plane)]  # some flights name planes that are not known
    origin: str
    dest: str
    arr_delay: Optional[int]  # in minutes; null where a flight did not arrive
    cancelled: bool = False
    plane: "Lazy[Plane]" = Lazy()


async def main() -> None:
    file = Path(tempfile.gettempdir()) / "quickstart.db"
    file.unlink(missing_ok=True)  # a fresh database for each run
    async with Ommi(f"sqlite://{file}") as db:
        planes = await db.add(*rows(SAMPLES, "planes", Plane)).or_raise()
        flights = await db.add(*rows(SAMPLES, "flights", Flight)).or_raise()
        print(f"{len(flights)} flights and {len(planes)} planes are in {file}\n")
        print("The latest into Los Angeles and Chicago:")
        late = db.find(Flight.dest.in_("LAX", "ORD"), Flight.arr_delay > 60).sort(Flight.arr_delay.desc)
        for flight in await late.limit(5).all.or_raise():
            plane = await flight.plane.or_use(None)  # one query for the planes of all five
            maker = plane.manufacturer if plane and plane.manufacturer else "an unknown plane"
            print(f"  {flight.arr_delay:>4} min  {flight.carrier} {flight.flight:<4} {maker}")
        cancelled = await db.find(Flight.arr_delay.is_null()).update(cancelled=True).or_raise()
        planeless = await db.find(Flight.cancelled, Flight.tailnum.is_null()).count.or_raise()
        print(f"\n{cancelled} did not arrive, and {planeless} of these had no plane.\n\nMean delays by carrier:")
        delays = db.find(~(Flight.cancelled == True)).group_by(Flight.carrier)  # noqa: E712
        delays = delays.select(Flight.carrier, count(), Flight.arr_delay.avg()).having(count() >= 10)
        for carrier, number, mean in await delays.sort(Flight.arr_delay.avg().desc).all.or_raise():
            print(f"  {carrier}  {mean or 0:>6.1f} min over {number} flights")


asyncio.run(main())
