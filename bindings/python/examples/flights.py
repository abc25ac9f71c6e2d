"""Loads a year of flights into any database, and reports on them: `python flights.py DATA_DIR URL [--json]`.

`DATA_DIR` holds `airlines.csv`, `airports.csv`, `planes.csv`, `weather.csv` and `flights.csv.zip`; each
may be zipped or not. What is in the database already stays as it is, so that a second run adds nothing.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Optional

from ommi import UTC, Key, Ommi, OmmiError, ReferenceTo, StoreAs, count, ommi_model
from table import rows

BATCH = 5_000
"""How many rows are written at once."""


@ommi_model(name="airlines")
@dataclass
class Airline:
    carrier: Annotated[str, Key]
    name: Optional[str]


@ommi_model(name="airports")
@dataclass
class Airport:
    faa: Annotated[str, Key]
    name: Optional[str]
    lat: Optional[float]
    lon: Optional[float]
    alt: Optional[float]
    tz: Optional[float]
    dst: Optional[str]
    tzone: Optional[str]


@ommi_model(name="planes")
@dataclass
class Plane:
    tailnum: Annotated[str, Key]
    year: Optional[int]
    kind: Annotated[Optional[str], StoreAs("type")]
    manufacturer: Optional[str]
    model: Optional[str]
    engines: Optional[int]
    seats: Optional[int]
    speed: Optional[int]
    engine: Optional[str]


@ommi_model(name="weather")
@dataclass
class Weather:
    time_hour: Annotated[datetime, UTC, Key]
    origin: Annotated[str, Key, ReferenceTo(Airport)]
    year: Optional[int]
    month: Optional[int]
    day: Optional[int]
    hour: Optional[int]
    temp: Optional[float]
    dewp: Optional[float]
    humid: Optional[float]
    wind_dir: Optional[float]
    wind_speed: Optional[float]
    wind_gust: Optional[float]
    precip: Optional[float]
    pressure: Optional[float]
    visib: Optional[float]


# flights name planes and airports that are not in the data: those references are not enforced
@ommi_model(name="flights")
@dataclass
class Flight:
    time_hour: Annotated[datetime, UTC, Key]
    carrier: Annotated[str, Key, ReferenceTo(Airline, enforced=True)]
    flight: Annotated[int, Key]
    year: int
    month: int
    day: int
    dep_time: Optional[int]
    sched_dep_time: Optional[int]
    dep_delay: Optional[int]
    arr_time: Optional[int]
    sched_arr_time: Optional[int]
    arr_delay: Optional[int]
    tailnum: Annotated[Optional[str], ReferenceTo(Plane)]
    origin: Annotated[str, ReferenceTo(Airport)]
    dest: Annotated[str, ReferenceTo(Airport)]
    air_time: Optional[int]
    distance: Optional[int]
    hour: Optional[int]
    minute: Optional[int]


TABLES: dict[str, Any] = {
    "airlines": Airline,
    "airports": Airport,
    "planes": Plane,
    "weather": Weather,
    "flights": Flight,
}


async def load(db: Ommi, directory: Path) -> tuple[int, int]:
    """Loads all tables; gives how many rows were read, and how many of them were new."""
    read = new = 0
    for name, model in TABLES.items():
        before = await db.find(model).count.or_raise()
        source = rows(directory, name, model)
        while batch := list(islice(source, BATCH)):
            read += len(batch)
            await db.upsert(*batch, ignore=True).or_raise()
        new += await db.find(model).count.or_raise() - before
    return read, new


def mean(total: int, number: int) -> str:
    """A mean with two decimals, half away from zero."""
    hundredths = (abs(total) * 200 + number) // (number * 2)
    sign = "-" if total < 0 and hundredths > 0 else ""
    return f"{sign}{hundredths // 100}.{hundredths % 100:02}"


async def names(db: Ommi, model: Any, key: Any, keys: list[Any], name: Any) -> dict[Any, Any]:
    """The names that belong to some keys."""
    found = await db.find(key.in_([value for value in keys if value is not None])).select(key, name).all.or_raise()
    return dict(found)


async def slowest_carriers(db: Ommi) -> list[dict[str, Any]]:
    """The five carriers with the highest mean delay, ranked by the exact mean."""
    from fractions import Fraction

    groups = db.find(Flight.arr_delay.is_not_null()).group_by(Flight.carrier)
    delays = await groups.select(Flight.carrier, count(), Flight.arr_delay.sum()).all.or_raise()
    delays.sort(key=lambda delay: (-Fraction(delay[2], delay[1]), delay[0]))
    airlines = await names(db, Airline, Airline.carrier, [delay[0] for delay in delays[:5]], Airline.name)
    return [
        {
            "carrier": carrier,
            "name": airlines.get(carrier),
            "flights": number,
            "mean_delay": mean(total, number),
        }
        for carrier, number, total in delays[:5]
    ]


async def busiest_routes(db: Ommi) -> list[dict[str, Any]]:
    groups = db.find(Flight).group_by(Flight.origin, Flight.dest).select(Flight.origin, Flight.dest, count())
    routes = groups.sort(count().desc, Flight.origin, Flight.dest).limit(3)
    return [{"origin": origin, "dest": dest, "flights": number} for origin, dest, number in await routes.all.or_raise()]


async def plane_absent(db: Ommi) -> int:
    """How many flights name a plane that is not among the planes."""
    known = [tailnum for (tailnum,) in await db.find(Plane).select(Plane.tailnum).all.or_raise()]
    return await db.find(Flight.tailnum.is_not_null(), Flight.tailnum.not_in(known)).count.or_raise()


async def most_delayed(db: Ommi) -> list[dict[str, Any]]:
    query = db.find(Flight.arr_delay.is_not_null())
    query = query.sort(Flight.arr_delay.desc, Flight.time_hour, Flight.carrier, Flight.flight).limit(10)
    flights = await query.all.or_raise()
    airlines = await names(db, Airline, Airline.carrier, [flight.carrier for flight in flights], Airline.name)
    ends = [end for flight in flights for end in (flight.origin, flight.dest)]
    airports = await names(db, Airport, Airport.faa, ends, Airport.name)
    planes = await names(db, Plane, Plane.tailnum, [flight.tailnum for flight in flights], Plane.manufacturer)
    return [
        {
            "date": f"{flight.year:04}-{flight.month:02}-{flight.day:02}",
            "carrier": airlines.get(flight.carrier),
            "tailnum": flight.tailnum,
            "manufacturer": planes.get(flight.tailnum),
            "origin": airports.get(flight.origin),
            "dest": airports.get(flight.dest),
            "delay": flight.arr_delay,
        }
        for flight in flights
    ]


async def report(db: Ommi) -> dict[str, Any]:
    """Figures that the database computes, and the names that belong to them."""
    return {
        "rows": {name: await db.find(model).count.or_raise() for name, model in TABLES.items()},
        "slowest_carriers": await slowest_carriers(db),
        "busiest_routes": await busiest_routes(db),
        "tailnum_null": await db.find(Flight.tailnum.is_null()).count.or_raise(),
        "plane_absent": await plane_absent(db),
        "most_delayed": await most_delayed(db),
    }


def shown(figures: dict[str, Any]) -> str:
    """The report as text."""
    number = figures["rows"]
    lines = [
        f"{number['flights']} flights of {number['airlines']} airlines, {number['airports']} airports, "
        f"{number['planes']} planes, {number['weather']} hours of weather",
        f"{figures['tailnum_null']} flights have no tail number, {figures['plane_absent']} one of a plane that is not "
        "known",
        "",
        "Slowest carriers, by their mean delay in minutes",
    ]
    for slow in figures["slowest_carriers"]:
        lines.append(
            f"  {slow['carrier']:<3} {slow['mean_delay']:>8}  over {slow['flights']:>6} flights  "
            f"{slow['name'] or 'unknown'}"
        )
    lines += ["", "Busiest routes"]
    lines += [
        f"  {route['origin']} to {route['dest']}  {route['flights']:>6} flights" for route in figures["busiest_routes"]
    ]
    lines += ["", "Most delayed, in minutes"]
    for delay in figures["most_delayed"]:
        carrier, tailnum, manufacturer, origin, dest = (
            delay[name] or "unknown" for name in ("carrier", "tailnum", "manufacturer", "origin", "dest")
        )
        lines.append(
            f"  {delay['delay']:>5}  {delay['date']}  {carrier}, {origin} to {dest}  ({tailnum}, {manufacturer})"
        )
    return "\n".join(lines)


async def run(directory: Path, url: str, as_json: bool) -> None:
    async with Ommi(url) as db:
        begun = time.perf_counter()
        read, new = await load(db, directory)
        seconds = time.perf_counter() - begun
        figures = await report(db)
    if as_json:
        sys.stdout.buffer.write(json.dumps(figures, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
    else:
        print(f"Read {read} rows, of which {new} were new, in {seconds:.1f} s.\n\n{shown(figures)}")


def main() -> int:
    flags = [argument for argument in sys.argv[1:] if argument.startswith("-")]
    words = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if flags not in ([], ["--json"]) or len(words) != 2:
        print("usage: flights.py DATA_DIR URL [--json]", file=sys.stderr)
        return 2
    try:
        asyncio.run(run(Path(words[0]), words[1], bool(flags)))
    except (OmmiError, OSError, ValueError, KeyError) as error:
        print(f"flights: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
