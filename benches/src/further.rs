//! Further works, of Ommi and the raw drivers only: `dev/bench --further DATA_DIR`.

use std::hint::black_box;
use std::time::Instant;

use lanes::data::{self, USERS};
use ommi::Db;
use ommi::prelude::*;
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

use crate::flights;
use crate::measure::{self, Figures};
use crate::peers::model::User;
use crate::peers::{self, Store, report};
use crate::user::Visit;

mod postgres;
mod sqlite;

/// How often both lanes have their turn, and how long a work may take before it has fewer.
const ROUNDS: usize = 9;
const LONG: std::time::Duration = std::time::Duration::from_secs(20);

/// How many documents, wide rows and visits there are.
pub const SOME: i64 = 1_000;

/// How many rows are added at once.
pub const MANY: i64 = 100_000;

/// A flight.
#[derive(Model, Clone, Debug, Default)]
#[ommi(table = "flights")]
pub struct Flight {
    /// The key.
    #[ommi(key, auto)]
    pub id: i64,
    /// In which month.
    pub month: i64,
    /// On which day of the month.
    pub day: i64,
    /// How late it left, in minutes, if it left.
    pub dep_delay: Option<f64>,
    /// By whom.
    pub carrier: String,
    /// Its number.
    pub number: i64,
    /// With which plane.
    pub tailnum: Option<String>,
    /// From where.
    pub origin: String,
    /// To where.
    pub dest: String,
    /// How far, in miles.
    pub distance: f64,
    /// In which hour, in microseconds since 1970.
    pub hour: i64,
}

/// What a document holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// A title.
    pub title: String,
    /// Tags.
    pub tags: Vec<String>,
    /// How many pages.
    pub pages: i64,
}

/// A row with a document.
#[derive(Model, Clone, Debug, Default)]
#[ommi(table = "documents")]
pub struct Document {
    /// The key.
    #[ommi(key, auto)]
    pub id: i64,
    /// The document.
    #[ommi(json)]
    pub content: Content,
}

macro_rules! wide {
    ($($int:ident $text:ident $float:ident),*) => {
        /// A row of 60 fields.
        #[derive(Model, Clone, Debug, Default, PartialEq)]
        #[ommi(table = "wide")]
        pub struct Wide {
            /// The key.
            #[ommi(key, auto)]
            pub id: i64,
            /// A number.
            pub first: i64,
            $(
                /// A number.
                pub $int: i64,
                /// A text.
                pub $text: String,
                /// A number or none.
                pub $float: Option<f64>,
            )*
            /// A text.
            pub last: String,
        }

        impl Wide {
            fn numbered(number: i64) -> Self {
                Wide {
                    id: 0,
                    first: number,
                    $(
                        $int: number,
                        $text: format!("text {number}"),
                        $float: (number % 2 == 0).then_some(0.5),
                    )*
                    last: "the last".into(),
                }
            }

            /// Fills the fields by position.
            pub fn of_sqlite(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
                let mut next = 0..;
                let mut next = || next.next().unwrap_or_default();
                Ok(Wide {
                    id: row.get(next())?,
                    first: row.get(next())?,
                    $($int: row.get(next())?, $text: row.get(next())?, $float: row.get(next())?,)*
                    last: row.get(next())?,
                })
            }

            /// Fills the fields by position.
            pub fn of_postgres(row: &tokio_postgres::Row) -> Self {
                let mut next = 0..;
                let mut next = || next.next().unwrap_or_default();
                Wide {
                    id: row.get(next()),
                    first: row.get(next()),
                    $($int: row.get(next()), $text: row.get(next()), $float: row.get(next()),)*
                    last: row.get(next()),
                }
            }
        }
    };
}

wide!(
    i01 t01 f01, i02 t02 f02, i03 t03 f03, i04 t04 f04, i05 t05 f05, i06 t06 f06, i07 t07 f07, i08 t08 f08,
    i09 t09 f09, i10 t10 f10, i11 t11 f11, i12 t12 f12, i13 t13 f13, i14 t14 f14, i15 t15 f15, i16 t16 f16,
    i17 t17 f17, i18 t18 f18, i19 t19 f19
);

/// A workload with how many operations a round has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Further {
    /// Number, sum and greatest of each of 90 groups.
    Groups,
    /// All flights, one by one.
    Stream,
    /// An insert of 100,000 rows.
    InsertMany,
    /// 10,000 updates by key in a transaction.
    UpdateMany,
    /// A search for a part of a text.
    Contains,
    /// 1,000 rows with a document each.
    Documents,
    /// 1,000 rows with instants, dates and decimals.
    Visits,
    /// From nothing to the first row.
    Cold,
    /// 1,000 rows of 60 fields.
    Wide,
    /// The rows of 10,000 keys.
    InList,
}

impl Further {
    const ALL: &[(Further, &str, u32)] = &[
        (Further::Groups, "aggregates of 90 groups", 10),
        (Further::Stream, "stream of 336,776 flights", 1),
        (Further::InsertMany, "insert 100,000", 1),
        (Further::UpdateMany, "update of 10,000 by key", 1),
        (Further::Contains, "search for a part of a text", 10),
        (Further::Documents, "1,000 documents of JSON", 10),
        (Further::Visits, "1,000 rows with times and decimals", 10),
        (Further::Cold, "cold start to the first row", 20),
        (Further::Wide, "1,000 rows of 60 fields", 5),
        (Further::InList, "in-list of 10,000", 3),
    ];
}

/// A lane of the further workloads. Each gives a number that all lanes must give.
#[allow(async_fn_in_trait, reason = "lanes run on one thread")]
pub trait FurtherLane {
    /// Does the work once.
    async fn work(&mut self, work: Further) -> i64;
}

/// The checksum of groups.
pub fn groups_sum(groups: impl IntoIterator<Item = (i64, i64, i64)>) -> i64 {
    groups.into_iter().fold(0, |sum, (age, count, latest)| sum ^ (age * 31 + count * 7 + latest))
}

/// The keys of the in-list.
pub fn keys() -> Vec<i64> {
    (0..USERS).map(|number| number * 7919 % USERS + 1).collect()
}

/// The users that are added.
pub fn many() -> impl Iterator<Item = data::User> {
    (USERS + 1..=USERS + MANY).map(data::User::numbered)
}

/// What `Visits` gives.
pub fn visits_sum(visits: &[Visit]) -> i64 {
    visits.iter().fold(0, |sum, visit| sum ^ visit.began.as_microsecond() ^ i64::from(visit.day.day()))
        + i64::try_from(visits.iter().map(|visit| visit.cost.mantissa()).sum::<i128>()).unwrap_or_default()
}

/// Ommi.
pub struct OmmiFurther {
    /// The handle.
    pub db: Db,
    /// What a cold start connects to.
    pub url: String,
}

impl OmmiFurther {
    /// Makes the tables and fills them.
    async fn open(url: String, data: Option<&str>) -> Self {
        let db = ommi::connect(&url).await.expect("a database");
        db.create::<(Flight, Document, Wide, Visit)>().await.expect("tables");
        db.add_all((0..SOME).map(Wide::numbered)).await.expect("wide rows");
        let document = |number: i64| Document {
            id: 0,
            content: Content {
                title: format!("Document number {number}"),
                tags: vec!["new".into(), format!("tag {}", number % 7)],
                pages: number,
            },
        };
        db.add_all((0..SOME).map(document)).await.expect("documents");
        let start = Timestamp::from_second(1_357_000_000).expect("an instant");
        let visits = (0..SOME).map(|number| Visit {
            id: 0,
            began: start + Duration::from_micros(number * 1_234_567),
            day: Date::constant(2013, 1, 1),
            cost: Decimal::new(number * 7, 2),
        });
        db.add_all(visits).await.expect("visits");
        if let Some(data) = data {
            db.add_all(flights::records(data).iter().map(Flight::of)).await.expect("flights");
        }
        OmmiFurther { db, url }
    }
}

impl Flight {
    /// A flight of a line of the data, whose columns are those of `nycflights13`.
    fn of(line: &csv::StringRecord) -> Self {
        let number = |column: usize| line[column].parse::<i64>().expect("a number");
        let text = |column: usize| Some(line[column].to_owned()).filter(|text| text != "NA");
        let hour: Timestamp = line[18].parse().expect("an instant");
        Flight {
            id: 0,
            month: number(1),
            day: number(2),
            dep_delay: line[5].parse().ok(),
            carrier: line[9].to_owned(),
            number: number(10),
            tailnum: text(11),
            origin: line[12].to_owned(),
            dest: line[13].to_owned(),
            distance: line[15].parse().expect("a distance"),
            hour: hour.as_microsecond(),
        }
    }
}

impl FurtherLane for OmmiFurther {
    async fn work(&mut self, work: Further) -> i64 {
        self.answer(work).await.expect("an answer")
    }
}

impl OmmiFurther {
    async fn answer(&self, work: Further) -> Result<i64> {
        let db = &self.db;
        Ok(match work {
            Further::Groups => {
                let groups = db.find(User::ID.le(USERS)).group_by(User::AGE);
                let groups = groups.select((User::AGE, count(), User::CREATED_AT.max())).all().await?;
                assert_eq!(groups.len(), 90);
                groups_sum(groups)
            }
            Further::Stream => {
                let mut flights = db.find(Flight::all()).stream().await?;
                let mut sum = 0;
                while let Some(flight) = flights.next().await? {
                    sum += black_box(flight).number;
                }
                sum
            }
            Further::InsertMany => db.add_all(many().map(User::from)).await?.len() as i64,
            Further::UpdateMany => {
                db.transaction(async |tx| {
                    let mut updated = 0;
                    for id in keys() {
                        updated += tx.find(User::ID.eq(id)).update(User::HAIR_COLOR.set("red")).await?;
                    }
                    Ok(updated as i64)
                })
                .await?
            }
            Further::Contains => db.find(User::NAME.contains("99")).all().await?.len() as i64,
            Further::Documents => db.find(Document::all()).all().await?.iter().map(|row| row.content.pages).sum(),
            Further::Visits => visits_sum(&db.find(Visit::all()).all().await?),
            Further::Cold => {
                let db = ommi::connect(&self.url).await?;
                let user = db.get::<User>(17).await?;
                db.close().await?;
                user.id
            }
            Further::Wide => db.find(Wide::all()).all().await?.iter().map(|row| row.i19).sum(),
            Further::InList => db.find(User::ID.in_(keys())).all().await?.len() as i64,
        })
    }
}

/// Measures Ommi beside the raw lane, and puts the table into the report. `data` is the folder of the
/// flights; what needs them is left out without it. With the name of a work, only that one is measured, and
/// the report stays as it is.
pub fn compare(database: &str, data: Option<&str>, only: &str) {
    let one = crate::one_thread();
    match database {
        "sqlite" => {
            let mut store = peers::sqlite::File::create();
            let ommi = one.block_on(OmmiFurther::open(store.url(), data));
            let raw = sqlite::RawFurther::open(store.path());
            measure(database, &one, (data.is_some(), only), raw, ommi, &mut store);
        }
        _ => {
            let mut store = peers::postgres::Database::create();
            let ommi = one.block_on(OmmiFurther::open(store.url(lanes::POOL), data));
            let raw = one.block_on(postgres::RawFurther::open(store.address()));
            measure(database, &one, (data.is_some(), only), raw, ommi, &mut store);
        }
    }
}

fn measure<R: FurtherLane>(
    database: &str,
    one: &Runtime,
    (has_flights, only): (bool, &str),
    mut raw: R,
    mut ommi: OmmiFurther,
    store: &mut dyn Store,
) {
    let mut table = String::from(measure::HEAD);
    let is_asked = |work: &Further, name: &str| (has_flights || *work != Further::Stream) && name.starts_with(only);
    for &(work, name, times) in Further::ALL.iter().filter(|(work, name, _)| is_asked(work, name)) {
        eprintln!("{database}: {name}");
        let mut figures = Figures { raw: Vec::new(), ommi: Vec::new() };
        let mut answer = None;
        let all = Instant::now();
        for round in 0..=ROUNDS {
            if round > 3 && all.elapsed() > LONG {
                break;
            }
            for place in 0..2 {
                let is_raw = (place + round) % 2 == 0;
                lanes::rest();
                let begun = Instant::now();
                for _ in 0..times {
                    let given = match is_raw {
                        true => one.block_on(raw.work(work)),
                        false => one.block_on(ommi.work(work)),
                    };
                    assert_eq!(given, *answer.get_or_insert(given), "both lanes answer alike: {name}");
                }
                let took = begun.elapsed().as_secs_f64() / f64::from(times) * 1e6;
                if work == Further::InsertMany {
                    store.clean();
                }
                // the first round warms
                match (round, is_raw) {
                    (0, _) => {}
                    (_, true) => figures.raw.push(took),
                    (_, false) => figures.ommi.push(took),
                }
            }
        }
        table.push_str(&measure::line(name, &figures));
    }
    println!("{table}");
    if !only.is_empty() {
        return;
    }
    let text = format!("{}; {}, at most {ROUNDS} rounds.\n\n{table}", store.version(), report::machine());
    report::put(&format!("further {database}"), &text);
}
