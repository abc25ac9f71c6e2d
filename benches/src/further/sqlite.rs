//! The further works by rusqlite.

use std::hint::black_box;
use std::path::{Path, PathBuf};

use lanes::Lane;
use lanes::data::{USERS, User};
use rusqlite::{Row, params_from_iter};

use super::{Content, Flight, Further, FurtherLane, Wide, groups_sum, keys, many, visits_sum};
use crate::peers::sqlite::{self as raw, Raw};

/// rusqlite, with its cache of prepared statements.
pub struct RawFurther {
    raw: Raw,
    path: PathBuf,
}

impl RawFurther {
    /// Opens the file.
    pub fn open(path: &Path) -> Self {
        RawFurther { raw: Raw(raw::open(path)), path: path.to_owned() }
    }

    fn answer(&self, work: Further) -> rusqlite::Result<i64> {
        let raw = &self.raw.0;
        Ok(match work {
            Further::Groups => {
                let mut statement =
                    raw.prepare_cached("SELECT age, count(*), max(created_at) FROM users WHERE id <= ?1 GROUP BY age")?;
                let groups = statement.query_map([USERS], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
                groups_sum(groups.collect::<rusqlite::Result<Vec<_>>>()?)
            }
            Further::Stream => {
                let mut statement = raw.prepare_cached(
                    "SELECT id, month, day, dep_delay, carrier, number, tailnum, origin, dest, distance, hour \
                     FROM flights",
                )?;
                let mut rows = statement.query([])?;
                let mut sum = 0;
                while let Some(row) = rows.next()? {
                    sum += black_box(flight(row)?).number;
                }
                sum
            }
            Further::Contains => {
                let mut statement = raw.prepare_cached(
                    "SELECT id, name, hair_color, age, created_at FROM users WHERE instr(name, ?1) > 0",
                )?;
                statement.query_map(["99"], user)?.collect::<rusqlite::Result<Vec<_>>>()?.len() as i64
            }
            Further::Documents => {
                let mut statement = raw.prepare_cached("SELECT id, content FROM documents")?;
                let mut rows = statement.query([])?;
                let mut documents = Vec::new();
                while let Some(row) = rows.next()? {
                    let content: Content = serde_json::from_str(row.get_ref(1)?.as_str()?).expect("a document");
                    documents.push((row.get::<_, i64>(0)?, content));
                }
                documents.iter().map(|(_, content)| content.pages).sum()
            }
            Further::Visits => {
                let mut statement = raw.prepare_cached("SELECT id, began, day, cost FROM visits")?;
                let mut rows = statement.query([])?;
                let mut visits = Vec::new();
                while let Some(row) = rows.next()? {
                    visits.push(crate::sqlite::raw_visit(row).expect("a visit"));
                }
                visits_sum(&visits)
            }
            Further::Cold => {
                let connection = raw::open(&self.path);
                let mut statement =
                    connection.prepare("SELECT id, name, hair_color, age, created_at FROM users WHERE id = ?1")?;
                statement.query_row([17], user)?.id
            }
            Further::Wide => {
                let mut statement = raw.prepare_cached("SELECT * FROM wide")?;
                let rows: Vec<Wide> = statement.query_map([], Wide::of_sqlite)?.collect::<rusqlite::Result<_>>()?;
                rows.iter().map(|row| row.i19).sum()
            }
            Further::InList => {
                let keys = keys();
                let places = vec!["?"; keys.len()].join(",");
                let mut statement = raw.prepare_cached(&format!(
                    "SELECT id, name, hair_color, age, created_at FROM users WHERE id IN ({places})"
                ))?;
                let users = statement.query_map(params_from_iter(keys), user)?;
                users.collect::<rusqlite::Result<Vec<_>>>()?.len() as i64
            }
            Further::UpdateMany => {
                let transaction = raw.unchecked_transaction()?;
                let mut updated = 0;
                {
                    let mut statement = raw.prepare_cached("UPDATE users SET hair_color = ?1 WHERE id = ?2")?;
                    for id in keys() {
                        updated += statement.execute(("red", id))?;
                    }
                }
                transaction.commit()?;
                updated as i64
            }
            Further::InsertMany => unreachable!("the lane does it"),
        })
    }
}

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User { id: row.get(0)?, name: row.get(1)?, hair_color: row.get(2)?, age: row.get(3)?, created_at: row.get(4)? })
}

fn flight(row: &Row<'_>) -> rusqlite::Result<Flight> {
    Ok(Flight {
        id: row.get(0)?,
        month: row.get(1)?,
        day: row.get(2)?,
        dep_delay: row.get(3)?,
        carrier: row.get(4)?,
        number: row.get(5)?,
        tailnum: row.get(6)?,
        origin: row.get(7)?,
        dest: row.get(8)?,
        distance: row.get(9)?,
        hour: row.get(10)?,
    })
}

impl FurtherLane for RawFurther {
    async fn work(&mut self, work: Further) -> i64 {
        match work {
            Further::InsertMany => self.raw.insert_all(many().collect()).await.len() as i64,
            work => self.answer(work).expect("an answer"),
        }
    }
}
