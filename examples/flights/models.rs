//! The tables of the flights data. What is not needed may be absent.

use ommi::prelude::*;
use serde::Deserialize;

#[derive(Model, Deserialize, Clone, Debug)]
#[ommi(table = "airlines")]
pub(crate) struct Airline {
    #[ommi(key)]
    pub carrier: String,
    pub name: Option<String>,
}

#[derive(Model, Deserialize, Clone, Debug)]
#[ommi(table = "airports")]
pub(crate) struct Airport {
    #[ommi(key)]
    pub faa: String,
    pub name: Option<String>,
    pub lat: Option<f64>,
    pub lon: Option<f64>,
    pub alt: Option<f64>,
    pub tz: Option<f64>,
    pub dst: Option<String>,
    pub tzone: Option<String>,
}

#[derive(Model, Deserialize, Clone, Debug)]
#[ommi(table = "planes")]
pub(crate) struct Plane {
    #[ommi(key)]
    pub tailnum: String,
    pub year: Option<i32>,
    #[serde(rename = "type")]
    #[ommi(name = "type")]
    pub kind: Option<String>,
    pub manufacturer: Option<String>,
    pub model: Option<String>,
    pub engines: Option<i32>,
    pub seats: Option<i32>,
    pub speed: Option<i32>,
    pub engine: Option<String>,
}

#[derive(Model, Deserialize, Clone, Debug)]
#[ommi(table = "weather")]
pub(crate) struct Weather {
    #[ommi(key)]
    pub time_hour: Timestamp,
    #[ommi(key, references = Airport, unenforced)]
    pub origin: String,
    pub year: Option<i32>,
    pub month: Option<i32>,
    pub day: Option<i32>,
    pub hour: Option<i32>,
    pub temp: Option<f64>,
    pub dewp: Option<f64>,
    pub humid: Option<f64>,
    pub wind_dir: Option<f64>,
    pub wind_speed: Option<f64>,
    pub wind_gust: Option<f64>,
    pub precip: Option<f64>,
    pub pressure: Option<f64>,
    pub visib: Option<f64>,
}

// flights name planes and airports that are not in the data: those references are unenforced
#[derive(Model, Deserialize, Clone, Debug)]
#[ommi(table = "flights")]
pub(crate) struct Flight {
    #[ommi(key)]
    pub time_hour: Timestamp,
    #[ommi(key, references = Airline)]
    pub carrier: String,
    #[ommi(key)]
    pub flight: i32,
    pub year: i32,
    pub month: i32,
    pub day: i32,
    pub dep_time: Option<i32>,
    pub sched_dep_time: Option<i32>,
    pub dep_delay: Option<i32>,
    pub arr_time: Option<i32>,
    pub sched_arr_time: Option<i32>,
    pub arr_delay: Option<i32>,
    #[ommi(references = Plane, unenforced)]
    pub tailnum: Option<String>,
    #[ommi(references = Airport, unenforced)]
    pub origin: String,
    #[ommi(references = Airport, unenforced)]
    pub dest: String,
    pub air_time: Option<i32>,
    pub distance: Option<i32>,
    pub hour: Option<i32>,
    pub minute: Option<i32>,
    #[serde(skip)]
    pub airline: One<Airline>,
    #[serde(skip)]
    pub plane: One<Option<Plane>>,
    #[serde(skip)]
    #[ommi(by = origin)]
    pub from: One<Option<Airport>>,
    #[serde(skip)]
    #[ommi(by = dest)]
    pub to: One<Option<Airport>>,
}
