//! The further works by tokio-postgres.

use std::collections::HashMap;
use std::hint::black_box;
use std::pin::pin;

use futures_util::TryStreamExt;
use lanes::data::{USERS, User};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{FromSql, ToSql, Type};
use tokio_postgres::{Client, Row, Statement};

use super::{Content, Flight, Further, FurtherLane, Wide, groups_sum, keys, many, visits_sum};
use crate::peers::postgres::connect;
use crate::postgres::visit;

/// tokio-postgres, with statements that are prepared once.
pub struct RawFurther {
    client: Client,
    statements: HashMap<&'static str, Statement>,
    url: String,
}

impl RawFurther {
    /// Connects, where all tables are filled.
    pub async fn open(url: String) -> Self {
        let client = connect(&url).await;
        client.batch_execute("VACUUM ANALYZE").await.expect("statistics");
        RawFurther { client, statements: HashMap::new(), url }
    }

    async fn read<T>(
        &mut self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
        mut each: impl FnMut(&Row) -> T,
    ) -> Result<Vec<T>, tokio_postgres::Error> {
        let statement = self.prepared(sql).await?;
        let rows = self.client.query_raw(&statement, parameters.iter().copied()).await?;
        let mut rows = pin!(rows);
        let mut read = Vec::new();
        while let Some(row) = rows.try_next().await? {
            read.push(each(&row));
        }
        Ok(read)
    }

    async fn prepared(&mut self, sql: &'static str) -> Result<Statement, tokio_postgres::Error> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }

    async fn answer(&mut self, work: Further) -> Result<i64, tokio_postgres::Error> {
        Ok(match work {
            Further::Groups => {
                let sql = "SELECT age, count(*), max(created_at) FROM users WHERE id <= $1 GROUP BY age";
                groups_sum(self.read(sql, &[&USERS], |row| (row.get(0), row.get(1), row.get(2))).await?)
            }
            Further::Stream => {
                let statement = self
                    .prepared(
                        "SELECT id, month, day, dep_delay, carrier, number, tailnum, origin, dest, distance, hour \
                         FROM flights",
                    )
                    .await?;
                let none: [&(dyn ToSql + Sync); 0] = [];
                let mut rows = pin!(self.client.query_raw(&statement, none).await?);
                let mut sum = 0;
                while let Some(row) = rows.try_next().await? {
                    sum += black_box(flight(&row)).number;
                }
                sum
            }
            // `COPY`, which gives no keys back
            Further::InsertMany => {
                let users: Vec<User> = many().collect();
                let copy = "COPY users (name, hair_color, age, created_at) FROM STDIN (FORMAT binary)";
                let sink = self.client.copy_in(copy).await?;
                let mut writer = pin!(BinaryCopyInWriter::new(sink, &[Type::TEXT, Type::TEXT, Type::INT8, Type::INT8]));
                for user in &users {
                    let row: [&(dyn ToSql + Sync); 4] = [&user.name, &user.hair_color, &user.age, &user.created_at];
                    writer.as_mut().write(&row).await?;
                }
                writer.finish().await?;
                black_box(users).len() as i64
            }
            Further::UpdateMany => {
                let update = self.prepared("UPDATE users SET hair_color = $1 WHERE id = $2").await?;
                self.client.batch_execute("BEGIN").await?;
                let mut updated = 0;
                for id in keys() {
                    updated += self.client.execute(&update, &[&"red", &id]).await?;
                }
                self.client.batch_execute("COMMIT").await?;
                updated as i64
            }
            Further::Contains => {
                let sql = "SELECT id, name, hair_color, age, created_at FROM users WHERE strpos(name, $1) > 0";
                self.read(sql, &[&"99"], user).await?.len() as i64
            }
            Further::Documents => {
                let document = |row: &Row| {
                    let Jsonb(content) = row.get(1);
                    (row.get::<_, i64>(0), content)
                };
                let documents = self.read("SELECT id, content FROM documents", &[], document).await?;
                documents.iter().map(|(_, content)| content.pages).sum()
            }
            Further::Visits => {
                let sql = "SELECT id, began, day, CAST(cost AS text) FROM visits";
                visits_sum(&self.read(sql, &[], |row| visit(row).expect("a visit")).await?)
            }
            Further::Cold => {
                let client = connect(&self.url).await;
                let get =
                    client.prepare("SELECT id, name, hair_color, age, created_at FROM users WHERE id = $1").await?;
                user(&client.query_one(&get, &[&17i64]).await?).id
            }
            Further::Wide => {
                let rows = self.read("SELECT * FROM wide", &[], Wide::of_postgres).await?;
                rows.iter().map(|row| row.i19).sum()
            }
            Further::InList => {
                let sql = "SELECT id, name, hair_color, age, created_at FROM users WHERE id = ANY ($1)";
                self.read(sql, &[&keys()], user).await?.len() as i64
            }
        })
    }
}

impl FurtherLane for RawFurther {
    async fn work(&mut self, work: Further) -> i64 {
        self.answer(work).await.expect("an answer")
    }
}

fn user(row: &Row) -> User {
    User { id: row.get(0), name: row.get(1), hair_color: row.get(2), age: row.get(3), created_at: row.get(4) }
}

fn flight(row: &Row) -> Flight {
    Flight {
        id: row.get(0),
        month: row.get(1),
        day: row.get(2),
        dep_delay: row.get(3),
        carrier: row.get(4),
        number: row.get(5),
        tailnum: row.get(6),
        origin: row.get(7),
        dest: row.get(8),
        distance: row.get(9),
        hour: row.get(10),
    }
}

/// A document, which follows the number of its form.
struct Jsonb(Content);

impl<'a> FromSql<'a> for Jsonb {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Jsonb(serde_json::from_slice(raw.get(1..).unwrap_or_default())?))
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::JSONB
    }
}
