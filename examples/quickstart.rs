//! The everyday queries, on some flights out of New York: `cargo run --example quickstart`.
#![allow(clippy::print_stdout, reason = "the program's output")]

use ommi::prelude::*;
use ommi_examples::table::sample;
use serde::Deserialize;

#[derive(Model, Deserialize, Clone, Debug)]
struct Plane {
    #[ommi(key)]
    tailnum: String,
    manufacturer: Option<String>,
}

#[derive(Model, Deserialize, Clone, Debug)]
struct Flight {
    #[ommi(key)]
    time_hour: Timestamp,
    #[ommi(key)]
    carrier: String,
    #[ommi(key)]
    flight: i32,
    #[ommi(references = Plane, unenforced)] // some flights name planes that are not known
    tailnum: Option<String>,
    origin: String,
    dest: String,
    arr_delay: Option<i32>, // in minutes; null where a flight did not arrive
    #[serde(default)]
    cancelled: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::temp_dir().join("quickstart.db");
    let _ = std::fs::remove_file(&file); // a fresh database for each run
    let db = ommi::connect(&format!("sqlite://{}", file.display())).await?;
    db.create::<(Plane, Flight)>().await?;
    let planes = db.add_all(sample::<Plane>("planes")?).await?;
    let flights = db.add_all(sample::<Flight>("flights")?).await?;
    println!("{} flights and {} planes are in {}\n", flights.len(), planes.len(), file.display());
    println!("The latest into Los Angeles and Chicago:");
    let late = db.find(Flight::DEST.in_(["LAX", "ORD"]) & Flight::ARR_DELAY.gt(60)).order_by(Flight::ARR_DELAY.desc());
    let late = late.limit(5).all().await?;
    let known = db.get_many::<Plane, _>(late.iter().filter_map(|flight| flight.tailnum.as_deref())).await?;
    for Flight { carrier, flight, tailnum, arr_delay, .. } in &late {
        let plane = known.iter().find(|plane| Some(&plane.tailnum) == tailnum.as_ref());
        let maker = plane.and_then(|plane| plane.manufacturer.as_deref()).unwrap_or("an unknown plane");
        println!("  {:>4} min  {carrier} {flight:<4} {maker}", arr_delay.unwrap_or_default());
    }
    let cancelled = db.find(Flight::ARR_DELAY.is_null()).update(Flight::CANCELLED.set(true)).await?;
    let planeless = db.find(Flight::CANCELLED.eq(true) & Flight::TAILNUM.is_null()).count().await?;
    println!("\n{cancelled} did not arrive, and {planeless} of these had no plane.\n\nMean delays by carrier:");
    let delays = db.find(Flight::CANCELLED.eq(false)).group_by(Flight::CARRIER);
    let delays = delays.select((Flight::CARRIER, count(), Flight::ARR_DELAY.avg())).having(count().ge(10));
    for (carrier, flights, mean) in delays.order_by(Flight::ARR_DELAY.avg().desc()).all().await? {
        println!("  {carrier}  {:>6.1} min over {flights} flights", mean.unwrap_or_default());
    }
    Ok(())
}
