//! The report: figures that the database computes, and the names that belong to them.

use std::collections::HashMap;
use std::fmt;

use ommi::prelude::*;
use ommi::{Explanation, Query, Selected};
use serde::Serialize;

use crate::models::{Airline, Airport, Flight, Plane, Weather};

/// Figures about the flights. Serialized, it is one JSON object with its members in this order.
#[derive(Serialize)]
pub(crate) struct Report {
    rows: Rows,
    slowest_carriers: Vec<SlowCarrier>,
    busiest_routes: Vec<Route>,
    tailnum_null: u64,
    plane_absent: u64,
    most_delayed: Vec<Delay>,
}

#[derive(Serialize)]
struct Rows {
    airlines: u64,
    airports: u64,
    planes: u64,
    weather: u64,
    flights: u64,
}

#[derive(Serialize)]
struct SlowCarrier {
    carrier: String,
    name: Option<String>,
    flights: i64,
    mean_delay: String,
}

#[derive(Serialize)]
struct Route {
    origin: String,
    dest: String,
    flights: i64,
}

#[derive(Serialize)]
struct Delay {
    date: String,
    carrier: Option<String>,
    tailnum: Option<String>,
    manufacturer: Option<String>,
    origin: Option<String>,
    dest: Option<String>,
    delay: i32,
}

impl Report {
    /// Asks the database for all figures.
    pub(crate) async fn of(db: &Db) -> Result<Self> {
        Ok(Report {
            rows: Rows::of(db).await?,
            slowest_carriers: slowest_carriers(db).await?,
            busiest_routes: busiest_routes(db).await?,
            tailnum_null: without_tailnum(db).count().await?,
            plane_absent: of_absent_planes(db).count().await?,
            most_delayed: most_delayed(db).await?,
        })
    }

    /// How the database computes each of the figures.
    pub(crate) async fn plans(db: &Db) -> Result<Vec<(&'static str, Explanation)>> {
        Ok(vec![
            ("slowest carriers", delays(db).explain().await?),
            ("busiest routes", routes(db).explain().await?),
            ("flights without a tail number", without_tailnum(db).explain().await?),
            ("flights of planes that are not known", of_absent_planes(db).explain().await?),
            ("most delayed", longest(db).explain().await?),
        ])
    }
}

impl Rows {
    async fn of(db: &Db) -> Result<Self> {
        Ok(Rows {
            airlines: db.find(Airline::all()).count().await?,
            airports: db.find(Airport::all()).count().await?,
            planes: db.find(Plane::all()).count().await?,
            weather: db.find(Weather::all()).count().await?,
            flights: db.find(Flight::all()).count().await?,
        })
    }
}

/// The flights and the sum of their delays, by carrier.
fn delays(db: &Db) -> Selected<Flight, (String, i64, Option<i64>)> {
    let by_carrier = db.find(Flight::ARR_DELAY.is_not_null()).group_by(Flight::CARRIER);
    by_carrier.select((Flight::CARRIER, count(), Flight::ARR_DELAY.sum()))
}

/// The five carriers with the highest mean delay, ranked by the exact mean.
async fn slowest_carriers(db: &Db) -> Result<Vec<SlowCarrier>> {
    let mut delays = delays(db).all().await?;
    // sum a / count a against sum b / count b, without a division that would round
    let total = |sum: Option<i64>, count: i64| i128::from(sum.unwrap_or_default()) * i128::from(count);
    delays.sort_by(|a, b| total(b.2, a.1).cmp(&total(a.2, b.1)).then_with(|| a.0.cmp(&b.0)));
    delays.truncate(5);
    let names = airline_names(db, delays.iter().map(|delay| delay.0.as_str())).await?;
    let slow = delays.into_iter().map(|(carrier, flights, sum)| SlowCarrier {
        name: names.get(&carrier).cloned().flatten(),
        mean_delay: mean(sum.unwrap_or_default(), flights),
        carrier,
        flights,
    });
    Ok(slow.collect())
}

/// A mean with two decimals, half away from zero.
fn mean(sum: i64, count: i64) -> String {
    let (sum, count) = (i128::from(sum), i128::from(count));
    let hundredths = (sum.abs() * 200 + count) / (count * 2);
    let sign = if sum < 0 && hundredths > 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", hundredths / 100, hundredths % 100)
}

/// The three pairs of airports with the most flights.
fn routes(db: &Db) -> Selected<Flight, (String, String, i64)> {
    db.find(Flight::all())
        .group_by((Flight::ORIGIN, Flight::DEST))
        .select((Flight::ORIGIN, Flight::DEST, count()))
        .order_by((count().desc(), Flight::ORIGIN.asc(), Flight::DEST.asc()))
        .limit(3)
}

async fn busiest_routes(db: &Db) -> Result<Vec<Route>> {
    let routes = routes(db).all().await?;
    Ok(routes.into_iter().map(|(origin, dest, flights)| Route { origin, dest, flights }).collect())
}

fn without_tailnum(db: &Db) -> Query<Flight> {
    db.find(Flight::TAILNUM.is_null())
}

/// The flights that name a plane which is not among the planes.
fn of_absent_planes(db: &Db) -> Query<Flight> {
    db.find(Flight::TAILNUM.is_not_null() & !Flight::PLANE.has(Plane::all()))
}

type Longest =
    ((i32, i32, i32), Option<String>, Option<String>, Option<String>, Option<String>, Option<String>, Option<i32>);

/// The ten most delayed flights, with the names of what they reference in the same query.
fn longest(db: &Db) -> Selected<Flight, Longest> {
    db.find(Flight::ARR_DELAY.is_not_null())
        .order_by((Flight::ARR_DELAY.desc(), Flight::TIME_HOUR.asc(), Flight::CARRIER.asc(), Flight::FLIGHT.asc()))
        .limit(10)
        .select((
            (Flight::YEAR, Flight::MONTH, Flight::DAY),
            Flight::AIRLINE.at(Airline::NAME),
            Flight::TAILNUM,
            Flight::PLANE.at(Plane::MANUFACTURER),
            Flight::FROM.at(Airport::NAME),
            Flight::TO.at(Airport::NAME),
            Flight::ARR_DELAY,
        ))
}

async fn most_delayed(db: &Db) -> Result<Vec<Delay>> {
    let flights = longest(db).all().await?;
    let delays =
        flights.into_iter().map(|((year, month, day), carrier, tailnum, manufacturer, origin, dest, delay)| {
            let date = format!("{year:04}-{month:02}-{day:02}");
            Delay { date, carrier, tailnum, manufacturer, origin, dest, delay: delay.unwrap_or_default() }
        });
    Ok(delays.collect())
}

async fn airline_names(db: &Db, carriers: impl Iterator<Item = &str>) -> Result<HashMap<String, Option<String>>> {
    let airlines = db.get_many::<Airline, _>(carriers).await?;
    Ok(airlines.into_iter().map(|airline| (airline.carrier, airline.name)).collect())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rows { airlines, airports, planes, weather, flights } = self.rows;
        let shown = |name: &Option<String>| name.clone().unwrap_or_else(|| "unknown".to_owned());
        writeln!(
            f,
            "{flights} flights of {airlines} airlines, {airports} airports, {planes} planes, {weather} hours of weather"
        )?;
        writeln!(
            f,
            "{} flights have no tail number, {} one of a plane that is not known",
            self.tailnum_null, self.plane_absent
        )?;
        writeln!(f, "\nSlowest carriers, by their mean delay in minutes")?;
        for carrier in &self.slowest_carriers {
            let SlowCarrier { carrier, name, flights, mean_delay } = carrier;
            writeln!(f, "  {carrier:<3} {mean_delay:>8}  over {flights:>6} flights  {}", shown(name))?;
        }
        writeln!(f, "\nBusiest routes")?;
        for Route { origin, dest, flights } in &self.busiest_routes {
            writeln!(f, "  {origin} to {dest}  {flights:>6} flights")?;
        }
        write!(f, "\nMost delayed, in minutes")?;
        for delay in &self.most_delayed {
            let Delay { date, carrier, tailnum, manufacturer, origin, dest, delay } = delay;
            write!(f, "\n  {delay:>5}  {date}  {}, {} to {}", shown(carrier), shown(origin), shown(dest))?;
            write!(f, "  ({}, {})", shown(tailnum), shown(manufacturer))?;
        }
        Ok(())
    }
}
