//! The everyday queries, on some flights out of New York: `cargo run --example quickstart`.
#![allow(clippy::print_stdout, reason = "the program's output")]

use ommi::prelude::*;
use ommi_examples::table::sample;
use serde::Deserialize;

#[derive(Model, Deserialize, Clone, Debug)]
struct Airline {
    #[ommi(key)]
    carrier: String,
    name: String,
}

#[derive(Model, Deserialize, Clone, Debug)]
struct Flight {
    #[ommi(key)]
    time_hour: Timestamp,
    #[ommi(key, references = Airline)]
    carrier: String,
    #[ommi(key)]
    flight: i32,
    origin: String,
    dest: String,
    tailnum: Option<String>, // some flights have none
    arr_delay: Option<i32>,  // in minutes; none where the flight did not arrive
    #[serde(default)]
    cancelled: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::temp_dir().join("quickstart.db");
    let _ = std::fs::remove_file(&file); // a fresh database for each run
    let db = ommi::connect(&format!("sqlite://{}", file.display())).await?;
    db.create::<(Airline, Flight)>().await?;
    let airlines = db.add_all(sample::<Airline>("airlines")?).await?;
    let flights = db.add_all(sample::<Flight>("flights")?).await?;
    println!("{} flights of {} airlines are in {}\n", flights.len(), airlines.len(), file.display());

    println!("The latest from JFK:");
    let from_jfk = db.find(Flight::ORIGIN.eq("JFK") & Flight::ARR_DELAY.is_not_null());
    for flight in from_jfk.order_by(Flight::ARR_DELAY.desc()).limit(3).all().await? {
        let airline: Airline = db.get(&flight.carrier).await?;
        println!("  {:>3} min  to {}  {}", flight.arr_delay.unwrap_or_default(), flight.dest, airline.name);
    }

    let cancelled = db.find(Flight::ARR_DELAY.is_null()).update(Flight::CANCELLED.set(true)).await?;
    let planeless = db.find(Flight::CANCELLED.eq(true) & Flight::TAILNUM.is_null()).count().await?;
    println!("\n{cancelled} did not arrive, {planeless} of them never had a plane.\n\nMean delays:");

    let delays = db.find(Flight::CANCELLED.eq(false)).group_by(Flight::CARRIER);
    let delays = delays.select((Flight::CARRIER, count(), Flight::ARR_DELAY.avg())).having(count().ge(10));
    for (carrier, flights, mean) in delays.order_by(Flight::ARR_DELAY.avg().desc()).all().await? {
        println!("  {carrier}  {:>6.1} min over {flights} flights", mean.unwrap_or_default());
    }
    Ok(())
}
